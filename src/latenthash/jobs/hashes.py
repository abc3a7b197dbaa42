"""The job that compares printable hashes; it needs no run and no pictures."""

from collections.abc import Sequence

import pandas as pd
from omegaconf import DictConfig

from latenthash.errors import InputError
from latenthash.hashing.printable import compare_texts
from latenthash.jobs.answer import write


def compare_hashes(cfg: DictConfig) -> None:
    """Compare printable hashes, each with each.

    Raises:
        InputError: if there are fewer than two, or one cannot be read.
    """
    if cfg.hashes is None:
        raise InputError("hashes is not set; give two or more: hashes=[LH1-...,LH1-...].")
    given = [cfg.hashes] if isinstance(cfg.hashes, str) else list(cfg.hashes)
    write(cfg, comparison(given), "hashes")


def comparison(texts: Sequence[str]) -> pd.DataFrame:
    """Compare printable hashes, each with each, a row a pair."""
    return pd.DataFrame(
        [
            {
                "hashes": f"{i} and {j}",
                "shared positions": found.shared,
                "agreeing": found.agreeing,
                "share": found.share,
                "surplus": found.surplus,
                "same from": "" if found.least is None else found.least,
                "same picture": found.verdict,
            }
            for i, j, found in compare_texts(texts)
        ]
    )
