"""What describing a picture costs."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import numpy as np
import torch

from latenthash.codes.code import Source
from latenthash.codes.given import GivenCodes
from latenthash.codes.latent import Latent
from latenthash.data.reading import Pixels
from latenthash.data.views import pipeline


def milliseconds(sources: Sequence[Source], pictures: Sequence[Pixels]) -> dict[str, float]:
    """Time each source on whole pictures, all in the same way.

    One picture at a time, from its decoded pixels on, on one core (a bundle's network on the
    accelerator, where there is one), with nothing kept from before. Reducing the picture to what
    a source sees is part of it: peers do so too.

    Args:
        sources: those with the same key are timed once, and given codes not at all.
        pictures: (H, W, 3) each, at least one.

    Returns:
        key of the source -> median milliseconds of a picture.

    Raises:
        HashError: if a hash fails.
    """
    times = {}
    with _one_core():
        timed = {s.key: s for s in sources if not isinstance(s, GivenCodes)}
        for source in timed.values():
            with source.hasher.uncached() if isinstance(source, Latent) else nullcontext():
                times[source.key] = _median(source, pictures)
    return times


def _median(source: Source, pictures: Sequence[Pixels]) -> float:
    reduce = None if source.side is None else pipeline([], source.side, source.trim)
    seconds = []
    for picture in (pictures[0], *pictures):
        started = time.perf_counter()
        source.describe([picture if reduce is None else reduce(image=picture)["image"]])
        seconds.append(time.perf_counter() - started)
    # The first is there for what is done once. Other work on the machine disturbs a few, not most.
    return 1000 * float(np.median(seconds[1:]))


@contextmanager
def _one_core() -> Iterator[None]:
    """Let torch have no more cores than a peer has."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
