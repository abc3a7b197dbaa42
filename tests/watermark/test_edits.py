"""Edits as a file tells of them, which is not trusted."""

import json
from pathlib import Path

import pytest

from latenthash.errors import InputError
from latenthash.watermark.edits import read_edits
from marks import saved

CROP = {"action": "c2pa.cropped", "name": "Crop", "parameters": {"left": 0.25}}


def replay() -> dict[str, object]:
    """What albumentations 2.0.8 tells of a flip and a crop, and of noise that was not added."""
    return {
        "__class_fullname__": "ReplayCompose", "params": None, "applied": True,
        "transforms": [
            {"__class_fullname__": "HorizontalFlip", "p": 1.0, "params": {"shape": [40, 40, 3]},
             "applied": True},
            {"__class_fullname__": "OneOf", "applied": True, "transforms": [
                {"__class_fullname__": "RandomCrop", "p": 1.0, "height": 20,
                 "params": {"crop_coords": [8, 5, 28, 25]}, "applied": True}]},
            {"__class_fullname__": "GaussNoise", "p": 0.0, "params": None, "applied": False},
        ],
    }  # fmt: skip


def test_list_is_read(tmp_path: Path) -> None:
    (edit,) = read_edits(saved(tmp_path / "e.json", json.dumps([CROP]).encode()))
    assert (edit.action, edit.name, edit.parameters) == ("c2pa.cropped", "Crop", {"left": 0.25})


@pytest.mark.parametrize("told", [replay(), {"image": None, "replay": replay()}])
def test_edits_that_albumentations_applied_are_read(tmp_path: Path, told: object) -> None:
    edits = read_edits(saved(tmp_path / "e.json", json.dumps(told).encode()))
    assert [(edit.action, edit.name) for edit in edits] == [
        ("c2pa.orientation", "HorizontalFlip"),
        ("c2pa.cropped", "RandomCrop"),
    ]
    assert edits[1].parameters == {"crop_coords": [8, 5, 28, 25]}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[", "is no JSON"),
        (b"[" * 100 + b"]" * 100, "nested too deeply"),
        (b"3", "is no list"),
        (b"{}", "tells of no edit"),
        (b'[{"action": "c2pa.cropped", "do": 1}]', "do"),
        (b'[{"action": "crop it"}]', "an action as C2PA names them"),
        (b'[{"name": "Crop"}]', "action"),
        (b'[{"action": "c2pa.cropped", "name": "a\\u001b[31m"}]', "a word of 1 to 80 letters"),
        (b'[{"action": "c2pa.cropped", "parameters": {"x": NaN}}]', "no number of JSON"),
        (json.dumps([CROP] * 300).encode(), "at most 256"),
        (b" " * 2**19, "over the limit"),
    ],
)
def test_anything_else_is_refused_in_a_sentence(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        read_edits(saved(tmp_path / "e.json", data))
    assert "e.json" in str(refused.value)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        read_edits(tmp_path / "none.json")
