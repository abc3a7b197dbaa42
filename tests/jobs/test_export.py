"""The command that exports a code: two files that agree with what ships, or a sentence and none."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from golden import golden
from skimage.data import data_dir

import latenthash
from app import call
from latenthash.codes.port import DRAWN, drawn
from latenthash.data.reduction import reduced
from latenthash.features.onnx_runtime import NEEDED
from latenthash.jobs import export

MOST = 2  # of 256 bits that may differ
installed = pytest.mark.skipif(
    not all(map(find_spec, NEEDED)), reason="an extra that is not installed"
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    done = call("evaluate.py", folder, "run=code", "export=in/my code.onnx")
    assert done.code == 0, done.output
    return folder / "in"


def far(first: bytes, second: bytes) -> int:
    return (int.from_bytes(first) ^ int.from_bytes(second)).bit_count()


@installed
def test_files_are_the_code_that_ships(exported: Path) -> None:
    import onnxruntime

    assert sorted(path.name for path in exported.iterdir()) == ["my code.json", "my code.onnx"]
    said = json.loads((exported / "my code.json").read_text(encoding="utf-8"))
    assert (said["tag"], said["side"], said["trim"]) == ("5921", 192, False)
    rows = said["pictures"]
    kept = {name: np.packbits(bits).tobytes() for name, bits in golden().items()}
    codes = {Path(row["file"]).stem: row["code"] for row in rows if "file" in row}
    assert len(set(codes) & set(kept)) > 15
    for name in set(codes) & set(kept):
        assert far(bytes.fromhex(codes[name]), kept[name]) <= MOST
    session = onnxruntime.InferenceSession(str(exported / "my code.onnx"))
    code = latenthash.load("code")
    for row, shape in zip(rows[: len(DRAWN)], DRAWN, strict=True):
        assert tuple(row["drawn"].values()) == shape
        ours = code.hash(drawn(*shape))
        assert row["detail"] == ours.detail
        if not ours.detail:
            assert row["code"] is None
            continue
        bits, _ = session.run(None, {"views": reduced(drawn(*shape), 192, False)[None]})
        assert bits.tobytes().hex() == row["code"]
        assert far(bits.tobytes(), ours.packed) <= MOST
    photo = code.hash(Path(data_dir, "chelsea.png"))
    assert far(bytes.fromhex(codes["chelsea"]), photo.packed) <= MOST


@installed
def test_nothing_is_written_over(exported: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in exported.iterdir()}
    done = call("evaluate.py", exported, "run=code", "export=my code.onnx")
    assert done.code == 2
    assert "exists already: move it away, or name another file" in " ".join(done.output.split())
    assert {path: path.read_bytes() for path in before} == before
    (tmp_path / "b.json").write_text("mine")
    done = call("evaluate.py", tmp_path, "run=code", "export=b.onnx")
    assert (done.code, (tmp_path / "b.json").read_text()) == (2, "mine")
    assert "remove it if b.onnx, which is not there, was" in " ".join(done.output.split())
    assert not (tmp_path / "b.onnx").exists()


def test_file_that_cannot_be_meant_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = call("evaluate.py", tmp_path, "run=code", "export=code.pt")
    assert done.code == 2
    assert "export=code.pt must end with .onnx" in " ".join(done.output.split())
    monkeypatch.setattr(export, "is_installed", lambda: False)
    done = call("evaluate.py", tmp_path, "run=code", "export=code.onnx")
    assert done.code == 2
    assert "pip install 'latenthash[onnx]'" in " ".join(done.output.split())
    assert not list(tmp_path.glob("code.*"))
