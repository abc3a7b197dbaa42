"""The job that verifies pictures against a registry."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from omegaconf import DictConfig

from latenthash.data.sources import named
from latenthash.errors import InputError, JobError
from latenthash.jobs.answer import write
from latenthash.jobs.marking import each, found_pictures, given_marks, given_registry
from latenthash.jobs.matches import file_stem
from latenthash.jobs.pictures import EXPLAINED
from latenthash.report.tables import write_figure
from latenthash.system.paths import path_text
from latenthash.watermark.audit import refuse_other
from latenthash.watermark.marks import Marks
from latenthash.watermark.rows import read_head
from latenthash.watermark.verdict import Verdict, owner

log = logging.getLogger(__name__)

COLUMNS = [
    *("file", "status", "id", "owner", "key", "registered", "binding", "distance", "inliers"),
    *("conflicts", "sentence", "note"),
]


def verify(cfg: DictConfig) -> None:
    """Say whose the picture at a path is, or all of a folder, and whether marks are theirs.

    Raises:
        InputError: if the registry, the run or the path cannot be used.
        JobError: unless all pictures are verified, and nobody else registered them before.
    """
    if cfg.verify is None:
        raise InputError("verify is not set; give a picture or a folder: verify=PATH.")
    pictures = found_pictures(cfg.verify, "verify")
    paths = pictures.paths
    if cfg.explain and len(paths) > EXPLAINED:
        raise InputError(
            f"explain=true draws a figure of each picture, of {EXPLAINED} at most, and "
            f"verify={cfg.verify} holds {len(paths)}; give fewer."
        )
    registry = given_registry(cfg)
    if cfg.head is not None:
        refuse_other(registry, read_head(Path(cfg.head)))
    marks = given_marks(cfg, registry)

    def done(path: Path) -> dict[str, Any]:
        try:
            return _row(named(path, pictures.given), marks.verify(path))
        except InputError as error:
            note = {"file": named(path, pictures.given), "note": str(error)}
            return dict.fromkeys(COLUMNS, "") | note

    rows = list(each(done, paths, "Verifying"))
    write(cfg, pd.DataFrame(rows, columns=COLUMNS), "verdicts", f" by {_called(cfg.registry)}")
    if cfg.explain:
        for title, figure in _figures(
            marks, [p for p, r in zip(paths, rows, strict=True) if r["status"]]
        ):
            at = Path(cfg.paths.output, "explain", f"{title}.png")
            write_figure(figure, at)
            log.info("Written to %s", at)
    failed = sum(row["status"] != "verified" for row in rows)
    disputed = sum(row["status"] == "verified" and row["conflicts"] != "" for row in rows)
    if failed:
        raise JobError(f"{failed} of {len(rows)} files are not verified.")
    if disputed:
        raise JobError(
            f"{disputed} of {len(rows)} files are verified, but others registered the same before."
        )


def _row(name: str, found: Verdict) -> dict[str, Any]:
    """Lay out a verdict."""
    row, agreement = found.row, found.agreement
    return {
        "file": name,
        "status": found.status,
        "id": "" if found.identity is None else found.identity.hex(),
        "owner": "" if row is None or row.signed is None else owner(row),
        "key": "" if row is None or row.signed is None else row.signed.manifest.owner.key,
        "registered": "" if row is None else row.added,
        "binding": "" if agreement is None else found.binding,
        "distance": "" if agreement is None or agreement.distance is None else agreement.distance,
        "inliers": "" if agreement is None else agreement.registration.inliers,
        "conflicts": " ".join(one.id.hex() for one in found.conflicts),
        "sentence": found.sentence,
        "note": "",
    }


def _figures(marks: Marks, paths: Sequence[Path]) -> Iterator[tuple[str, Figure]]:
    """Draw each verdict; the number tells pictures of one name apart."""
    for i, path in enumerate(paths):
        yield f"{i:02d}_{file_stem(path_text(Path(path.name)))}", marks.explain(path)


def _called(registry: str) -> str:
    """Name a registry without what stands before it."""
    return registry.rpartition("/")[2]
