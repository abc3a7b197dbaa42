"""How this process was called, so that the next command is named as its user types it."""

import sys
from pathlib import Path

SCRIPT = "latenthash"  # as pip installs it, see [project.scripts] in pyproject.toml


def typed(verb: str) -> str:
    """Return how a command begins: `python train.py` in a checkout, elsewhere `latenthash train`.

    Args:
        verb: train or evaluate.
    """
    return f"{SCRIPT} {verb}" if Path(sys.argv[0]).stem == SCRIPT else f"python {verb}.py"
