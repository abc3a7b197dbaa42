"""A gallery of many files, whose network ONNX Runtime runs: the codes are torch's."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from latenthash.cache import DiskCache
from latenthash.gallery import adding
from latenthash.gallery.gallery import Gallery
from latenthash.jobs.load import load
from latenthash.models.components.code_network import CodeNetwork
from photographs import save_photos

COUNT = 12
NEEDED = ("onnx", "onnxscript", "onnxruntime")
MOST = 2  # bits whose number is so near to zero that rounding decides


@pytest.mark.slow  # the network is exported
@pytest.mark.skipif(not all(map(find_spec, NEEDED)), reason="an extra that is not installed")
def test_many_files_get_the_codes_of_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_photos(tmp_path, COUNT)
    cache = DiskCache(folder=str(tmp_path / "cache"), max_bytes=10**9)
    few, many = Gallery.open(tmp_path / "few"), Gallery.open(tmp_path / "many")
    assert few.add(load("code"), tmp_path / "photos", cache=cache).added == COUNT
    monkeypatch.setattr(adding, "MANY", 1)
    code, asked = load("code"), []
    hasten = CodeNetwork.hasten
    monkeypatch.setattr(
        CodeNetwork, "hasten", lambda self, kept: (asked.append(kept), hasten(self, kept))
    )
    assert many.add(code, tmp_path / "photos", cache=cache).added == COUNT
    assert asked == [cache]
    ours, theirs = few.entries(), many.entries()
    assert list(ours.files) == list(theirs.files) and ours.usable.all()
    far = np.bitwise_count(ours.codes ^ theirs.codes).sum(1)
    assert far.max() <= MOST
