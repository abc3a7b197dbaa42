"""The job that gives the code of every picture."""

import pandas as pd
from omegaconf import DictConfig

from latenthash.codes.code import printed_code
from latenthash.codes.latent import Latent, latent_key
from latenthash.data.sources import log_skipped
from latenthash.errors import InputError
from latenthash.jobs.answer import answer
from latenthash.jobs.build import build, restore
from latenthash.jobs.open import Opened, open_bundle
from latenthash.jobs.pictures import Given, read_given


def give_codes(cfg: DictConfig) -> None:
    """Answer with the codes of the pictures at a path.

    Raises:
        InputError: if run= names no code, or the pictures cannot be used.
    """
    opened = open_bundle(cfg)
    if opened.bundle.hash is not None:
        raise InputError(
            f"run={cfg.run} left the hash of one picture, and no code: leave job=codes away to see "
            "which pictures match it."
        )
    answer_codes(cfg, opened)


def answer_codes(cfg: DictConfig, opened: Opened) -> None:
    """Answer with the codes that a bundle has for the pictures at a path."""
    given = read_given(cfg, opened)
    hasher = restore(opened.bundle, opened.config, build(cfg.cache))
    latent = Latent(latent_key(opened.bundle), hasher)
    answer(cfg, opened, "codes", codes(latent, given))
    log_skipped(given.skipped)


def codes(latent: Latent, given: Given) -> pd.DataFrame:
    """Return the 256-bit code of each picture, in hexadecimal."""
    code = printed_code(latent)
    texts = [row.tobytes().hex() for row in code.bits(latent.encode(given.views.views))]
    return given.noted(
        pd.DataFrame({"file": given.views.names, f"code ({8 * code.size} bits)": texts})
    )
