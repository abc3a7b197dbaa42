"""The job that makes a key to sign marks with."""

import logging
from pathlib import Path

import pandas as pd
from omegaconf import DictConfig

from latenthash.errors import InputError
from latenthash.jobs.answer import write
from latenthash.watermark import keys

log = logging.getLogger(__name__)


def make_key(cfg: DictConfig) -> None:
    """Make a key, and say whose it is.

    Raises:
        InputError: if it cannot be written, or the name is none.
    """
    if cfg.keygen is None:
        raise InputError("keygen is not set; name the file of the new key: keygen=FILE.pem.")
    path = Path(cfg.keygen)
    signer = keys.make_key(path, None if cfg.name is None else str(cfg.name))
    row = {"file": str(path), "name": signer.name, "public key": signer.public.hex()}
    write(cfg, pd.DataFrame([row]), "key")
    log.info("Whoever has %s signs in your name: keep it where nobody else reads it.", path)
