"""The job that trains a code by gradient, from pictures alone."""

import logging
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from omegaconf import DictConfig
from torch import Tensor

from latenthash import plots
from latenthash.data.collection import Collection
from latenthash.errors import InputError, collect
from latenthash.features.imagenet_lite0 import EXTRA, imagenet_state
from latenthash.features.interface import FeatureSet
from latenthash.hashing.bundle import Bundle
from latenthash.jobs.at_hand import bundle_at_hand
from latenthash.jobs.build import (
    build,
    build_collection,
    build_hasher,
    bundled_config,
    bundled_packages,
)
from latenthash.jobs.fit import fit
from latenthash.models.contrastive import FPR, Contrastive
from latenthash.system.calling import typed
from latenthash.tracking.names import BUNDLE
from latenthash.tracking.run_logger import RunLogger

log = logging.getLogger(__name__)

IMAGENET, RANDOM = "imagenet", "random"
KEPT = "training"  # folder of the cache in which trainings that go on are kept
PREFIX = "model."  # of the model's weights in a bundle
SHOWN = 24  # pictures whose views are drawn


def train_code(
    cfg: DictConfig, logger: RunLogger, digests: Mapping[str, str], start: str = IMAGENET
) -> None:
    """Train a code on a folder of pictures, and leave its bundle.

    Training that was killed goes on from its last checkpoint when the same command is given again.

    Args:
        cfg: the composed config.
        logger: the run.
        digests: of the pictures.
        start: the weights to begin with: imagenet, random, code, or a folder with a bundle.

    Raises:
        InputError: if the input cannot be used, before any work.
        JobError: if the training diverged.
    """
    cache = build(cfg.cache)
    _, state, hasher = collect(
        _check_extra, lambda: _start(start), lambda: build_hasher(cfg, cache)
    )
    model = hasher.model
    if not isinstance(model, Contrastive):
        raise InputError("This job trains model=contrastive; other codes go with +experiment=code.")
    _begin_with(model, state, start)
    collection: Collection = build_collection(cfg, cache)
    learned, held_out = len(collection.learned), len(collection.validated)
    logger.add_note(
        f"A code for any picture, trained on {learned} pictures and {collection.graphics} painted "
        f"ones from {start} weights."
    )
    validation = _as_features(collection.validation())
    train = _as_features(collection.train())
    kept = Path(cfg.cache.folder, KEPT, logger.fingerprint)
    if cfg.force:  # from the beginning
        shutil.rmtree(kept, ignore_errors=True)
    fit(cfg, logger, hasher, train, validation, kept)
    minutes, rate = model.seconds / 60, model.pictures_seen / max(model.seconds, 1e-9)
    logger.log_metrics({"time/train_minutes": minutes, "code/pictures_per_second": rate})
    # A training that was resumed says what its last part took.
    said = f"{minutes:.1f} minutes on {model.hardware}, {rate:.0f} pictures/s, each in two views"
    logger.add_note(f"Trained in {said}.")
    log.info("Trained in %s", said)

    fitted = [picture.digest for picture in collection.pictures]
    folder = Path(cfg.paths.output, BUNDLE)
    Bundle(
        None, hasher.state_dict(), bundled_config(cfg), logger.id, digests,
        hasher.features.provenance, fitted=fitted, packages=bundled_packages(cfg),
    ).save(folder)  # fmt: skip
    logger.log_folder(folder.name)
    logger.log_metrics(
        {
            "code/pictures": learned,
            "code/graphics": collection.graphics,
            "code/held_out": held_out,
        }
    )
    _draw(logger, model, _spread(train["outliers"].x), validation["outliers"].x)
    log.info(
        "The code is in %s; judge it: %s benchmark=edits_v1 run=latest", folder, typed("evaluate")
    )


def _check_extra() -> None:
    """Refuse to begin without what makes views of batches."""
    if find_spec("kornia") is None:
        raise InputError(f"Views of batches are made by kornia, which is not installed: {EXTRA}.")


def _start(start: str) -> Mapping[str, Tensor]:
    """Read the weights to begin with, by the names of the model's."""
    if start == RANDOM:
        return {}
    if start == IMAGENET:
        return {f"trunk.{name}": tensor for name, tensor in imagenet_state().items()}
    bundle = bundle_at_hand(start)
    if bundle is None:
        raise InputError(
            f"job.start={start} is no folder with a bundle; give one, or {IMAGENET}, {RANDOM} or "
            "code."
        )
    return {name.removeprefix(PREFIX): tensor for name, tensor in bundle.weights.items()}


def _begin_with(model: Contrastive, state: Mapping[str, Tensor], start: str) -> None:
    """Give a model the weights to begin with; a head of another length begins anew.

    Raises:
        InputError: if the trunk is another one.
    """
    own = model.state_dict()
    fitting = {
        name: tensor for name, tensor in state.items()
        if name in own and own[name].shape == tensor.shape
    }  # fmt: skip
    learned = [name for name, _ in model.trunk.named_parameters() if name != "exponent"]
    if state and not all(f"trunk.{name}" in fitting for name in learned):
        raise InputError(f"job.start={start} holds no EfficientNet-Lite0: it is of another model.")
    model.load_state_dict({**own, **fitting})
    new = sorted({name.split(".")[0] for name in own.keys() - fitting.keys()} - {"trunk"})
    log.info("Begun with %s weights%s", start, f"; new: {', '.join(new)}" if new else "")


def _as_features(sets: Mapping[str, Tensor]) -> dict[str, FeatureSet]:
    """Hand pictures on as they are: the model scales what it draws of them."""
    return {name: FeatureSet(x, np.arange(len(x))) for name, x in sets.items()}


def _spread(pictures: Tensor) -> Tensor:
    """Choose some pictures from first to last: photographs, then graphics."""
    chosen = torch.linspace(0, len(pictures) - 1, min(SHOWN, len(pictures))).long()
    return pictures[chosen]


def _draw(logger: RunLogger, model: Contrastive, pictures: Tensor, held_out: Tensor) -> None:
    """Log what the model learned from, and how well it tells pictures apart that it did not see."""
    drawn = model.draw(pictures)
    light, heavy = (views.permute(0, 2, 3, 1).double().numpy() for views in drawn)
    logger.log_figure(plots.view_pairs(light, heavy), "views")
    k, short = model.lengths
    codes = {"floats": (f"{k} numbers", None), "bits": (f"{k} bits", k)}
    codes["short_bits"] = (f"{short} bits of the shorter code", short)
    for name, similarity in model.judge(held_out).items():
        code, bits = codes[name]
        own = torch.eye(similarity.shape[1], dtype=torch.bool)
        genuine, impostors = similarity[:, own].flatten(), similarity[:, ~own].flatten()
        figure = plots.similarity_histogram(genuine.numpy(), impostors.numpy(), FPR, code, bits)
        logger.log_figure(figure, f"similarity_{name}")
