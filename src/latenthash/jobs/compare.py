"""The job that compares two pictures by their codes, and shows why."""

from functools import partial

import pandas as pd
from omegaconf import DictConfig

from latenthash.data.sources import log_remarks, named
from latenthash.errors import InputError, collect
from latenthash.hashing.printable_code import CodeComparison
from latenthash.jobs.answer import answer
from latenthash.jobs.build import build
from latenthash.jobs.codes import latent_of, open_code
from latenthash.jobs.hashes import code_row
from latenthash.jobs.pictures import given_paths, given_reader
from latenthash.library.code import Code

WAY = "pictures=[a.jpg,b.jpg] compare=true"


def compare_pictures(cfg: DictConfig) -> None:
    """Answer with the distance of two pictures' codes, what it means, and a figure of both.

    Raises:
        InputError: if run= names no code, or there are not two pictures that can be read.
    """
    paths, given = given_paths(cfg)
    if len(paths) != 2:
        raise InputError(
            f"compare=true compares two pictures, and {len(paths)} "
            f"{'is' if len(paths) == 1 else 'are'} given: {WAY}."
        )
    opened = open_code(cfg)
    code = Code(latent_of(opened, build(cfg.cache)), given_reader(cfg, opened))
    first, second = collect(*(partial(code.hash, path) for path in paths))
    names = [named(path, given) for path in paths]
    for name, one in zip(names, (first, second), strict=True):
        log_remarks(name, one.remarks)
    plain = [name for name, one in zip(names, (first, second), strict=True) if not one.detail]
    row = {
        "first": names[0],
        "second": names[1],
        **code_row(CodeComparison(first - second, code.limits)),
        "note": " and ".join(f"{name} has no detail" for name in dict.fromkeys(plain)),
    }
    figure = code.explain(*paths)
    answer(cfg, opened, "comparison", pd.DataFrame([row]), [("comparison", figure)])
