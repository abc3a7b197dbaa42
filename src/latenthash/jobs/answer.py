"""What a job of evaluate.py answers: a table and figures, shown, written, and kept with the run."""

import logging
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from omegaconf import DictConfig

from latenthash.errors import InputError
from latenthash.jobs.open import SHIPPED_ID, Opened
from latenthash.report.tables import show, write_csv, write_figure

log = logging.getLogger(__name__)


def answer(
    cfg: DictConfig,
    opened: Opened,
    name: str,
    table: pd.DataFrame,
    figures: Iterable[tuple[str, Figure]] = (),
) -> None:
    """Show and write what was found of a bundle, and log it to the run that left the bundle.

    Args:
        cfg: the composed config of evaluate.py.
        opened: the bundle.
        name: of the table.
        table: is shown as cfg.format says.
        figures: path in the output folder, without its end -> figure; each is drawn when it is
            asked for.
    """
    bundle, store, run = opened.bundle, opened.store, opened.run
    write(cfg, table, name, f" of {_called(opened)}")
    if bundle.printable is not None:
        log.info("The printable hash of run %s is %s", bundle.run_id, bundle.printable)
    drawn = []
    for title, figure in figures:
        drawn.append(Path(cfg.paths.output, f"{title}.png"))
        write_figure(figure, drawn[-1])
        log.info("Written to %s", drawn[-1])
    if store and run:
        try:
            store.add(run, table, f"evaluate/{name}", drawn)
        except InputError as error:
            log.warning("Run %s does not have all of this: %s", bundle.run_id, error)
    elif bundle.run_id != SHIPPED_ID:
        log.warning("Run %s is in no store here: the table was not logged.", bundle.run_id)


def _called(opened: Opened) -> str:
    """Name what was applied, for people."""
    run_id, signal = opened.bundle.run_id, opened.config.data.get("signal")
    if run_id == SHIPPED_ID:
        return "the code that ships"
    called = f"run {run_id}" if opened.run is None else f"{opened.run.info.run_name} ({run_id})"
    return called if signal is None else f"{called}, the hash of {signal}"


def write(cfg: DictConfig, table: pd.DataFrame, name: str, of: str = "") -> None:
    """Show a table, and write it to the output folder."""
    show(table, name + of, cfg.format)
    path = Path(cfg.paths.output, f"{name}.csv")
    write_csv(table, path)
    log.info("Written to %s", path)
