"""The job that shows what a marked picture was made of, and what was made of it."""

import logging
import re
import sys
from pathlib import Path

import pandas as pd
from omegaconf import DictConfig

from latenthash.errors import InputError
from latenthash.jobs.answer import write
from latenthash.jobs.marking import given_registry
from latenthash.report.tables import write_csv, write_figure
from latenthash.watermark.conflicts import earlier
from latenthash.watermark.drawing import draw
from latenthash.watermark.lineage import Lineage
from latenthash.watermark.tracing import trace

log = logging.getLogger(__name__)

ID = re.compile("[0-9a-f]{16}")


def show_lineage(cfg: DictConfig) -> None:
    """Show the lineage of an id: lines for people, a JSON line, or a table as CSV.

    Raises:
        InputError: if the registry cannot be used, or does not know the id.
    """
    if cfg.lineage is None:
        raise InputError("lineage is not set; give the id of a mark: lineage=ID.")
    text = str(cfg.lineage).strip().lower()
    if not ID.fullmatch(text):
        raise InputError(
            f"lineage={cfg.lineage} is no id: it has 16 hexadecimal digits, as verify=PATH shows "
            "them."
        )
    registry, identity = given_registry(cfg), bytes.fromhex(text)
    row = registry.get(identity)
    if row is None:
        raise InputError(f"The registry knows no id {text}; verify=PATH shows the ids of pictures.")
    lineage = trace(registry, identity, [one.id for one in earlier(registry, row)])
    figure = Path(cfg.paths.output, "lineage.png")
    write_figure(draw(lineage, registry), figure)
    log.info("Written to %s", figure)
    table = as_table(lineage)
    if cfg.format == "csv":
        write(cfg, table, "lineage")
        return
    said = lineage.to_json() if cfg.format == "jsonl" else lineage.text()
    sys.stdout.write(f"{said}\n")
    path = Path(cfg.paths.output, "lineage.csv")
    write_csv(table, path)
    log.info("Written to %s", path)


def as_table(lineage: Lineage) -> pd.DataFrame:
    """Lay out a lineage, roots first, a row a picture."""
    return pd.DataFrame(
        {
            "id": step.id.hex(),
            "row": "" if step.seq is None else step.seq,
            "owner": step.owner,
            "made": step.created,
            "registered": step.added,
            "edits": ", ".join(step.edits),
            "parents": " ".join(link.id.hex() for link in step.parents),
            "distance to parents": " ".join(
                "?" if link.distance is None else str(link.distance) for link in step.parents
            ),
            "distance to root": "" if step.root_distance is None else step.root_distance,
            "children": " ".join(one.hex() for one in step.children),
            "fault": step.fault or "",
        }
        for step in lineage.steps
    )
