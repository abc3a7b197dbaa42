"""The same function of many numbers or things, on all cores."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from joblib import Parallel, cpu_count, delayed

from latenthash.system.terminal import track

T = TypeVar("T")
Item = TypeVar("Item")

FEW = 100  # calls that are over before workers have started


def parallel_map(function: Callable[[int], T], count: int, title: str) -> Iterable[T]:
    """Call a function with 0 to count - 1, and hand on its results in that order.

    Args:
        function: of some milliseconds; it and its results are pickled.
        count: of the calls.
        title: of the progress bar.
    """
    workers = Parallel(cpu_count() if count > FEW else 1, return_as="generator")
    results: Iterable[T] = workers(delayed(function)(number) for number in range(count))
    return track(results, title, count, disable=count <= FEW)


def in_threads(function: Callable[[Item], T], items: Iterable[Item]) -> Iterator[T]:
    """Call a function with each item, in a thread a core, and hand on its results in their order.

    Args:
        function: that leaves Python's lock to others most of the time.
        items: may be made as they are asked for: few are held.
    """
    threads: int = cpu_count()
    waiting: deque[Future[T]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
