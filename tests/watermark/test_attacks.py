"""Attacks: each does to two pictures what it says."""

from typing import cast

import numpy as np
import pytest
from skimage.data import astronaut

from latenthash.data.reading import Pixels
from latenthash.data.samples.sets import embedded
from latenthash.library.code import Code
from latenthash.watermark.attacks import (
    Attack,
    CopyAttack,
    Erase,
    Overwrite,
    Recode,
    ResidualPaste,
    Scene,
    SecondKey,
    TileEstimate,
)
from latenthash.watermark.codec import decode, to_word
from latenthash.watermark.similarity import psnr
from latenthash.watermark.tiled import Tiled

ID, THIEF = bytes(range(8)), bytes(range(8, 16))
CARRIER = Tiled("latenthash", 40.5, 0.97)


def read(pixels: Pixels, carrier: Tiled = CARRIER) -> bytes | None:
    return decode(carrier.read(pixels)).identity


@pytest.fixture(scope="module")
def scene() -> Scene:
    original = np.ascontiguousarray(astronaut())
    (other, *_) = embedded("photos_a")
    marked = CARRIER.embed(original, to_word(ID))
    return Scene(original, marked, other.pixels, ID, THIEF, CARRIER, cast(Code, None))


@pytest.mark.parametrize(
    ("attack", "least"), [(Recode(), 40), (ResidualPaste(), 38), (TileEstimate(38), 37.5)]
)
def test_mark_is_copied_onto_another_picture(scene: Scene, attack: Attack, least: float) -> None:
    shown = attack.apply(scene)
    assert attack.shows == "other"
    assert shown.shape == scene.other.shape
    assert psnr(scene.other, shown) > least
    assert read(shown) == ID


def test_copy_attack_adds_what_a_filter_takes_off(scene: Scene) -> None:
    once, twice = (CopyAttack(strength, 20).apply(scene) for strength in (1, 2))
    # Twice the change is 6 dB, but for what is rounded and cut off.
    away = psnr(scene.other, once) - psnr(scene.other, twice)
    assert away == pytest.approx(20 * np.log10(2), abs=0.6)
    # Where nothing is added, the filter has nothing to take off.
    flat = np.full((256, 256, 3), 90, np.uint8)
    nothing = Scene(flat, flat, scene.other, ID, THIEF, CARRIER, cast(Code, None))
    np.testing.assert_array_equal(CopyAttack(1, 20).apply(nothing), scene.other)


def test_thief_overwrites(scene: Scene) -> None:
    shown = Overwrite().apply(scene)
    assert read(shown) == THIEF
    assert psnr(scene.original, shown) > 36


def test_mark_is_erased(scene: Scene) -> None:
    shown = Erase().apply(scene)
    assert read(shown) is None
    assert psnr(scene.original, shown) > psnr(scene.original, scene.marked)


def test_marks_of_two_keys_live_side_by_side(scene: Scene) -> None:
    shown = SecondKey("another", 40.5, 0.97).apply(scene)
    assert read(shown, Tiled("another", 40.5, 0.97)) == THIEF
    assert read(shown) == ID
