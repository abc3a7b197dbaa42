"""Work in other processes, only a little ahead of whoever takes the results."""

import gc
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future
from functools import cache
from itertools import islice
from multiprocessing import current_process
from threading import Lock, Thread
from typing import TypeVar, cast

import cv2
from joblib import cpu_count
from joblib.externals.loky import ProcessPoolExecutor

Result = TypeVar("Result")

MOST = 8  # processes: each has libraries of its own in memory
AHEAD = 2  # batches a process may have, done or not, until their results are taken
IDLE = 60  # seconds until processes that have nothing to do end
WATCH = 2  # seconds between looks whether who gives the tasks is still there
ALONE = Lock()  # held by whoever finds out which task ends a process
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def in_workers(
    function: Callable[..., Result],
    tasks: Iterable[tuple[object, ...]],
    batch: int = 1,
    ended: Callable[..., Result] | None = None,
) -> Iterator[Result]:
    """Call a function with the arguments of each task, on all cores.

    joblib's own generator does not wait for whoever takes the results: pixels would pile up.

    Args:
        function: what is called.
        tasks: its arguments.
        batch: tasks handed over at once; more where one takes milliseconds.
        ended: gives the result of a task that ends the process that does it, such as by a fault
            of a library or for want of memory; it is called here, with the task's arguments. None
            raises.

    Returns:
        the results, in the order of the tasks. The processes stay for the next call.

    Raises:
        BrokenExecutor: if a process ended, and `ended` is None or no process lives long enough to
            begin.
    """
    processes = most_at_once()
    waiting: deque[tuple[Sequence[tuple[object, ...]], Future[list[Result]]]] = deque()
    tasks = iter(tasks)
    try:
        while some := list(islice(tasks, batch)):
            waiting.append((some, _submit(processes, _call, function, some)))
            if len(waiting) >= AHEAD * processes:
                yield from _results(function, *waiting.popleft(), ended)
        while waiting:
            yield from _results(function, *waiting.popleft(), ended)
    finally:
        for _, future in waiting:
            future.cancel()


def _results(
    function: Callable[..., Result],
    tasks: Sequence[tuple[object, ...]],
    future: Future[list[Result]],
    ended: Callable[..., Result] | None,
) -> list[Result]:
    """Wait for the results of a batch, and tell the task that ends processes from the others."""
    try:
        return future.result()
    except BrokenExecutor:
        if ended is None:
            raise
    # All batches under way were lost with the process, and any task of them may be to blame.
    with ALONE:
        return [_alone(function, task, ended) for task in tasks]


def _alone(
    function: Callable[..., Result], task: tuple[object, ...], ended: Callable[..., Result]
) -> Result:
    """Do a task in a process that does nothing else."""
    _submit(1, _call, bool, [()]).result()  # if this fails, no task is to blame
    try:
        (result,) = cast("list[Result]", _submit(1, _call, function, [task]).result())
    except BrokenExecutor:
        return ended(*task)
    return result


def _submit(
    processes: int, function: Callable[..., list[Result]], *given: object
) -> Future[list[Result]]:
    """Hand work to so many processes, and start others where these were broken."""
    try:
        future = _workers(os.getpid(), processes).submit(function, *given)
    except BrokenExecutor:
        _workers.cache_clear()
        future = _workers(os.getpid(), processes).submit(function, *given)
    return cast("Future[list[Result]]", future)


def most_at_once() -> int:
    """Return how many processes work at once: as many as there are cores, within limits."""
    count: int = cpu_count()
    return min(count, MOST)


def may_start() -> bool:
    """Say whether this process may start others: those of multiprocessing's pools may not."""
    return not current_process().daemon


@cache
def _workers(process: int, count: int) -> ProcessPoolExecutor:
    """Start the processes, once: joblib takes loky's shared ones for its own kind.

    Args:
        process: id of the one that starts them; those of its parent are not its own.
        count: how many.
    """
    return ProcessPoolExecutor(count, timeout=IDLE, initializer=_prepare, env=ONE_THREAD)


def _prepare() -> None:
    """Prepare a process, before its first task."""
    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    # albumentations takes torch along if it can: 250 MB, and no task needs it.
    sys.modules["torch"] = None  # type: ignore[assignment] # as if it were not installed
    import latenthash.data.edits.suite  # noqa: F401 # imports albumentations

    del sys.modules["torch"]


def _end_with(parent: int) -> None:
    """End this process when its parent was killed: its results, which nobody takes, hold it."""
    while os.getppid() == parent:
        time.sleep(WATCH)
    os._exit(1)


def _call(function: Callable[..., Result], tasks: Sequence[tuple[object, ...]]) -> list[Result]:
    _settle()
    return [function(*task) for task in tasks]


@cache
def _settle() -> None:
    """Prepare a process, once, when its first task has imported what it needs."""
    cv2.setNumThreads(1)
    # loky collects garbage every second, which takes time among all that libraries bring.
    gc.freeze()
