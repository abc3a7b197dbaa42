"""What one entry of a run's record becomes in MLflow."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from latenthash.system.terminal import escaped
from latenthash.tracking.client import Dataset, DatasetInput, Metric, MlflowClient, Param, RunTag
from latenthash.tracking.names import LOGGED_TABLES

BATCH = 100  # parameters, metrics or tags that MLflow takes at once
LONGEST = 250  # letters of a parameter's value; the limit of older servers


def scalars(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Flatten nested config values to the texts that become MLflow parameters."""
    flat: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= scalars(value, f"{prefix}{key}.")
        elif not key.startswith("_"):
            flat[f"{prefix}{key}"] = "null" if value is None else escaped(str(value))
    return flat


def write_entry(client: MlflowClient, run_id: str, folder: Path, entry: Mapping[str, Any]) -> None:
    """Tell MLflow one thing of a run.

    Args:
        client: of the store.
        run_id: the run.
        folder: its output folder, where files and folders lie.
        entry: what `Recorder` writes down.
    """
    match entry:
        case {"params": values}:
            for pairs in _chunks(values):
                client.log_batch(run_id, params=[Param(k, v[:LONGEST]) for k, v in pairs])
        case {"sources": sources}:
            client.log_inputs(run_id, [_dataset(**source) for source in sources])
        case {"metrics": values, "step": step, "time": time}:
            for pairs in _chunks(values):
                client.log_batch(run_id, [Metric(k, v, time, step) for k, v in pairs])
        case {"tags": values}:
            for pairs in _chunks(values):
                client.log_batch(run_id, tags=[RunTag(k, v) for k, v in pairs])
        case {"file": name}:
            parent = str(Path(name).parent)
            client.log_artifact(run_id, str(folder / name), None if parent == "." else parent)
        case {"folder": name}:
            client.log_artifacts(run_id, str(folder / name), name)
        case {"table": name}:
            for suffix in ("json", "csv"):
                write_entry(client, run_id, folder, {"file": f"{name}.{suffix}"})
            _show_table(client, run_id, name)
        case {"image": name, "key": key, "step": step}:
            with Image.open(folder / name) as image:
                client.log_image(run_id, image, key=key, step=step)
        case {"status": status}:
            # Told twice, a run would have ended later than it did.
            if client.get_run(run_id).info.status != status:
                client.set_terminated(run_id, status)


def _dataset(name: str, digest: str, source: str) -> DatasetInput:
    """Describe pictures in MLflow's words; it asks for none of them."""
    return DatasetInput(Dataset(name, digest, "local", json.dumps({"uri": source})))


def _show_table(client: MlflowClient, run_id: str, name: str) -> None:
    """Let MLflow's UI find a table."""
    tags = client.get_run(run_id).data.tags
    tables = json.loads(tags.get(LOGGED_TABLES, "[]"))
    entry = {"path": f"{name}.json", "type": "table"}
    if entry not in tables:
        client.set_tag(run_id, LOGGED_TABLES, json.dumps([*tables, entry]))


def _chunks(values: Mapping[str, Any]) -> Iterator[list[tuple[str, Any]]]:
    """Split values into as many as MLflow takes at once."""
    pairs = list(values.items())
    for start in range(0, len(pairs), BATCH):
        yield pairs[start : start + BATCH]
