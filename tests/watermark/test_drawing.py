"""The drawn lineage: a box for each picture, with its thumbnail where there is one."""

from base64 import b64encode
from pathlib import Path

import pytest
from matplotlib.offsetbox import AnnotationBbox
from skimage.data import astronaut

from figures import drawn
from latenthash.watermark.drawing import draw
from latenthash.watermark.manifest import Parent
from latenthash.watermark.registration import thumbnail
from latenthash.watermark.registry import Registry
from latenthash.watermark.signed import sign
from latenthash.watermark.tracing import trace
from marks import manifest, owner, signed


def test_lineage_is_drawn_with_its_thumbnails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, stranger = owner("Ann"), bytes(range(8))
    shown = b64encode(thumbnail(astronaut())).decode()
    first = sign(manifest(ann, thumbnail=shown), ann)
    parents = [
        Parent(id=first.id.hex(), relation="parentOf"),
        Parent(id=stranger.hex(), relation="componentOf", distance=7),
    ]
    merged = sign(manifest(ann, (1).to_bytes(32), parents=parents, thumbnail="/9j/"), ann)
    last = signed(3, (merged.id,))
    registry = Registry.open_to_append(str(tmp_path / "marks.db"))
    # Of a registry that took what is no picture.
    monkeypatch.setattr("latenthash.watermark.registry.read_thumbnail", lambda _: None)
    for one in (first, merged, last):
        registry.append(one)
    figure = drawn(draw(trace(registry, last.id, [bytes(8)]), registry))
    (axes,) = figure.axes
    texts = [text.get_text() for text in axes.texts]
    assert any(text.startswith(f"{first.id.hex()}\nrow 1, Ann (") for text in texts)
    assert f"{stranger.hex()}\nnot in this registry" in texts
    assert {"1 bit", "part 7 bits"} <= set(texts)
    # Nothing is shown of the stranger, nor of the thumbnail that is no picture.
    assert len([one for one in axes.artists if isinstance(one, AnnotationBbox)]) == 2
    assert figure.get_suptitle() == f"Lineage of {last.id.hex()}: 4 pictures, 1 in conflict"
