"""Peers: bits as their libraries give them, kept together, and named when they are missing."""

from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from latenthash.cache import DiskCache
from latenthash.codes import peers as module
from latenthash.codes.describe import describe
from latenthash.codes.peers import Peer, peers
from latenthash.data.edits.suite import Suite
from photographs import READER, items, photo


def test_peers_are_those_of_their_libraries() -> None:
    import imagehash

    picture = photo(1).pixels
    image = Image.fromarray(picture)
    expected = {
        "ahash-64": imagehash.average_hash(image).hash,
        "dhash-64": imagehash.dhash(image).hash,
        "phash-64": imagehash.phash(image).hash,
        "phash-256": imagehash.phash(image, hash_size=16).hash,
    }
    if find_spec("pdqhash"):
        import pdqhash

        expected["pdq-256"] = pdqhash.compute(picture)[0].astype(bool)
    found, absent = peers()
    assert [code.name for code in found] == list(expected)
    assert len(found) + len(absent) == 5
    for code in found:
        bits = code.source.describe([picture])
        assert set(np.unique(bits)) == {-1, 1}
        np.testing.assert_array_equal(bits[0] > 0, expected[code.name].ravel())
        assert code.size == bits.shape[1] / 8 == int(code.name.split("-")[1]) / 8


def test_peers_share_an_entry_of_bits_and_say_what_each_would(
    suite: Suite, cache: DiskCache
) -> None:
    found = [code.source for code in peers()[0]]
    described = describe(items(2), suite.edits[1:], suite, found, cache, READER)
    assert len(list(cache.folder.glob("??/*"))) == 2, "one of each picture"
    assert set(described) == {source.key for source in found}
    for i, item in enumerate(items(2)):
        pixels = item.read().pixels
        for source in found:
            expected = source.describe([pixels, 255 - pixels])
            np.testing.assert_array_equal(described[source.key][i], expected)
    # An edit more: of bits, those that were not described are told from those that were.
    whole = describe(items(2), suite.edits, suite, found, cache, READER)
    for source in found:
        rows = whole[source.key]
        assert (rows.dtype, rows.shape) == (np.int8, (2, 3, source.dimensions))
        np.testing.assert_array_equal(rows[:, [0, 2]], described[source.key])
        assert set(np.unique(rows)) == {-1, 1}


def test_peer_that_is_new_changes_nothing_of_the_others(suite: Suite, cache: DiskCache) -> None:
    found = [code.source for code in peers()[0]]
    before = describe(items(2), suite.edits, suite, found[1:], cache, READER)
    after = describe(items(2), suite.edits, suite, found, cache, READER)
    assert set(after) - set(before) == {found[0].key}
    for key, rows in before.items():
        np.testing.assert_array_equal(after[key], rows)


def test_peer_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    found, absent = peers()
    assert [code.name for code in absent] == ["pdq-256"]
    assert absent[0].reason == "not installed: pip install 'latenthash[peers]'"
    assert all(code.name != "pdq-256" for code in found)


def test_version_of_the_library_is_part_of_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Peer("x", "imagehash", 1, lambda p: p > 0).key
    monkeypatch.setattr(module, "version", lambda name: "99")
    assert Peer("x", "imagehash", 1, lambda p: p > 0).key != before
