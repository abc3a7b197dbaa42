"""The job that says which pictures match a hash, and why."""

import logging
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from omegaconf import DictConfig

from latenthash.cache import DiskCache
from latenthash.data.sources import log_skipped
from latenthash.data.splits import ViewSet
from latenthash.errors import InputError
from latenthash.hashing.enrolled import Hash
from latenthash.hashing.hasher import Hasher
from latenthash.jobs.answer import answer
from latenthash.jobs.build import build, build_splits, restore
from latenthash.jobs.codes import answer_codes
from latenthash.jobs.command.effects import check_effects
from latenthash.jobs.command.sweeping import typed_line
from latenthash.jobs.locating import with_pictures
from latenthash.jobs.open import Opened, open_bundle
from latenthash.jobs.pictures import Given, noted, read_given
from latenthash.library.signal import matches as compared
from latenthash.options.jobs import CODES
from latenthash.report.explain import explain

log = logging.getLogger(__name__)

STEM = 100  # bytes of a name; file systems allow 255, with what is put before and behind it


def match(cfg: DictConfig) -> None:
    """Say which of the pictures at a path match the hash of a run; of a code, give their codes.

    Raises:
        InputError: if the run or the pictures cannot be used.
    """
    opened = open_bundle(cfg)
    hash_ = opened.bundle.hash
    if hash_ is None:  # only the bundle says so
        check_effects(CODES, typed_line())
        answer_codes(cfg, opened)
        return
    cache = build(cfg.cache)
    given = read_given(cfg, opened)
    hasher = restore(opened.bundle, opened.config, cache)
    figures: Iterator[tuple[str, Figure]] = iter(())
    if cfg.explain:
        figures = explanations(hasher, hash_, given.views, _known(opened, cache))
    table = matches(hash_, hasher, given)
    answer(cfg, opened, "matches", table, figures)
    log.info("%d of %d pictures match", (table["match"] == "yes").sum(), len(given.views.names))
    log_skipped(given.skipped)


def matches(hash_: Hash, hasher: Hasher, given: Given) -> pd.DataFrame:
    """Hash pictures, and say which match, a row each."""
    found = compared(hash_, hasher, given.views, [not plain for plain in given.plain])
    table = pd.DataFrame(
        {"file": given.views.names, "distance / R": [one.distance / one.radius for one in found]}
    )
    if hash_.gate is not None:
        table["error / E"] = [one.error / hash_.gate for one in found if one.error is not None]
    table = table.assign(match=["yes" if one.inside else "no" for one in found])
    return noted(table, given.plain, given.skipped)


def explanations(
    hasher: Hasher, hash_: Hash, views: ViewSet, known: Mapping[str, ViewSet]
) -> Iterator[tuple[str, Figure]]:
    """Explain the verdict on each picture; what a figure is called is a path without its end."""
    for i, figure in enumerate(explain(hasher, hash_, views, known)):
        # The number tells pictures of one name apart.
        yield f"explain/{i:02d}_{file_stem(views.names[i])}", figure


def file_stem(name: str) -> str:
    """Return what of a picture's name can stand in the name of any file, path or address."""
    encoding = sys.getfilesystemencoding()
    start = Path(name).stem.encode(encoding, errors="replace")[:STEM]
    return re.sub(r"[^\w.-]", "_", start.decode(encoding, errors="ignore"))


def _known(opened: Opened, cache: DiskCache) -> dict[str, ViewSet]:
    """Make the test views of a bundle again; none where its pictures are not here."""
    try:
        config = with_pictures(opened.config, opened.bundle, opened.places)
        return build_splits(config, cache).test()
    except InputError as error:
        log.warning("The map shows no views of the run, for they cannot be made again: %s", error)
        return {}
