"""Records that tests write, as one of another's run may be, and how a store fails."""

import json
from pathlib import Path

from mlflow.exceptions import MlflowException

from latenthash.tracking.names import RECORDED
from latenthash.tracking.record import RECORD

GONE = MlflowException("API request to http://me:secret@host failed\nand more")
HEAD = json.dumps({"tags": {"kind": "test", RECORDED: "token"}})
METRIC = '{"metrics": {"a": 1}, "step": 0, "time": 0}'


def written(folder: Path, *lines: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / RECORD).write_text("".join(f"{line}\n" for line in (HEAD, *lines)))
    return folder
