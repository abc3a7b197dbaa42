"""The job that the thesis grew from: a VAE of handwritten digits, its map and its likelihood."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from omegaconf import DictConfig

from latenthash import plots
from latenthash.data.digits import Digits, DigitSet
from latenthash.data.splits import ViewSet
from latenthash.errors import InputError, collect
from latenthash.hashing.bundle import Bundle
from latenthash.hashing.enrolled import Latents, LatentSet
from latenthash.hashing.hasher import Hasher
from latenthash.jobs.build import build, build_hasher, bundled_config, bundled_packages
from latenthash.jobs.fit import fit
from latenthash.metrics.bootstrap import Measure, bootstrap
from latenthash.metrics.enrolled import class_separation
from latenthash.models.components.autoencoder import Autoencoder
from latenthash.options.misfits import NO_LIKELIHOOD
from latenthash.plots.style import FloatImages
from latenthash.report.tables import figures_table, show
from latenthash.tracking.names import HELD_OUT, MODEL
from latenthash.tracking.run_logger import RunLogger

log = logging.getLogger(__name__)

SHOWN = 12  # reconstructions in the figure
BATCH = 50  # digits behind one draw of the ELBO's interval
Z95 = 1.96  # standard errors on either side


def learn_digits(cfg: DictConfig, logger: RunLogger, digests: Mapping[str, str]) -> None:
    """Fit a variational model on digits; log test ELBO, separation by digit, scatter and map.

    Args:
        cfg: the composed config.
        logger: the run.
        digests: of the file, when one was given.

    Raises:
        InputError: if the input cannot be used, before any training.
    """
    digits, hasher = collect(
        lambda: build(cfg.data, size=cfg.features.size, seed=cfg.seed),
        lambda: build_hasher(cfg, build(cfg.cache)),
    )
    assert isinstance(digits, Digits)
    if not isinstance(hasher.model, Autoencoder):
        raise InputError(NO_LIKELIHOOD)
    logger.set_tags({"data.source": digits.source})
    logger.add_note(f"A latent map of handwritten digits ({digits.source}).")
    log.info("%d digits to learn from (%s)", len(digits.train.labels), digits.source)
    train, validation = (
        hasher.describe(_views(part)) for part in (digits.train, digits.validation)
    )
    fit(cfg, logger, hasher, train, validation)
    # Not called a bundle, as those are that `run=latest` finds: it matches no pictures.
    folder = Path(cfg.paths.output, MODEL)
    Bundle(
        None, hasher.state_dict(), bundled_config(cfg), logger.id, {}, hasher.features.provenance,
        fitted=list(digests.values()), packages=bundled_packages(cfg),
    ).save(folder)  # fmt: skip
    logger.log_folder(folder.name)
    _draw(logger, hasher, digits, _judge(cfg, logger, hasher, digits))


def _judge(cfg: DictConfig, logger: RunLogger, hasher: Hasher, digits: Digits) -> Latents:
    """Measure the model on test digits, and return their latents."""
    assert isinstance(hasher.model, Autoencoder)
    x = hasher.describe(_views(digits.test))["digits"].x
    z = hasher.encode(digits.test.views)
    rows = LatentSet(z, np.arange(len(z)))

    def separation(sets: Mapping[str, LatentSet]) -> dict[str, float]:
        (drawn,) = sets.values()
        return class_separation(drawn.z, digits.test.labels[drawn.picture])

    rng = np.random.default_rng(cfg.seed)
    measures = _bounds(hasher.model, x) + bootstrap(
        separation, {"digits": rows}, lambda name, sets: None, cfg.resamples, rng
    )
    table = figures_table(measures)
    logger.log_table(table, HELD_OUT)
    logger.log_metrics({measure.name: measure.value for measure in measures})
    show(table, f"Held-out figures of {logger.run_name} ({digits.source})")
    return z


def _draw(logger: RunLogger, hasher: Hasher, digits: Digits, z: Latents) -> None:
    """Draw the latents z of test digits, the map that they lie in, and what is made of them."""
    plane = plots.Plane.of(z, z.mean(0))
    title = f"Test latents of {logger.run_name}: {digits.source}"
    logger.log_figure(plots.digit_scatter(z, digits.test.labels, plane, title), "latent_scatter")

    def decode(points: Latents) -> FloatImages:
        pictures: FloatImages = hasher.decode(points).repeat(3, axis=-1)
        return pictures

    if z.shape[1] == 2:
        logger.log_figure(plots.prior_map(decode), "decoded_map")
    shown = digits.test.views[:SHOWN]
    pair = (shown.numpy().repeat(3, axis=-1) / 255, decode(z[: len(shown)]))
    logger.log_figure(plots.reconstructions({"digits": pair}), "reconstructions")


def _views(digits: DigitSet) -> dict[str, ViewSet]:
    return {"digits": ViewSet(digits.views, np.arange(len(digits.labels)), ())}


@torch.no_grad()
def _bounds(model: Autoencoder, x: torch.Tensor) -> list[Measure]:
    """Estimate ELBO, reconstruction and KL of test digits x (N, 1, size, size), in nats each.

    One z is drawn for every digit; the interval is that of a mean over batches.
    """
    torch.manual_seed(0)  # the same draws whatever the training drew
    batches = torch.tensor_split(x, max(2, len(x) // BATCH))  # a spread needs two
    terms = np.array([[t.item() for t in model.bound(batch.to(model.device))] for batch in batches])
    measures = []
    for name, v in {"elbo": -terms.sum(1), "nll": terms[:, 0], "kl": terms[:, 1]}.items():
        half = Z95 * v.std(ddof=1) / np.sqrt(len(v))
        measures.append(Measure(f"test/{name}", v.mean(), v.mean() - half, v.mean() + half))
    return measures
