"""The code against its definition, and the decoder against what was sent."""

import numpy as np

from latenthash.watermark.bch import (
    BASIS,
    ERRORS,
    EXP,
    GENERATOR,
    LENGTH,
    PAYLOAD,
    encode,
    nearest,
    payload_of,
)


def remainder(word: np.ndarray) -> np.ndarray:
    """Divide by the generator as on paper."""
    rest = word.copy()
    for i in range(LENGTH - 1, len(GENERATOR) - 2, -1):
        if rest[i]:
            rest[i - len(GENERATOR) + 1 : i + 1] ^= GENERATOR
    return rest


def times(a: int, b: int) -> int:
    """Multiply in GF(2^7) bit by bit, without tables."""
    product = 0
    for k in range(7):
        product ^= (a << k) * (b >> k & 1)
    for k in range(12, 6, -1):
        product ^= (0b10001001 << (k - 7)) * (product >> k & 1)
    return product


def value(word: np.ndarray, point: int) -> int:
    total = 0
    for bit in word[::-1]:
        total = times(total, point) ^ int(bit)
    return total


def payloads(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2, (n, PAYLOAD)).astype(np.uint8)


def test_every_element_is_a_power() -> None:
    assert sorted(EXP) == list(range(1, 128))
    assert all(times(int(EXP[i]), 2) == EXP[(i + 1) % LENGTH] for i in range(LENGTH))


def test_words_are_zero_at_the_first_twenty_powers() -> None:
    powers = [int(EXP[i]) for i in range(1, 2 * ERRORS + 1)]
    for payload in payloads(5):
        assert [value(encode(payload), power) for power in powers] == [0] * 20
    assert PAYLOAD == 64
    assert value(GENERATOR, int(EXP[21])) != 0


def test_words_are_multiples_of_the_generator_and_hold_their_payload() -> None:
    for payload in [*payloads(50), np.ones(PAYLOAD, np.uint8), np.zeros(PAYLOAD, np.uint8)]:
        word = encode(payload)
        assert not remainder(word).any()
        assert (payload_of(word) == payload).all()


def test_turned_round_words_are_words() -> None:
    for payload in payloads(5):
        assert not remainder(np.roll(encode(payload), 17)).any()


def test_words_differ_in_21_bits_or_more() -> None:
    # Sums of up to three rows of the basis, and many random ones.
    pairs = BASIS[:, None] ^ BASIS
    weights = [BASIS.sum(1), pairs.sum(2)[np.triu_indices(PAYLOAD, 1)]]
    weights += [(pairs ^ row).sum(2).ravel() for row in BASIS[::8]]
    weights.append((payloads(2000) @ BASIS % 2).sum(1))
    everything = np.concatenate(weights)
    assert everything[everything > 3].min() >= 2 * ERRORS + 1
    # What is lighter is nothing at all, or a row twice over.
    assert set(np.unique(everything[everything < 21])) <= {0}


def test_ten_errors_in_the_less_sure_half_are_corrected() -> None:
    rng = np.random.default_rng(1)
    for payload in payloads(200):
        word = encode(payload)
        size = rng.uniform(0.2, 1, LENGTH)
        wrong = rng.choice(np.argsort(size)[:63], ERRORS, replace=False)
        signs = 2.0 * word - 1
        signs[wrong] *= -1
        assert (nearest(signs * size) == word).all()


def test_found_word_is_as_near_as_the_one_sent() -> None:
    # About 12 of 127 bits are wrong: more than ten, in half of all words.
    rng = np.random.default_rng(2)
    worse = right = 0
    for payload in payloads(200):
        signs = 2.0 * encode(payload) - 1
        soft = 1.3 * signs + rng.normal(size=LENGTH)
        found = nearest(soft)
        assert not remainder(found).any()
        worse += ((2.0 * found - 1) @ soft) < (signs @ soft) - 1e-9
        right += bool((found == encode(payload)).all())
    assert worse <= 12
    assert right >= 190


def test_soft_bits_of_nothing_give_some_word() -> None:
    assert not remainder(nearest(np.zeros(LENGTH))).any()
