"""Codes of descriptions that are given, for tests of what is made of them."""

import numpy as np

from latenthash.benchmark.judging import Half
from latenthash.codes.code import Code, Vectors
from latenthash.codes.similarity import Bootstrap


class Given:
    """A source of descriptions that are given."""

    key = "given"
    side = None
    trim = False
    kind = np.float32
    lengths: tuple[int, ...] = ()

    def __init__(self, dimensions: int = 16) -> None:
        self.dimensions = dimensions

    def describe(self, views: object) -> Vectors:  # noqa: D102
        raise AssertionError("nothing is described here")


def same(x: Vectors) -> Vectors:
    return x


PLAIN = Code("plain", Given(), 4, same, same, 1.0)
FIRST, LAST = range(6), range(6, 12)


def described(rng: np.random.Generator, pictures: int, edits: int, noise: float) -> Vectors:
    own = rng.normal(size=(pictures, 1, 16))
    x = own + noise * rng.normal(size=(pictures, 1 + edits, 16))
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


def half(*numbers: int, group: list[int] | None = None, resamples: int = 50) -> Half:
    labels = np.array(numbers if group is None else group)
    return Half(np.array(numbers), labels, Bootstrap(len(numbers), resamples, (numbers[0],)))
