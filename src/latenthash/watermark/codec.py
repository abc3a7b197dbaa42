"""From ids to the words that carriers hide, and back: what is an id, and what is chance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from latenthash.watermark.bch import LENGTH, PAYLOAD, Bits, encode, nearest, payload_of
from latenthash.watermark.carrier import Attempt, Soft

BYTES = PAYLOAD // 8  # of an id
# Of an attempt: wrong words that would correlate as well as the one accepted.
MOST_CHANCE = 1e-7
# Where the pilots alone prove that there is a mark; in 1,000 places without one they reached 5.
PILOT, MOST_CHANCE_THERE = 6.0, 1e-5


@dataclass(frozen=True)
class Reading:
    """What was read in a picture.

    Attributes:
        identity: 8 bytes; None where no attempt is beyond chance.
        word: (127,) the most likely one.
        correlation: of word and soft bits, 0 to 1.
        errors: bits of the word that were read the other way.
        chance: how many of all words would correlate as well if there were no mark.
        attempt: the one that the word was read in.
        attempts: all that were made.
    """

    identity: bytes | None
    word: Bits
    correlation: float
    errors: int
    chance: float
    attempt: Attempt
    attempts: Sequence[Attempt]


def to_word(identity: bytes) -> Bits:
    """Return the word (127,) of an id of 8 bytes."""
    return encode(np.unpackbits(np.frombuffer(identity, np.uint8)))


def to_identity(word: Bits) -> bytes:
    """Return the id of a word (127,)."""
    return np.packbits(payload_of(word)).tobytes()


def decode(attempts: Iterable[Attempt]) -> Reading:
    """Take attempts until one holds an id beyond chance.

    Args:
        attempts: of a carrier, one at least.
    """
    made: list[Attempt] = []
    best: Reading | None = None
    for attempt in attempts:
        made.append(attempt)
        word = nearest(attempt.soft)
        product = (2.0 * word - 1) * attempt.soft
        length = float(np.linalg.norm(attempt.soft)) or 1.0
        odds = chance(attempt.soft, float(product.sum()))
        if best is None or odds < best.chance:
            most = MOST_CHANCE if attempt.pilot < PILOT else MOST_CHANCE_THERE
            identity = to_identity(word) if odds <= most else None
            correlation = float(product.sum()) / length / np.sqrt(LENGTH)
            errors = int((product < 0).sum())
            best = Reading(identity, word, correlation, errors, odds, attempt, made)
        if best.identity is not None:
            break
    assert best is not None
    return best


def chance(soft: Soft, correlation: float) -> float:
    """Return how many of all 2^64 words would correlate as well with soft bits of no mark.

    The signs of the pattern are drawn from a key, so without a mark each soft bit is as likely to
    be positive as negative, whatever the picture; a word then correlates as the sum of the sizes
    with random signs does. Its tail is Lugannani and Rice's saddlepoint approximation (1980, Adv.
    Applied Probability 12). A bound for any decoder.

    Args:
        soft: (127,).
        correlation: the sum of the soft bits with the word's signs.
    """
    size = np.abs(soft)
    total = float(size.sum())
    if total == 0 or correlation <= 0:
        return 2.0**PAYLOAD
    if correlation >= total * (1 - 1e-9):  # all signs agree
        return 2.0 ** (PAYLOAD - LENGTH)
    size, level = size / total, correlation / total
    tilt = _tilt(size, level)
    cumulant = float(np.logaddexp(tilt * size, -tilt * size).sum() - LENGTH * np.log(2))
    curvature = float((size**2 / np.cosh(np.minimum(tilt * size, 300)) ** 2).sum())
    root = np.sqrt(2 * max(tilt * level - cumulant, 1e-12))
    ratio = tilt * np.sqrt(curvature)
    log_tail = log_ndtr(-root)
    log_density = -(root**2) / 2 - np.log(2 * np.pi) / 2
    correction = np.exp(log_density - log_tail) * (1 / ratio - 1 / root)
    return float(np.exp(PAYLOAD * np.log(2) + log_tail) * max(1 + correction, 1e-3))


def _tilt(size: NDArray[np.float64], level: float) -> float:
    """Solve sum(size tanh(tilt size)) = level by halving."""
    low, high = 0.0, 1.0
    while float((size * np.tanh(high * size)).sum()) < level:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        if float((size * np.tanh(middle * size)).sum()) < level:
            low = middle
        else:
            high = middle
    return high


def known(attempts: Sequence[Attempt], identities: Sequence[bytes]) -> NDArray[np.float64]:
    """Say how far each known id stands out in what was read, where decoding alone failed.

    Args:
        attempts: of one picture, A.
        identities: N ids.

    Returns:
        (N,) the most of the attempts, each about N(0, 1) where the id is not there.
    """
    soft = np.stack([attempt.soft for attempt in attempts])
    length = np.linalg.norm(soft, axis=1, keepdims=True)
    words = np.stack([to_word(identity) for identity in identities])
    scores = (2.0 * words - 1) @ (soft / np.maximum(length, 1e-12)).T
    most: NDArray[np.float64] = scores.max(1)
    return most
