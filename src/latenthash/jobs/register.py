"""The job that registers a code as an MLflow model, which can be served."""

import logging
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from omegaconf import DictConfig

from latenthash.codes.latent import latent_key
from latenthash.errors import InputError
from latenthash.hashing.bundle import Bundle
from latenthash.jobs.build import build, restore
from latenthash.jobs.open import open_bundle
from latenthash.jobs.stores import open_store
from latenthash.tracking.names import BUNDLE
from latenthash.tracking.serving import register_code
from latenthash.tracking.store import Store

log = logging.getLogger(__name__)


def register(cfg: DictConfig) -> None:
    """Register the code that run= names under the name that serve_as= gives.

    Raises:
        InputError: if it names no code, or the store cannot keep it.
    """
    if cfg.serve_as is None:
        raise InputError("serve_as is not set; give the model a name: serve_as=NAME.")
    opened = open_bundle(cfg)
    if opened.bundle.hash is not None:
        raise InputError(
            f"run={cfg.run} left the hash of one picture, and no code: only codes are served. Name "
            "the run of a code, or the one that ships: run=code."
        )
    restore(opened.bundle, opened.config, build(cfg.cache))  # whether it can be done at all
    register_bundle(
        open_store(cfg), opened.bundle, cfg.serve_as, cfg.reader.max_pixels, list(cfg.trust)
    )
    log.info("Next: make serve MODEL=%s", cfg.serve_as)


def register_bundle(
    store: Store, bundle: Bundle, name: str, max_pixels: int, trust: Sequence[str] = ()
) -> None:
    """Register the code of a bundle under a name; see `register_code`."""
    with TemporaryDirectory() as aside:
        folder = Path(aside, BUNDLE)
        bundle.save(folder)
        version, new = register_code(
            store.experiment,
            name,
            folder,
            key=latent_key(bundle),
            max_pixels=max_pixels,
            trust=trust,
        )
    known = "is registered" if new else "was registered before, and is served again"
    log.info("Version %s of the model %s %s in %s", version, name, known, store.experiment)
