"""Markdown, as the notes of MLflow's UI show it."""

import re
import shlex
from collections.abc import Sequence

import pandas as pd

from latenthash.system.calling import typed
from latenthash.system.terminal import escaped

MOST = 24  # rows of a table in a note


def literal(text: str) -> str:
    """Write a text so that nothing of it is taken as Markdown, HTML or, as in :girl:, a picture."""
    text = re.sub(r"[\\`*_\[\]|~]", r"\\\g<0>", escaped(text))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(":", "&#58;")


def command(verb: str, line: Sequence[str]) -> str:
    """Write a command as a block of code; its verb is train or evaluate."""
    return f"    {typed(verb)} {escaped(shlex.join(line))}"


def markdown(table: pd.DataFrame) -> str:
    """Write the first rows of a table."""
    head = [literal(str(name)) for name in table.columns]
    rows = [[_cell(value) for value in row] for row in table.head(MOST).itertuples(index=False)]
    # MLflow's UI leaves no room between columns.
    head, *rows = ([f"{cell}&ensp;" for cell in cells] for cells in (head, *rows))
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    if len(table) > MOST:
        lines += ["", f"and {len(table) - MOST} more"]
    return "\n".join(lines)


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else literal(str(value))
