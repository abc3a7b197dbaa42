"""The printable hash: exact as text, the same over seeds, near for copies, far for others."""

import json
import math
import re
import string
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

from app import TINY, artifact, call, composed, runs, sources
from latenthash.errors import InputError
from latenthash.features.embedding import Embedding
from latenthash.features.pixels import Pixels
from latenthash.features.vgg16 import VGG16
from latenthash.hashing.printable import (
    BITS,
    MEASURED,
    Comparison,
    PrintableHash,
    _checksum,
    compare,
    most_reliable,
)
from latenthash.hashing.printable_features import common_file, printable_hash
from latenthash.hashing.printed import encode
from latenthash.hashing.projections import CANDIDATES
from photographs import photo
from printables import example, example_code
from project import ROOT

SHIPPED = ROOT / "src/latenthash/shipped"
EXPERIMENTS = {path.stem for path in (ROOT / "conf/experiment").glob("*.yaml")}
LETTERS = string.ascii_uppercase + string.digits + "-"


# ---- text ----


@pytest.mark.parametrize("seed", range(5))
def test_text_comes_back_as_it_was(seed: int) -> None:
    before = example(seed)
    after = PrintableHash.parse(str(before))
    assert (after.model, after.angle) == (before.model, before.angle)
    np.testing.assert_array_equal(after.mask, before.mask)
    np.testing.assert_array_equal(after.bits, before.bits)
    assert str(after) == str(before)


def test_text_is_four_parts_of_letters_and_digits() -> None:
    assert re.fullmatch(r"LH1-pixels0a1b2c3d-[A-Z2-7]{258}-[0-9A-F]{8}", str(example()))


def test_text_is_fixed_for_ever() -> None:
    mask = np.arange(CANDIDATES) % 4 == 0
    text = str(PrintableHash("pixels0", np.arange(BITS) % 2 == 0, mask, 7))
    # 128 bytes 0x88, 32 bytes 0xAA, and 7; by hand, "RC" and its turns, then "KV".
    assert text.startswith("LH1-pixels0-RCEIRCEIRCEIRCEI")
    assert text.endswith("-" + _checksum("pixels0", b"\x88" * 128 + b"\xaa" * 32 + b"\x07"))


@pytest.mark.parametrize(
    "change",
    [
        str.lower,
        lambda text: f"  {text}\n",
        lambda text: "\n".join(text[i : i + 60] for i in range(0, len(text), 60)),
        lambda text: " ".join(text[i : i + 8] for i in range(0, len(text), 8)),
    ],
)
def test_white_space_and_small_letters_do_no_harm(change: Callable[[str], str]) -> None:
    text = str(example())
    assert str(PrintableHash.parse(change(text))) == text


def test_every_mistyped_character_is_refused() -> None:
    text = str(example())
    rng = np.random.default_rng(0)
    for i, right in enumerate(text):
        wrong = rng.choice([letter for letter in LETTERS if letter != right.upper()])
        with pytest.raises(InputError, match=r"Copy it|read it with the version|give one of"):
            PrintableHash.parse(text[:i] + wrong + text[i + 1 :])


def test_every_other_last_letter_is_refused() -> None:
    """The last letter of the payload carries 3 bits in 5: others must not read alike."""
    head, model, payload, check = str(example()).split("-")
    for letter in string.ascii_uppercase + "234567":
        if letter != payload[-1]:
            with pytest.raises(InputError, match="not as it was printed"):
                PrintableHash.parse("-".join([head, model, payload[:-1] + letter, check]))


def test_swapped_neighbours_are_refused() -> None:
    text = str(example())
    for i in range(len(text) - 1):
        if text[i] != text[i + 1]:
            with pytest.raises(InputError):
                PrintableHash.parse(text[:i] + text[i + 1] + text[i] + text[i + 2 :])


def test_cut_text_is_refused() -> None:
    text = str(example())
    for i in range(len(text)):
        with pytest.raises(InputError):
            PrintableHash.parse(text[:i])


@pytest.mark.parametrize("text", ["", "-", "---", "LH1---", "LH1-a-b-c", "hallo", "LH1-\u017f-A-B"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"is not a printable hash|not as it was printed"):
        PrintableHash.parse(text)


def test_other_version_is_named() -> None:
    with pytest.raises(InputError, match=r"version LH3.*read it with the version that printed"):
        PrintableHash.parse(str(example()).replace("LH1", "LH3"))


def test_code_is_no_hash() -> None:
    with pytest.raises(InputError, match="is of version LH2; give one of LH1"):
        PrintableHash.parse(str(example_code()))


@pytest.mark.parametrize("kept", [BITS - 1, BITS + 1])
def test_hash_that_keeps_another_number_of_bits_is_refused(kept: int) -> None:
    mask = np.arange(CANDIDATES) < kept
    payload = np.packbits(np.concatenate([mask, np.zeros(BITS, dtype=bool)])).tobytes() + b"\0"
    text = f"LH1-m-{encode(payload)}-{_checksum('m', payload)}"
    with pytest.raises(InputError, match=f"keeps {kept} bits.*must keep 256"):
        PrintableHash.parse(text)


def test_theta_is_the_angle_in_radians() -> None:
    assert replace(example(), angle=64).theta == pytest.approx(math.pi / 2)


# ---- bits ----


def test_the_surest_projections_are_kept() -> None:
    # |mean| / spread: 2/1, 0/1, 3/0.5, 2/1; of the two equal ones the first is kept.
    projected = np.array([[1.0, -1.0, -2.5, -1.0], [3.0, 1.0, -3.5, -3.0]])
    np.testing.assert_array_equal(most_reliable(projected, 2), [True, False, True, False])
    np.testing.assert_array_equal(most_reliable(projected, 3), [True, False, True, True])


def test_projections_that_do_not_vary_are_the_surest() -> None:
    projected = np.array([[1.0, 5.0], [1.0, 5.5]])
    np.testing.assert_array_equal(most_reliable(projected, 1), [True, False])


def test_bits_are_signs_and_the_angle_turns_with_them() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(100) + 0.1 * rng.standard_normal((20, 100))
    one, other = PrintableHash.of("m", x), PrintableHash.of("m", -x)
    np.testing.assert_array_equal(one.mask, other.mask)
    np.testing.assert_array_equal(one.bits, ~other.bits)
    assert (one.angle - other.angle) % 256 in (127, 128, 129)


# ---- comparing ----


def test_comparison_counts_what_both_keep() -> None:
    masks = np.zeros((2, CANDIDATES), dtype=bool)
    masks[0, :256] = True
    masks[1, 156:412] = True  # 100 in common: the last of the first, the first of the second
    bits = np.zeros((2, BITS), dtype=bool)
    bits[0, -30:] = True
    first, second = (PrintableHash("m", b, m, 0) for b, m in zip(bits, masks, strict=True))
    found = compare(first, second)
    assert (found.shared, found.agreeing, found.surplus) == (100, 70, 40)
    assert found.share == pytest.approx(0.7)


def test_verdict_needs_many_shared_positions() -> None:
    assert Comparison(64, 64, 64).verdict == "yes"
    assert Comparison(63, 63, 64).verdict == "no", "few, though all agree"
    assert Comparison(100, 81, 64).verdict == "no"
    assert Comparison(0, 0, 64).verdict == "no"
    assert math.isnan(Comparison(0, 0, 64).share)


def test_models_that_were_not_measured_have_no_verdict() -> None:
    itself = compare(example(), example())
    assert (itself.shared, itself.agreeing, itself.verdict) == (BITS, BITS, "not measured")
    known = example(model=next(iter(MEASURED)))
    assert compare(known, known).verdict == "yes"


@pytest.mark.parametrize(
    "experiment",
    # The first three have no Signal, and the embedding's hashes were not measured.
    sorted(EXPERIMENTS - {"code", "fast_code", "mnist", "embedding_vae", "embedding_vaegan"}),
)
def test_hashes_of_every_shipped_experiment_get_a_verdict(experiment: str) -> None:
    cfg = composed(f"+experiment={experiment}")
    # The digest of the weights decides the name, and the weights themselves are not needed.
    features: Any = Pixels(size=cfg.features.size, channels=3)
    if "output" in cfg.features:
        features = Embedding(
            weights="code", output=cfg.features.output, size=cfg.features.size, trim=True
        )
    elif "weights" in cfg.features:
        shipped = json.loads((SHIPPED / "vgg16_code" / "hash.json").read_bytes())
        features.provenance = shipped["identity"]
        features.common = f"vgg16-{shipped['identity']['weights_sha256'][:8]}-{cfg.features.layer}"
        features.indifferent = VGG16.indifferent
    config: Any = OmegaConf.to_container(cfg.features, resolve=True)
    common = common_file(features)
    assert common.mean is not None
    assert printable_hash(features, config, torch.rand(4, len(common.mean))).model in MEASURED


def test_hashes_of_other_features_are_not_compared() -> None:
    with pytest.raises(InputError, match=r"pixels0 and vgg161 are not comparable.*Enrol both"):
        compare(example(model="pixels0"), example(model="vgg161"))


# ---- commands ----


def test_two_seeds_print_one_hash_and_two_pictures_two(tmp_path: Path) -> None:
    overrides = sources(tmp_path)
    other = "data.signal=other.png"
    Image.fromarray(photo(3).pixels).save(tmp_path / "other.png")
    for extra in (["seed=0"], ["seed=1"], [other]):
        done = call("train.py", tmp_path, *TINY, *overrides, *extra)
        assert done.code == 0, done.output
    first, second, third = runs(tmp_path)
    texts = [run.data.tags["hash.printable"] for run in (first, second, third)]
    assert texts[0] == texts[1] != texts[2]
    assert texts[2] in done.output.replace("\n", "")
    for run, text in zip((first, second), texts, strict=False):
        values = json.loads(artifact(tmp_path, run, "bundle/hash.json").read_text())
        assert values["printable"] == text
    again = call("evaluate.py", tmp_path, f"run={first.info.run_id}", "pictures=unseen")
    assert again.code == 0, again.output
    assert texts[0] in again.output.replace("\n", "")
