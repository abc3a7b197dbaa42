"""When a word is an id: chance against what is counted."""

from collections.abc import Iterator
from math import comb

import numpy as np
import pytest

from latenthash.watermark.bch import LENGTH
from latenthash.watermark.carrier import Attempt, Geometry
from latenthash.watermark.codec import chance, decode, known, to_identity, to_word

NOWHERE = Geometry((400, 400), np.eye(3), whole=True)
IDENTITY = bytes(range(8))


def attempt(soft: np.ndarray, pilot: float = 0.0) -> Attempt:
    return Attempt(soft, pilot, NOWHERE, "drawn")


def noise(n: int) -> list[Attempt]:
    rng = np.random.default_rng(0)
    return [attempt(soft) for soft in rng.normal(size=(n, LENGTH))]


def sent(signal: float, seed: int = 0) -> Attempt:
    signs = 2.0 * to_word(IDENTITY) - 1
    return attempt(signal * signs + np.random.default_rng(seed).normal(size=LENGTH))


def test_ids_come_back() -> None:
    for identity in (IDENTITY, b"\0" * 8, b"\xff" * 8):
        assert to_identity(to_word(identity)) == identity


@pytest.mark.parametrize("level", [0.1, 0.2, 0.3])
@pytest.mark.parametrize("law", ["normal", "uniform"])
def test_chance_is_the_share_of_random_signs_that_do_as_well(law: str, level: float) -> None:
    rng = np.random.default_rng(1)
    soft = rng.normal(size=LENGTH) if law == "normal" else rng.uniform(-1, 1, LENGTH)
    signs = rng.choice([-1.0, 1.0], (40_000, LENGTH))
    sums = signs @ np.abs(soft)
    limit = level * np.abs(soft).sum()
    assert chance(soft, limit) / 2.0**64 == pytest.approx((sums >= limit).mean(), rel=0.15)


def test_chance_of_equal_bits_is_the_binomial_tail() -> None:
    # 15 of 127 bits wrong, of equal size: sum over k <= 15 of (127 over k) / 2^127 * 2^64.
    exact = sum(comb(127, k) for k in range(16)) / 2.0**63
    # The continuous approximation lies between the tails with and without the last term.
    without = sum(comb(127, k) for k in range(15)) / 2.0**63
    found = chance(np.ones(LENGTH), 127.0 - 30)
    assert without < found < exact * 1.05


def test_chance_has_ends() -> None:
    ones = np.ones(LENGTH)
    assert chance(ones, 127.0) == 2.0**-63
    assert chance(ones, -5.0) == chance(np.zeros(LENGTH), 0.0) == 2.0**64


def test_first_attempt_beyond_chance_is_taken_and_no_more_are_made() -> None:
    asked = []

    def attempts() -> Iterator[Attempt]:
        for one in [*noise(3), sent(2.0), *noise(1)]:
            asked.append(one)
            yield one

    reading = decode(attempts())
    assert reading.identity == IDENTITY
    assert len(asked) == len(reading.attempts) == 4
    assert reading.attempt is asked[3]
    assert reading.errors == int(((reading.attempt.soft > 0) != to_word(IDENTITY)).sum())
    assert reading.correlation > 0.8


def test_noise_holds_no_id() -> None:
    reading = decode(noise(300))
    assert reading.identity is None
    assert reading.chance > 1e-6
    assert len(reading.attempts) == 300


def test_chance_of_the_best_word_is_how_often_it_is_reached() -> None:
    # Of 2^64 words the best has a chance of c or less in about c of all places without a mark.
    odds = np.array([decode([one]).chance for one in noise(1500)])
    for limit in (0.1, 0.03, 0.01):
        assert 0.3 * limit < (odds <= limit).mean() < 1.5 * limit


def test_where_pilots_show_a_mark_less_is_asked_of_its_word() -> None:
    signs = 2.0 * to_word(IDENTITY) - 1
    draws = [1.3 * signs + np.random.default_rng(k).normal(size=LENGTH) for k in range(60)]
    between = [s for s in draws if 1e-7 < decode([attempt(s)]).chance <= 1e-5]
    assert between
    for soft in between:
        assert decode([attempt(soft, pilot=5.9)]).identity is None
        assert decode([attempt(soft, pilot=6.0)]).identity == IDENTITY
    assert all(decode([attempt(one.soft, pilot=9.0)]).identity is None for one in noise(100))


def test_nothing_at_all_holds_no_id() -> None:
    reading = decode([attempt(np.zeros(LENGTH))])
    assert reading.identity is None
    assert known(reading.attempts, [IDENTITY]) == 0


def test_known_id_stands_out_where_decoding_fails() -> None:
    others = [bytes([k]) * 8 for k in range(100)]
    weak = [*noise(2), sent(0.7, seed=3)]
    assert decode(weak).identity is None
    scores = known(weak, [IDENTITY, *others])
    assert scores[0] > 5
    assert scores[1:].max() < 5
