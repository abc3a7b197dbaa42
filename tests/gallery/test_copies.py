"""Groups of the same picture, against every pair compared one by one."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from galleries import chain, entries
from latenthash.data.reading import Reader
from latenthash.gallery import copies
from latenthash.gallery.copies import groups, table
from latenthash.gallery.engines import NumpyEngine
from latenthash.gallery.page import FILES, write_page

READER = Reader(160, 10**6, (255, 255, 255))


def by_hand(codes: np.ndarray, usable: np.ndarray, threshold: int) -> list[tuple[list[int], bool]]:
    """Walk from each row to all that it hangs together with."""
    bits = np.unpackbits(codes, axis=1).astype(int)
    near = (bits[:, None] != bits).sum(-1) <= threshold
    near &= usable[:, None] & usable
    left, found = set(range(len(codes))), []
    while left:
        start = min(left)
        reached, edge = {start}, {start}
        while edge:
            edge = {int(j) for i in edge for j in np.flatnonzero(near[i])} - reached
            reached |= edge
        left -= reached
        if len(reached) > 1:
            rows = sorted(reached)
            found.append((rows, not near[np.ix_(rows, rows)].all()))
    return found


@pytest.mark.parametrize("many", [1, 5, 2**20])
@pytest.mark.parametrize("threshold", [0, 3, 8, 256])
def test_groups_are_those_of_every_pair(
    many: int, threshold: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "MANY", many)
    monkeypatch.setattr(copies, "STEP", 16)
    rng = np.random.default_rng(0)
    codes = np.concatenate(
        [
            rng.integers(0, 256, (60, 32), dtype=np.uint8),
            chain(rng, [3, 3, 3]),  # 0, 3, 6 and 9 bits from the first
            np.repeat(chain(rng, [2]), 3, axis=0),  # equal ones, beside others
        ]
    )
    codes = codes[rng.permutation(len(codes))]
    usable = np.arange(len(codes)) % 9 != 0
    among = entries(codes, usable)
    found = groups(among, NumpyEngine(among), threshold)
    assert [(g.rows.tolist(), g.chain) for g in found] == by_hand(codes, usable, threshold)
    for group in found:
        first = codes[group.rows[0]]
        assert group.distances.tolist() == [
            int(np.unpackbits(codes[row] ^ first).sum()) for row in group.rows
        ]


def test_a_gallery_of_none_or_one_has_no_groups() -> None:
    for n in (0, 1):
        among = entries(np.zeros((n, 32), np.uint8))
        assert groups(among, NumpyEngine(among), 256) == []
        assert len(table(among, [])) == 0


def test_table_says_what_hangs_together() -> None:
    codes = chain(np.random.default_rng(1), [2, 2])
    among = entries(codes)
    shown = table(among, groups(among, NumpyEngine(among), 2))
    assert shown.to_dict("list") == {
        "group": [1, 1, 1],
        "file": list(among.files),
        "distance": [0, 2, 4],
        "chain": ["yes", "yes", "yes"],
    }


def test_every_step_is_shown() -> None:
    among = entries(np.random.default_rng(2).integers(0, 256, (2500, 32), dtype=np.uint8))
    seen: list[int] = []

    def show(steps: object) -> object:
        for step in steps:  # type: ignore[attr-defined]
            seen.append(step)
            yield step

    groups(among, NumpyEngine(among), 10, show)  # type: ignore[arg-type]
    assert seen == [0, 1024, 2048]


def test_page_shows_pictures_and_names_as_text(tmp_path: Path) -> None:
    names = ["<script>alert(1)</script>.png", 'a" onerror="x.png', "gone.png", "bad.png"]
    for name in names[:2]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((400, 300, 3), 90, np.uint8)).save(tmp_path / name)
    (tmp_path / "bad.png").write_bytes(b"nothing")
    codes = np.repeat(chain(np.random.default_rng(3), [1, 1, 1]), 1, axis=0)
    among = entries(codes, files=names, root=str(tmp_path))
    found = groups(among, NumpyEngine(among), 1)
    page = tmp_path / "out" / "duplicates.html"
    write_page(page, among, found, ["Said <b>first</b>."], READER)
    text = page.read_text(encoding="utf-8")
    assert list((tmp_path / "out").iterdir()) == [page]
    assert "<script" not in text and 'onerror="' not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;.png" in text
    assert "Said &lt;b&gt;first&lt;/b&gt;." in text
    assert text.count('src="data:image/jpeg;base64,') == 2 == text.count('loading="lazy"')
    assert "cannot be opened" in text and "is not a picture" in text
    assert "A chain" in text
    assert "http" not in text


def test_page_shows_some_of_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latenthash.gallery.page.GROUPS", 1)
    rng = np.random.default_rng(4)
    codes = np.concatenate([np.repeat(chain(rng, []), 20, axis=0) for _ in range(2)])
    among = entries(codes, root=str(tmp_path))
    found = groups(among, NumpyEngine(among), 0)
    write_page(tmp_path / "p.html", among, found, [], READER)
    text = (tmp_path / "p.html").read_text()
    assert text.count("<figure>") == FILES
    assert f"And {20 - FILES} more." in text and "The first 1 of 2 groups." in text
