"""The job that shows a registry, checks it, and writes down its head."""

import logging
from pathlib import Path

import pandas as pd
from omegaconf import DictConfig

from latenthash.errors import InputError, JobError, refuse_existing
from latenthash.jobs.answer import write
from latenthash.jobs.marking import given_registry
from latenthash.system.paths import path_text
from latenthash.watermark.audit import check
from latenthash.watermark.rows import read_head
from latenthash.watermark.writing import put

log = logging.getLogger(__name__)


def show_registry(cfg: DictConfig) -> None:
    """Show what is in a registry; check every row, or write its head to a file, if asked to.

    Raises:
        InputError: if it cannot be used, or the head is of another.
        JobError: if rows were altered, swapped, removed or cut off.
    """
    if cfg.head is not None and not cfg.check:
        raise InputError(f"head={cfg.head} is looked for by check=true: add that.")
    registry = given_registry(cfg)
    known = None if cfg.head is None else read_head(Path(cfg.head))
    faults = check(registry, known) if cfg.check else []
    head = registry.head()
    figures = {
        "rows": len(registry),
        "codes of": ", ".join(
            f"{bundle[:8]} ({count})" for bundle, count in registry.bundles().items()
        ),
        "registry's key": registry.public.hex(),
        "newest row": head.seq,
        "its digest": head.digest.hex(),
        "check": "" if not cfg.check else f"{len(faults)} faults" if faults else "sound",
    }
    write(cfg, pd.DataFrame([figures]), "registry")
    if faults:
        for fault in faults:
            log.error("%s", fault)
        rows = [{"first": one.first, "last": one.last, "what": one.what} for one in faults]
        write(cfg, pd.DataFrame(rows), "faults")
        raise JobError(f"The registry was altered: {len(faults)} faults, the first at row "
                       f"{faults[0].first}.")  # fmt: skip
    if cfg.head_to is not None:
        path = Path(cfg.head_to)
        refuse_existing(path, "name another file with head_to=FILE")
        put(head.to_json().encode(), path)
        log.info("Written to %s: keep it where the registry is not.", path_text(path))
