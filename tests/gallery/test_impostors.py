"""The distance for a rate of false matches: counted by hand, and bounds that hold."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from galleries import TAG, flipped
from latenthash.errors import InputError
from latenthash.gallery.impostors import DECIDING, FEWEST, FILE, Impostors, measure, pair_counts


def drawn(pictures: int, bits: int, seed: int = 0, edits: int = 1) -> np.ndarray:
    """Codes whose distances are 256 / bits times those of so many fair bits."""
    rng = np.random.default_rng(seed)
    few = rng.integers(0, 2, (pictures, bits)).astype(bool)
    own = np.packbits(np.repeat(few, 256 // bits, axis=1), axis=1)
    return np.repeat(own[:, None], 1 + edits, axis=1)


def test_pairs_are_counted_at_their_distance() -> None:
    code = np.zeros(32, np.uint8)
    bits = np.stack(
        [
            [code, flipped(code, [0])],
            [flipped(code, [0, 1, 2]), flipped(code, [0, 1, 2, 3, 4])],
            [flipped(code, range(100)), flipped(code, range(100))],
        ]
    )
    wanted = np.array([[0, 1, 0], [1, 0, 0], [1, 0, 0]], np.bool_)
    counts = pair_counts(bits[:, 1:], bits[:, 0], wanted)
    assert {int(d): int(counts[d]) for d in np.flatnonzero(counts)} == {2: 1, 5: 1, 100: 1}


def test_pictures_of_one_group_are_no_impostors() -> None:
    bits = drawn(60, 64)
    bits[1] = bits[0]  # nearly the same
    group = np.arange(60)
    assert measure(TAG, bits, group, "drawn").counts[0] == 2
    group[1] = 0
    found = measure(TAG, bits, group, "drawn")
    assert found.counts[0] == 0 and found.pairs == 60 * 59 // 2 - 1


def test_bounds_are_those_of_clopper_and_pearson_where_there_are_pairs() -> None:
    found = measure(TAG, drawn(200, 64), np.arange(200), "drawn")
    start, _ = found.tail
    shares = found.counts.cumsum() / found.counts.sum()
    for distance in (start, 100, 128):
        near = round(shares[distance] * found.pairs)
        # Two-sided at .90 has .95 above.
        wanted = binomtest(near, found.pairs).proportion_ci(0.9, "exact").high
        assert found.rates[distance] == pytest.approx(wanted)
    assert found.counts[: start + 1].sum() / 2 >= DECIDING


@pytest.mark.parametrize("bits", [128, 256])
def test_tail_beyond_the_pairs_is_no_less_than_that_of_fair_bits(bits: int) -> None:
    found = [measure(TAG, drawn(150, bits, seed), np.arange(150), "drawn") for seed in range(5)]
    truth = binom.cdf(np.arange(257) * bits // 256, bits, 0.5)
    for one in found:
        told = (truth > 1e-20) & (truth < 1e-4)  # of 11,175 pairs, one has 9e-5
        assert (one.rates[told] >= truth[told]).all()
        assert (np.diff(one.rates) >= 0).all() and one.rates[-1] == 1
        # And it is of use: it falls far below what so few pairs say by themselves.
        assert one.rates[0] < 1e-9 < 3 / one.pairs == one.supported


def test_near_pairs_that_were_seen_are_never_extrapolated_away() -> None:
    bits = drawn(150, 256)
    bits[1, 0] = flipped(bits[0, 0], [5])
    found = measure(TAG, bits, np.arange(150), "drawn")
    assert found.rates[0] == 0 or found.rates[0] < 1e-9
    assert found.rates[1] >= 1 / (150 * 149)


def test_limit_is_the_largest_distance_with_so_few_false_matches() -> None:
    found = measure(TAG, drawn(200, 128), np.arange(200), "drawn")
    for size in (100, 10**6):
        for false_matches in (0.01, 1.0):
            limit = found.limit(false_matches, size)
            assert found.expected(limit, size) <= false_matches
            assert found.expected(limit + 1, size) > false_matches
    assert found.limit(0.01, 10**6) < found.limit(0.01, 100) < found.limit(1, 100)
    assert found.limit(1e-300, 10**6) == -1
    assert found.limit(1, 0) == 256


def test_few_pictures_say_too_little() -> None:
    with pytest.raises(InputError, match=f"give {FEWEST} or more"):
        measure(TAG, drawn(FEWEST - 1, 64), np.arange(FEWEST - 1), "drawn")
    with pytest.raises(InputError, match="too little"):
        measure(TAG, drawn(FEWEST, 64), np.zeros(FEWEST), "all of one group")
    found = measure(TAG, drawn(FEWEST, 64), np.arange(FEWEST), "drawn")
    assert found.limit(0.01, 10**6) < measure(TAG, drawn(300, 64), np.arange(300), "").limit(
        0.01, 10**6
    )


def test_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert Impostors.read(tmp_path) is None
    found = measure(TAG, drawn(50, 64), np.arange(50), "drawn")
    found.write(tmp_path)
    read = Impostors.read(tmp_path)
    assert read is not None
    assert (read.tag, read.pictures, read.pairs, read.of) == ("5921", 50, 1225, "drawn")
    assert (read.counts == found.counts).all()


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"tag": "zz"},
        {"tag": 5921},
        {"distances": {"257": 1}},
        {"distances": {"-1": 1}},
        {"distances": {"\u0662": 2**60}},
        {"distances": {"1": 2**60}},
        {"distances": {"1": 1.5}},
        {"distances": {}},
        {"distances": [1]},
        {"pictures": 3},
        {"pairs": 0},
        {"pairs": 10**9},
        {"pairs": True},
        {"of": 3},
    ],
)
def test_damage_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    measure(TAG, drawn(50, 64), np.arange(50), "drawn").write(tmp_path)
    values = json.loads((tmp_path / FILE).read_text()) | change
    (tmp_path / FILE).write_text(json.dumps(values))
    with pytest.raises(InputError, match=r"impostors\.json cannot be used: .*calibrate=PATH"):
        Impostors.read(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 10**5])
def test_anything_else_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InputError, match="cannot be used"):
        Impostors.read(tmp_path)


def test_another_network_is_refused_by_name() -> None:
    found = measure(TAG, drawn(50, 64), np.arange(50), "drawn")
    found.refuse_other(TAG, "this gallery")
    with pytest.raises(InputError, match=r"5921.* 0102"):
        found.refuse_other(b"\x01\x02", "this gallery")
