"""Digits: where they come from, how they are split, and the job that learns them."""

import io
import logging
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_hex
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from app import artifact, call, runs
from latenthash import plots
from latenthash.data import digits as module
from latenthash.data.digits import Digits
from latenthash.errors import InputError
from latenthash.hashing.bundle import Bundle

SPLIT: dict[str, Any] = {"validation": 0.1, "test": 0.2, "size": 8, "seed": 0}


def arrays(n: int = 120, side: int = 8) -> dict[str, NDArray[Any]]:
    """Return n images, each of a grey of its own, so that they can be told apart."""
    greys = np.arange(n, dtype=np.uint8)
    return {
        "images": np.broadcast_to(greys[:, None, None], (n, side, side)).copy(),
        "labels": (greys % 10).astype(np.uint8),
    }


def file(folder: Path, **changed: Any) -> str:
    path = folder / "digits.npz"
    np.savez_compressed(path, **(arrays() | changed))
    return str(path)


def split(folder: Path, **settings: Any) -> Digits:
    if "file" not in settings:
        settings["file"] = file(folder)
    return Digits(**({"folder": str(folder)} | SPLIT | settings))


# ---- where they come from ----


def test_splits_are_disjoint_shares_of_all_digits_with_their_labels(tmp_path: Path) -> None:
    digits = split(tmp_path)
    parts = [digits.test, digits.validation, digits.train]
    assert [len(part.labels) for part in parts] == [24, 12, 84]
    greys = [part.views[:, 0, 0, 0].numpy() for part in parts]
    assert sorted(np.concatenate(greys)) == list(range(120))
    for part, grey in zip(parts, greys, strict=True):
        assert part.views.shape[1:] == (8, 8, 1)
        assert part.views.dtype == torch.uint8
        np.testing.assert_array_equal(part.labels, grey % 10)


def test_seed_decides_the_split(tmp_path: Path) -> None:
    first, again, other = (split(tmp_path, seed=seed).test.labels.tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_digits_of_another_size_are_scaled(tmp_path: Path) -> None:
    views = split(tmp_path, size=12).train.views
    assert views.shape == (84, 12, 12, 1)
    # A picture of one grey keeps it.
    assert (views == views[:, :1, :1]).all()


def test_digits_are_scaled_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (120, 16, 10), np.uint8)
    for size in (6, 20):
        whole = split(tmp_path, file=file(tmp_path, images=images), size=size).train.views
        at_once: list[int] = []

        def resized(
            x: torch.Tensor, size: int, scale: Any = module._resized, at_once: list[int] = at_once
        ) -> torch.Tensor:
            at_once.append(len(x) * max(x[0].numel(), size**2))
            made: torch.Tensor = scale(x, size)
            return made

        with monkeypatch.context() as patch:
            patch.setattr(module, "CHUNK_BYTES", 2000)
            patch.setattr(module, "_resized", resized)
            parts = split(tmp_path, size=size, file=str(tmp_path / "digits.npz")).train.views
        torch.testing.assert_close(parts, whole, rtol=0, atol=0)
        assert max(at_once) <= 2000


def test_digits_that_would_fill_the_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "MOST_BYTES", 120 * 12**2)
        split(tmp_path, size=12)
        with pytest.raises(InputError, match=r"features\.size=13 makes 20,280 bytes"):
            split(tmp_path, size=13)


def test_without_mnist_the_bundled_digits_stand_in_and_it_is_said_loudly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unreachable(*args: object, **kwargs: object) -> None:
        raise RuntimeError("Error downloading train-images\nand more")

    monkeypatch.setattr(module, "MNIST", unreachable)
    with caplog.at_level(logging.WARNING):
        digits = split(tmp_path, file=None, size=8)
    assert digits.source == "scikit-learn digits"
    assert "MNIST CANNOT BE DOWNLOADED (Error downloading train-images)" in caplog.text
    bundled = load_digits()
    counts = sum(np.bincount(p.labels) for p in (digits.test, digits.validation, digits.train))
    np.testing.assert_array_equal(counts, np.bincount(bundled.target))
    views = torch.cat([p.views for p in (digits.test, digits.validation, digits.train)])
    # 0..16 became 0..255.
    assert (views.min(), views.max()) == (0, 255)


def test_mnist_is_that_of_torchvision_with_its_own_test_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fake:
        def __init__(self, folder: str, train: bool, download: bool) -> None:
            assert folder == str(tmp_path)
            assert download
            n = 100 if train else 20
            self.data = torch.full((n, 8, 8), 200 if train else 100, dtype=torch.uint8)
            self.targets = torch.arange(n) % 10

    monkeypatch.setattr(module, "MNIST", Fake)
    digits = split(tmp_path, file=None)
    assert digits.source == "torchvision MNIST"
    views = torch.cat([p.views for p in (digits.test, digits.validation, digits.train)])
    assert np.unique(views[:, 0, 0, 0], return_counts=True)[1].tolist() == [20, 100]
    assert (digits.test.views == 100).all(), "the test set is MNIST's own"
    assert len(digits.test.labels) == 20
    assert len(digits.validation.labels) == 12


# ---- what cannot be used ----


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"images": np.zeros((120, 8, 8))}, r"images must be \(N, H, W\) uint8"),
        ({"images": np.zeros((120, 64), np.uint8)}, r"images must be \(N, H, W\) uint8"),
        ({"images": np.uint8(3)}, r"images must be .*, and are \(\) uint8"),
        ({"images": np.zeros((0, 8, 8), np.uint8)}, r"images must be \(N, H, W\) uint8"),
        ({"images": np.zeros((120, 1, 1025), np.uint8)}, "at most 1024 px a side, and have 1 x 10"),
        ({"images": np.zeros((120, 1025, 1), np.uint8)}, "at most 1024 px a side, and have 1025"),
        ({"labels": np.int64(3)}, r"labels must be \(120,\) whole numbers, and are \(\)"),
        ({"images": np.uint8(3), "labels": np.int64(3)}, r"images must be \(N, H, W\) uint8"),
        ({"labels": np.zeros(119, np.int64)}, r"labels must be \(120,\) whole numbers"),
        ({"labels": np.zeros(120)}, r"labels must be \(120,\) whole numbers"),
        ({"labels": np.full(120, 10)}, "labels must be digits 0 to 9"),
        ({"labels": np.full(120, -1)}, "labels must be digits 0 to 9"),
        (arrays(99), "at least 100 digits"),
    ],
)
def test_arrays_of_another_kind_are_refused(
    tmp_path: Path, changed: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        split(tmp_path, file=file(tmp_path, **changed))


def test_missing_arrays_and_missing_files_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", pictures=np.zeros(3))
    with pytest.raises(InputError, match=r"other\.npz must hold the arrays `images` and `labels`"):
        split(tmp_path, file=str(tmp_path / "other.npz"))
    with pytest.raises(InputError, match=r"nowhere\.npz cannot be opened"):
        split(tmp_path, file=str(tmp_path / "nowhere.npz"))


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    whole = Path(file(tmp_path)).read_bytes()
    for name, data in {
        "half": whole[: len(whole) // 2], "text": b"no zip at all",
    }.items():  # fmt: skip
        path = tmp_path / f"{name}.npz"
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"is no \.npz that can be read"):
            split(tmp_path, file=str(path))


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    objects = np.array([{"a": 1}] * 120, dtype=object)
    np.savez(tmp_path / "code.npz", images=objects, labels=arrays()["labels"])
    with pytest.raises(InputError, match=r"is no \.npz that can be read"):
        split(tmp_path, file=str(tmp_path / "code.npz"))


def array(head: str, body: bytes = b"") -> bytes:
    """Build the file of an array from the text of its head."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + body


def head(descr: str = "'|u1'", shape: str = "(100, 8, 8)") -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"


# What stands in the place of the images -> what is said.
BOMBS = {
    "packs well": (array(head(), bytes(3 * 10**6)), "unpacks to 3,000,0.. bytes, over the limit"),
    "large head": (array(head(shape="(10**3, 10, 10)")), "is no .npz that can be read"),
    "many": (array(head(shape=f"({10**12}, 8, 8)"), bytes(6400)), "more or less than its head"),
    "few": (array(head(shape="(1, 8, 8)"), bytes(6400)), "more or less than its head says"),
    "wide": (array(head(descr="'|V1000000'")), "`images` holds no numbers"),
    "without bytes": (array(head("'|V0'", f"({10**18},)")), "`images` holds no numbers"),
    "objects": (array(head("'|O'"), bytes(51200)), "`images` holds no numbers"),
    "negative": (array(head(shape="(-100, -8, 8)"), bytes(6400)), "no .npz that can be read"),
    "version": (b"\x93NUMPY\x03\x00" + bytes(100), "in a rare version of the format"),
    "no head": (b"nothing", "is no .npz that can be read"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_array_that_is_not_what_its_head_says_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bomb: str
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 10**6)
    data, sentence = BOMBS[bomb]
    with zipfile.ZipFile(file(tmp_path), "r") as whole:
        labels = whole.read("labels.npy")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.npy", labels)
        archive.writestr("images.npy", data)
    with pytest.raises(InputError, match=sentence):
        split(tmp_path, file=str(tmp_path / "bomb.npz"))


@pytest.mark.parametrize(
    "shares", [{"validation": 0.001}, {"test": 0.001}, {"validation": 0.5, "test": 0.5}]
)
def test_shares_that_leave_nothing_are_refused(tmp_path: Path, shares: dict[str, float]) -> None:
    with pytest.raises(InputError, match="leave too few for one of the splits"):
        split(tmp_path, **shares)


# ---- figures ----


def test_scatter_draws_each_digit_in_its_colour_and_names_it() -> None:
    z = np.array([[0.0, 0.0], [2.0, 4.0], [5.0, 5.0]])
    plane = plots.Plane.of(z, z.mean(0))
    figure = plots.digit_scatter(z, np.array([3, 3, 7]), plane, "of $x")
    figure.savefig(io.BytesIO(), format="png")
    (axes,) = figure.axes
    three, seven = axes.collections
    np.testing.assert_array_equal(three.get_offsets(), z[:2])
    np.testing.assert_array_equal(seven.get_offsets(), z[2:])
    assert to_hex(three.get_facecolor()[0]) == to_hex("tab:red")
    names = {text.get_text(): text.xy for text in axes.texts}  # type: ignore[attr-defined]
    assert names == {"3": (1.0, 2.0), "7": (5.0, 5.0)}


def test_map_shows_equal_shares_of_the_prior_with_low_values_at_the_bottom_left() -> None:
    asked: list[NDArray[np.float64]] = []

    def decode(z: NDArray[np.float64]) -> NDArray[np.float64]:
        asked.append(z)
        return np.linspace(0, 1, len(z))[:, None, None, None] * np.ones((1, 1, 1, 3))

    (axes,) = plots.prior_map(decode).axes
    (z,) = asked
    assert z[0] == pytest.approx([-2.0537, -2.0537], abs=1e-3)  # the normal's 2 % quantile
    assert z[112] == pytest.approx([0, 0], abs=1e-9)
    canvas = np.asarray(axes.images[0].get_array())
    assert canvas.shape == (15, 15, 3)
    assert canvas[-1, 0, 0] == 0, "the lowest z is at the bottom left"
    assert canvas[0, -1, 0] == 1


# ---- the job ----

TINY_DIGITS = [
    "+experiment=mnist", "trainer=debug", "features.size=8", "model.channels=[8,16]",
    "resamples=10",
]  # fmt: skip


def test_digits_are_learned_from_a_file_with_one_command(tmp_path: Path) -> None:
    done = call("train.py", tmp_path, *TINY_DIGITS, f"data.file={file(tmp_path)}")
    assert done.code == 0, done.output
    (run,) = runs(tmp_path)
    metrics = run.data.metrics
    assert metrics["test/elbo"] == pytest.approx(-metrics["test/nll"] - metrics["test/kl"])
    # A model that knows nothing pays about log 2 for each of the 64 pixels.
    assert -3 * 64 * np.log(2) < metrics["test/elbo"] < 0
    assert "separation/silhouette" in metrics
    assert run.data.tags["data.source"].endswith("digits.npz")
    for name in ("latent_scatter", "decoded_map", "reconstructions"):
        assert artifact(tmp_path, run, f"figures/{name}.png").stat().st_size > 5_000
    table = pd.read_csv(artifact(tmp_path, run, "held_out.csv")).set_index("metric")
    assert (table["low"] <= table["value"]).loc["test/elbo"]
    model = Bundle.load(artifact(tmp_path, run, "model"))
    assert sum(tensor.numel() for tensor in model.weights.values()) > 1_000
    assert model.run_id == run.info.run_id
    assert str(tmp_path) not in model.config, "what may be shared tells of the machine"
    latest = call("evaluate.py", tmp_path, "run=latest")
    assert latest.code == 2
    assert "There is no finished run" in latest.output, "digits leave no hash to evaluate"


def test_file_that_cannot_be_used_ends_with_a_sentence_and_code_2(tmp_path: Path) -> None:
    done = call("train.py", tmp_path, *TINY_DIGITS, "data.file=nowhere.npz")
    assert done.code == 2
    assert "data.file=nowhere.npz cannot be opened" in done.output
    (run,) = runs(tmp_path)
    assert run.info.status == "FAILED"


def test_model_without_a_likelihood_is_refused(tmp_path: Path) -> None:
    settings = ["+experiment=mnist", "model=pca", f"data.file={file(tmp_path)}", "features.size=8"]
    without = [f"~model.{key}" for key in ("channels", "likelihood", "learning_rate", "batch_size")]
    done = call("train.py", tmp_path, *settings, *without)
    assert done.code == 2
    assert "needs a model with a likelihood: model=vae or model=vaegan" in done.output


def test_changed_file_is_another_job(tmp_path: Path) -> None:
    path = file(tmp_path)
    for expected in (1, 1, 2):
        if expected == 2:
            with zipfile.ZipFile(path, "a") as archive:
                archive.comment = b"changed"
        command = ["-m", *TINY_DIGITS, f"data.file={path}", "seed=0"]
        assert call("train.py", tmp_path, *command).code == 0
        assert len(runs(tmp_path)) == expected


def test_digits_of_one_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least two digits"):
        split(tmp_path, file=file(tmp_path, labels=np.full(120, 3)))


def test_digits_without_a_signal_cannot_be_enrolled(tmp_path: Path) -> None:
    done = call("train.py", tmp_path, "data=mnist", f"data.file={file(tmp_path)}")
    assert done.code == 2
    assert "they go with +experiment=mnist" in done.output
