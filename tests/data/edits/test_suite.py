"""The benchmark's edits: what they do to any picture, and that they never drift unseen."""

import inspect
import io
import pickle
from functools import cache
from hashlib import sha256
from itertools import groupby, pairwise
from typing import Any

import albumentations as A
import numpy as np
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf
from PIL import Image

from editing import applied
from latenthash.data.edits.basic import Compression, Crop, Vignette
from latenthash.data.edits.fixed_overlays import Captions, Lines, Screenshot, Stickers, Watermark
from latenthash.data.edits.suite import Suite, SuiteEdit, edit_seed
from latenthash.data.reading import Pixels
from latenthash.errors import InputError
from project import CONF

CONFIG = CONF / "benchmark" / "edits_v1.yaml"
DIGEST = "0123456789abcdef" * 4


def build() -> Suite:
    suite: Suite = instantiate(OmegaConf.load(CONFIG))
    return suite


@cache
def shared() -> Suite:
    return build()


NAMES = [edit.name for edit in shared().edits]


def drawn(height: int, width: int) -> Pixels:
    """Draw waves in each channel, in whole numbers alone: the same bytes on any machine."""
    down, across = np.indices((height, width))
    planes = (7 * down + 3 * across, 5 * across + down * across // 16, 2 * down + 11 * across)
    waves = np.abs(np.stack(planes, 2) % 510 - 255)
    return waves.astype(np.uint8)


def edited(name: str, pixels: Pixels, digest: str = DIGEST) -> Pixels:
    (edit,) = (edit for edit in shared().edits if edit.name == name)
    return edit.apply(pixels, digest)


# The suite as a whole


def test_it_has_many_edits_with_names_of_their_own() -> None:
    assert len(NAMES) == len(set(NAMES)) >= 40
    families = {edit.family for edit in shared().edits}
    assert not {e.name for e in shared().edits if e.family != e.name} & families


def test_strengths_rise_or_fall_within_a_family() -> None:
    for _, members in groupby(shared().edits, lambda edit: edit.family):
        strengths = [edit.strength for edit in members]
        if None in strengths:
            assert set(strengths) == {None}
            continue
        steps = [
            after - before for before, after in pairwise(s for s in strengths if s is not None)
        ]
        assert all(step > 0 for step in steps) or all(step < 0 for step in steps)


def test_every_scale_has_a_unit() -> None:
    for edit in shared().edits:
        assert bool(edit.unit) == (edit.strength is not None), edit.name
    families = {"any": {"flip": {"edit": A.HorizontalFlip(p=1.0)}}}
    with pytest.raises(InputError, match="units: there is no family other"):
        Suite("v", families, {"other": "px"})


@pytest.mark.parametrize(
    ("height", "width"), [(160, 120), (120, 160), (128, 128), (16, 16), (8, 8), (8, 100), (100, 8)]
)
def test_every_edit_takes_any_picture_and_leaves_it_as_it_was(height: int, width: int) -> None:
    for pixels in (drawn(height, width), drawn(height, width)[..., :1].repeat(3, 2)):
        before = pixels.copy()
        pixels.setflags(write=False)  # as the reader gives them
        for edit in shared().edits:
            out = edit.apply(pixels, DIGEST)
            assert out.dtype == np.uint8, edit.name
            assert out.ndim == 3 and out.shape[2] == 3 and out.size > 0, edit.name
            assert out.flags.c_contiguous and out.flags.writeable, edit.name
        np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("name", NAMES)
def test_every_edit_changes_the_picture(name: str) -> None:
    pixels = drawn(120, 160)
    out = edited(name, pixels)
    assert out.shape != pixels.shape or (out != pixels).mean() > 0.02


SIZES = {  # (height, width) that 120 x 160 becomes, where it changes
    "reduce_50": (60, 80),
    "reduce_25": (30, 40),
    "enlarge_200": (240, 320),
    "crop_centre_95": (117, 156),
    "crop_centre_80": (107, 143),
    "crop_centre_50": (85, 113),
    "crop_random_90": (114, 152),
    "crop_random_70": (100, 134),
    "rotation_inscribed_2": (115, 157),
    "rotation_inscribed_10": (97, 145),
    "quarter_turn": (160, 120),
    "padding_5": (132, 176),
    "letterbox_17": (160, 160),
    "captions_20": (168, 160),
    "screenshot": (180, 186),
    "social_media": (57, 76),
    "hidden_copy": (93, 124),
}


def test_sizes_stay_what_they_are() -> None:
    pixels = drawn(120, 160)
    sizes = {name: edited(name, pixels).shape[:2] for name in NAMES}
    assert {name: size for name, size in sizes.items() if size != (120, 160)} == SIZES


# Same arguments, same bytes


def outputs(suite: Suite, edits: list[SuiteEdit], digest: str = DIGEST) -> dict[str, bytes]:
    pixels = drawn(60, 80)
    return {edit.name: edit.apply(pixels, digest).tobytes() for edit in edits}


def test_results_do_not_depend_on_order_object_or_process() -> None:
    expected = outputs(shared(), list(shared().edits))
    fresh = build()
    assert outputs(fresh, list(reversed(fresh.edits))) == expected
    copied: Suite = pickle.loads(pickle.dumps(fresh))  # as workers get it
    assert outputs(copied, list(copied.edits)) == expected
    alone = outputs(fresh, list(fresh.chosen(["crop_random", "noise_15"])))
    assert alone.items() <= expected.items()


def test_every_picture_gets_its_own_draw() -> None:
    one = outputs(shared(), list(shared().edits))
    other = outputs(shared(), list(shared().edits), digest="f" * 64)
    differing = {name for name in NAMES if one[name] != other[name]}
    assert differing == {
        "crop_random_90", "crop_random_70", "perspective_2", "perspective_5",
        "noise_5", "noise_15", "salt_and_pepper_5", "stickers_4", "erasing_10", "erasing_25",
        "hidden_copy", "photo_of_screen",
    }  # fmt: skip


def test_seeds_are_pinned() -> None:
    assert edit_seed("edits_v1", "jpeg_90", DIGEST) == 0xF483990B


PINNED = {  # sha256 of the bytes; edits that need neither a codec, a font nor interpolation
    "crop_centre_80": "c8acdace3bbda0d9",
    "crop_random_70": "8f3c985e5187e028",
    "quarter_turn": "62ccc1e513d7764c",
    "flip_horizontal": "9f8d52f1c78f7180",
    "flip_vertical": "b157bcd92fd59a21",
    "inversion": "79af15897b8045d3",
    "vignette_80": "783a4a4d6f8441ce",
    "erasing_10": "517bbfef26d12a55",
    "erasing_25": "3d2dac7f1fda944f",
    "padding_5": "c028e83a13c296cc",
    "letterbox_17": "5d9b3401db7b5f62",
}


def test_bytes_are_pinned() -> None:
    assert sha256(drawn(120, 160).tobytes()).hexdigest()[:16] == "a58196fca2772631"
    pixels = drawn(120, 160)
    found = {name: sha256(edited(name, pixels).tobytes()).hexdigest()[:16] for name in PINNED}
    assert found == PINNED


QUARTERS = {  # mean of the upper left, upper right, lower left, lower right quarter
    "jpeg_10": (60, 146, 99, 185),
    "webp_20": (61, 145, 100, 184),
    "enlarge_200": (60, 145, 100, 184),
    "rotation_30": (64, 141, 78, 125),
    "perspective_5": (60, 151, 95, 173),
    "noise_15": (63, 145, 101, 182),
    "gamma_180": (23, 97, 52, 145),
    "text_line": (60, 145, 100, 178),
    "text_large": (73, 126, 96, 149),
    "stickers_4": (60, 141, 104, 180),
    "watermark_40": (61, 140, 98, 178),
    "captions_20": (110, 171, 137, 197),
    "screenshot": (136, 189, 162, 214),
    "social_media": (61, 146, 100, 184),
    "hidden_copy": (63, 147, 118, 187),
    "photo_of_screen": (39, 116, 74, 155),
}


def quarters(pixels: Pixels) -> list[float]:
    halves = np.array_split(pixels, 2, axis=0)
    return [float(part.mean()) for half in halves for part in np.array_split(half, 2, axis=1)]


@pytest.mark.parametrize("name", QUARTERS)
def test_what_libraries_may_round_is_pinned_roughly(name: str) -> None:
    # A step, so that no two quarters are alike.
    pixels = drawn(120, 160) // 2
    pixels[60:] += 40
    pixels[:, 80:] += 80
    assert quarters(edited(name, pixels)) == pytest.approx(QUARTERS[name], abs=2)


def test_digest_is_pinned() -> None:
    # Changed on purpose? Then the suite is another one: give it a new version.
    assert shared().digest[:16] == "2b0a95eba0563faf"


def test_digest_knows_every_argument() -> None:
    for edit in shared().edits:
        for step in edit.transform:
            arguments = set(inspect.signature(type(step).__init__).parameters) - {"self"}
            assert arguments <= set(step.to_dict()["transform"]), edit.name


def test_digest_stays_when_an_edit_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(Crop):
        """An edit that the first digests did not know."""

    digests = set()
    for module in ("latenthash.data.edits.here", "latenthash.data.edits.there"):
        monkeypatch.setattr(Later, "__module__", module)
        edit = {"edit": Later(0.5, "centre")}
        digests.add(Suite("a", {"crop": {"x": edit}}).digest)
    assert len(digests) == 1


def test_digest_follows_version_names_and_parameters() -> None:
    def digest(version: str = "a", name: str = "x", area: float = 0.5) -> str:
        return Suite(version, {"crop": {name: {"edit": Crop(area, "centre")}}}).digest

    known = {digest(), digest(version="b"), digest(name="y"), digest(area=0.6)}
    assert len(known) == 4
    assert digest() == digest()
    assert build().digest == shared().digest


# Choosing


def test_edits_are_chosen_by_name_and_by_family() -> None:
    suite = shared()
    assert suite.chosen(None) == suite.edits
    assert [e.name for e in suite.chosen(["jpeg"])] == ["jpeg_90", "jpeg_50", "jpeg_20", "jpeg_10"]
    assert [e.name for e in suite.chosen("grey")] == ["grey"]
    # In the suite's order, each once.
    mixed = suite.chosen(OmegaConf.create(["grey", "blur", "blur_2", "jpeg_20"]))
    assert [e.name for e in mixed] == ["jpeg_20", "blur_1", "blur_2", "blur_4", "grey"]


@pytest.mark.parametrize("names", [["jpeg", "jpg"], "jpg", ["jpg", 5], [["jpg"]], 5, [None]])
def test_unknown_names_are_refused_with_those_that_exist(names: Any) -> None:
    with pytest.raises(InputError) as refusal:
        shared().chosen(names)
    message = str(refusal.value)
    assert message.startswith("No edit or family is called ")
    assert "Families: jpeg, webp, reduce" in message
    assert "Edits: jpeg_90, jpeg_50" in message


def test_an_empty_choice_is_refused() -> None:
    with pytest.raises(InputError, match=r"No edits are chosen.*jpeg_90"):
        shared().chosen([])


# Suites that cannot be used


def test_a_bad_suite_is_refused_with_all_its_problems() -> None:
    flip = {"edit": A.HorizontalFlip(p=1.0)}
    with pytest.raises(InputError) as refusal:
        Suite(
            "mine",
            {
                "flip": {"twice": flip, "size": flip},
                "size": {"twice": flip},
                "rare": {"sometimes": {"edit": A.HorizontalFlip()}},
                "bare": {"nothing": {"edit": []}, "words": {"edit": "blur"}, "absent": {}},
                "odd": {"spelt": {**flip, "strenght": 3}},
                "mixed": {"up": {**flip, "strength": 1}, "none": flip},
                "wave": {f"w{s}": {**flip, "strength": s} for s in (1, 3, 2)},
            },
        )
    assert refusal.value.problems == [
        "The edit name twice is used twice.",
        "size is an edit of flip and the name of another family.",
        "sometimes must always be applied: give every step of it p: 1.0.",
        "nothing needs `edit`: a transform or a list of transforms.",
        "words needs `edit`: a transform or a list of transforms.",
        "absent needs `edit`: a transform or a list of transforms.",
        "spelt has unknown parts: strenght.",
        "The strengths of mixed must all be numbers that rise or fall, or none.",
        "The strengths of wave must all be numbers that rise or fall, or none.",
    ]


def test_a_suite_without_edits_is_refused() -> None:
    with pytest.raises(InputError, match="has no edits"):
        Suite("mine", {"jpeg": {}})


# Strengths mean what they say


@pytest.mark.parametrize("family", ["jpeg", "blur", "noise", "zoom_out", "shift", "erasing"])
def test_stronger_edits_change_more(family: str) -> None:
    pixels = drawn(120, 160)
    edits = shared().chosen([family])
    changes = [np.abs(edited(e.name, pixels) - pixels.astype(int)).mean() for e in edits]
    assert changes == sorted(changes)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_compression_is_pillows(kind: Any) -> None:
    pixels = drawn(48, 64)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, quality=20)
    np.testing.assert_array_equal(
        applied(Compression(kind, 20), pixels), Image.open(file).convert("RGB")
    )


@pytest.mark.parametrize("place", ["centre", "random"])
@pytest.mark.parametrize("area", [0.9, 0.7, 0.5])
def test_crops_keep_their_share_of_the_area(area: float, place: Any) -> None:
    pixels = drawn(300, 400)
    out = applied(Crop(area, place), pixels)
    assert out.size / pixels.size == pytest.approx(area, abs=0.005)
    assert out.shape[1] / out.shape[0] == pytest.approx(4 / 3, abs=0.01)


def test_random_crops_lie_anywhere_and_centred_ones_in_the_middle() -> None:
    rows, columns = np.indices((100, 200))
    pixels = np.stack([rows, columns, rows], 2).astype(np.uint8)
    height, width = 71, 141
    middle = applied(Crop(0.5, "centre"), pixels)
    assert middle[0, 0].tolist() == [14, 30, 14]
    crop, corners = Crop(0.5, "random"), []
    for seed in range(200):
        crop.set_random_seed(seed)
        out = crop(image=pixels)["image"]
        assert out.shape[:2] == (height, width)
        np.testing.assert_array_equal(out[-1, -1] - out[0, 0], [height - 1, width - 1, height - 1])
        corners.append(out[0, 0, :2])
    spread = np.ptp(np.array(corners), axis=0)
    assert spread.tolist() == pytest.approx([29, 59], abs=2)


def test_vignette_takes_light_from_the_corners_alone() -> None:
    white = np.full((101, 201, 3), 255, np.uint8)
    out = applied(Vignette(0.8), white)
    assert out[50, 100].tolist() == [255] * 3
    assert out[0, 0].tolist() == pytest.approx([255 * 0.2] * 3, abs=4)
    assert out[0, 100].tolist() == pytest.approx([255 * 0.6] * 3, abs=4)
    np.testing.assert_array_equal(out, out[::-1, ::-1])


@pytest.mark.parametrize(("name", "share"), [("erasing_10", 0.1), ("erasing_25", 0.25)])
def test_erasing_blackens_its_share(name: str, share: float) -> None:
    white = np.full((300, 400, 3), 255, np.uint8)
    out = edited(name, white)
    assert set(np.unique(out)) == {0, 255}
    assert (out == 0).mean() == pytest.approx(share, abs=0.002)


def test_uncovered_ground_is_black() -> None:
    white = np.full((300, 400, 3), 255, np.uint8)
    for name, share in (("zoom_out_90", 0.19), ("zoom_out_70", 0.51), ("shift_10", 0.19)):
        assert (edited(name, white) == 0).mean() == pytest.approx(share, abs=0.01)
    for name in ("rotation_10", "rotation_30"):
        out = edited(name, white)
        assert not out[[0, 0, -1, -1], [0, -1, 0, -1]].any()
    assert (edited("rotation_inscribed_10", white)[2:-2, 2:-2] == 255).all()
    assert (edited("perspective_5", white) == 255).all()


def test_half_turns_lose_nothing_and_quarter_turns_are_clockwise() -> None:
    pixels = drawn(120, 160)
    half = edited("rotation_180", pixels).astype(int)
    np.testing.assert_allclose(half, pixels[::-1, ::-1], atol=1)
    np.testing.assert_array_equal(edited("quarter_turn", pixels), np.rot90(pixels, -1))


def test_rotation_is_anticlockwise() -> None:
    pixels = np.zeros((101, 101, 3), np.uint8)
    pixels[45:56, 85:96] = 255  # right of the centre
    rows, columns = np.nonzero(edited("rotation_30", pixels)[..., 0])
    assert rows.mean() == pytest.approx(50 - 40 * 0.5, abs=1)  # sine of 30 degrees
    assert columns.mean() == pytest.approx(50 + 40 * 0.866, abs=1)  # cosine


def test_hue_turns_by_degrees_of_the_circle() -> None:
    red = np.full((20, 20, 3), (255, 0, 0), np.uint8)
    assert edited("hue_30", red)[0, 0].tolist() == pytest.approx([255, 128, 0], abs=3)
    assert edited("hue_90", red)[0, 0].tolist() == pytest.approx([128, 255, 0], abs=3)


# Drawing


def test_lines_cover_the_picture_and_stay_within_its_width() -> None:
    grey = np.full((120, 160, 3), 128, np.uint8)
    changed = (applied(Lines(["ONE", "TWO"], 0.3), grey) != 128).any(axis=2)
    assert changed[:60].any() and changed[60:].any()
    assert not changed[58:62].any()
    tall = np.full((900, 400, 3), 128, np.uint8)
    changed = (applied(Lines(["A VERY LONG LINE OF TEXT"], 0.3), tall) != 128).any(axis=2)
    assert changed.any()
    assert not changed[:, [0, -1]].any()


def test_captions_stand_on_white_above_and_below_the_picture() -> None:
    pixels = drawn(100, 200)
    out = applied(Captions("above", "below", 0.2), pixels)
    np.testing.assert_array_equal(out[20:120], pixels)
    for bar in (out[:20], out[120:]):
        assert (bar == 255).mean() > 0.5
        assert (bar < 64).any()


def test_a_watermark_shows_everywhere_and_as_much_as_its_opacity() -> None:
    grey = np.full((200, 300, 3), 128, np.uint8)
    faint, strong = (
        np.abs(applied(Watermark("mark", 0.08, opacity), grey) - 128.0) for opacity in (0.2, 0.4)
    )
    assert strong.max() == pytest.approx(0.4 * 128, abs=3)
    assert strong.mean() / faint.mean() == pytest.approx(2, abs=0.1)
    quarters = [strong[top : top + 100, left : left + 150] for top in (0, 100) for left in (0, 150)]
    assert min(quarter.mean() for quarter in quarters) > strong.mean() / 2
    assert not np.any(applied(Watermark("mark", 0.08, 0.0), grey) != 128)


def test_stickers_lie_within_the_picture_wherever_chance_puts_them() -> None:
    grey = np.full((100, 160, 3), 128, np.uint8)
    stickers, seen = Stickers(3, 0.25), np.zeros((100, 160), bool)
    for seed in range(100):
        stickers.set_random_seed(seed)
        changed = (stickers(image=grey)["image"] != 128).any(axis=2)
        assert 300 < changed.sum() <= 3 * 25 * 25
        seen |= changed
    assert seen.any(axis=0).all() and seen.any(axis=1).all()
    assert seen.mean() > 0.8  # round stickers do not reach the corners


def test_a_screenshot_shows_the_picture_whole() -> None:
    pixels = drawn(100, 200)
    out = applied(Screenshot(0.1), pixels)
    assert out.shape == (180, 240, 3)
    np.testing.assert_array_equal(out[40:140, 20:220], pixels)
    assert (out[141:] == 255).mean() > 0.7
