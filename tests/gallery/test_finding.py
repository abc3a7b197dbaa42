"""What is found of each query, and what is said of it."""

import numpy as np
import pytest

from galleries import TAG, chain, entries
from latenthash.errors import InputError
from latenthash.gallery.engines import NumpyEngine
from latenthash.gallery.finding import COLUMNS, NO_DETAIL, Limit, Query, as_table, find
from latenthash.gallery.impostors import Impostors

COUNTS = np.zeros(257, np.int64)
COUNTS[60:180] = 1000
IMPOSTORS = Impostors(TAG.hex(), 400, 79_800, COUNTS, "drawn")


def test_rows_say_what_was_found() -> None:
    codes = chain(np.random.default_rng(0), [2, 3, 100])
    among = entries(codes, np.array([True, True, True, False]))
    limit = Limit.choose(among, None, 0.01, 4)
    queries = [
        Query("a", codes[0].tobytes()),
        Query("b", None),
        Query("c", codes[3].tobytes()),
        Query("d", None, "cannot be read"),
    ]
    found = list(find(among, NumpyEngine(among), limit, queries))
    assert found == [
        ("a", "f00000.png", 0, "", "not measured"),
        ("a", "f00001.png", 2, "", "not measured"),
        ("b", "", "", "", NO_DETAIL),
        ("c", "", "", "", "nothing within 4 bits"),
        ("d", "", "", "", "cannot be read"),
    ]
    assert list(as_table(found).columns) == list(COLUMNS)


def test_queries_are_taken_as_they_come() -> None:
    codes = chain(np.random.default_rng(1), [])
    among = entries(codes)
    taken = 0

    def queries() -> object:
        nonlocal taken
        for i in range(1000):
            taken += 1
            yield Query(str(i), codes[0].tobytes())

    found = find(among, NumpyEngine(among), Limit(0, 1, None), queries())  # type: ignore[arg-type]
    next(found)
    assert taken < 100
    assert sum(1 for _ in found) == 999


def test_distance_follows_the_size_of_the_gallery() -> None:
    few, many = (entries(np.zeros((n, 32), np.uint8)) for n in (10, 10_000))
    limits = [Limit.choose(among, IMPOSTORS, 0.01) for among in (few, many)]
    assert limits[0].distance > limits[1].distance
    for limit in limits:
        expected = limit.false_matches(limit.distance)
        assert expected is not None and expected <= 0.01
    assert limits[0].false_matches(0) == pytest.approx(IMPOSTORS.rates[0] * 10)


def test_words_follow_what_is_expected() -> None:
    limit = Limit(40, 10**6, IMPOSTORS)
    at = {
        verdict: [d for d in range(257) if limit.meaning(d).startswith(verdict)]
        for verdict in ("the same picture", "probably the same", "uncertain")
    }
    assert all(at.values())
    assert [d for part in at.values() for d in part] == list(range(257))
    for d, low, high in (
        (at["the same picture"][-1], 0, 0.01),
        (at["probably the same"][-1], 0.01, 1),
    ):
        expected = limit.false_matches(d)
        assert expected is not None and low < expected <= high
    assert (
        limit.meaning(0) == "the same picture: chance brings one so near in over a billion queries"
    )
    assert limit.meaning(256) == ("uncertain: chance brings up to 1,000,000 so near to a query")


def test_sentence_says_whether_the_rate_was_seen() -> None:
    assert "as measured from 400 pictures (drawn)" in Limit(90, 10, IMPOSTORS).text()
    assert "as extrapolated from 400" in Limit(10, 10, IMPOSTORS).text()
    assert "nobody measured" in Limit(10, 10, None).text()


def test_distance_that_is_given_needs_no_impostors() -> None:
    among = entries(np.zeros((100, 32), np.uint8))
    other = Impostors("0102", 400, 79_800, COUNTS, "drawn")
    assert Limit.choose(among, other, 0.01, 7) == Limit(7, 100, None)
    assert Limit.choose(among, IMPOSTORS, 0.01, 7).impostors is IMPOSTORS


@pytest.mark.parametrize(
    ("impostors", "false_matches", "distance", "reason"),
    [
        (None, 0.01, None, "calibrate=PATH, or name a distance"),
        (IMPOSTORS, 1e-300, None, "no distance is known"),
        (None, 0.01, 257, "from 0 to 256"),
        (None, 0.01, -1, "from 0 to 256"),
        (Impostors("0102", 400, 79_800, COUNTS, "drawn"), 0.01, None, "0102.*5921"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    impostors: Impostors | None, false_matches: float, distance: int | None, reason: str
) -> None:
    among = entries(np.zeros((100, 32), np.uint8))
    with pytest.raises(InputError, match=reason):
        Limit.choose(among, impostors, false_matches, distance)
