"""What tests of whole runs share: configs, calling the scripts, tiny pictures, reading MLflow."""

import contextlib
import io
import runpy
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from mlflow import MlflowClient
from mlflow.entities import Run
from omegaconf import DictConfig, OmegaConf
from PIL import Image
from sqlalchemy.engine import URL

from latenthash.jobs.command.resolvers import register_resolvers
from latenthash.tracking.store import Store
from project import CONF, ROOT

# Tiny everything: a run takes a few seconds.
TINY = [
    "data=folders",
    "trainer=debug",
    "features.size=16",
    "model.channels=[8,16]",
    "data.views={train:12,validation:6,calibration:20,test:12,edits:4}",
    "resamples=50",
]
STATED = ("experiment", "sweep")  # groups whose files state what they are for
# Groups of evaluate.yaml.
OF_EVALUATE = ("benchmark", "job", "reader", "peer", "carrier", "binding")
ADDED = (*STATED, "ingredients")  # groups that are added with a plus
OPTIONS = sorted(
    (path.parent.name, path.stem)
    for path in CONF.glob("*/*.yaml")
    if path.parent.name not in ("hydra", "paths")
)


register_resolvers()


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code, all it wrote, and what of it to standard output."""

    code: int
    output: str
    out: str


class Both(io.StringIO):
    """What is written here is written to another as well."""

    def __init__(self, other: io.StringIO) -> None:
        super().__init__()
        self.other = other

    def write(self, text: str) -> int:
        """Write to both."""
        self.other.write(text)
        return super().write(text)


def call(script: str, folder: Path, *args: str) -> Done:
    """Run a script as a user would from a folder, in this process: its imports take seconds."""
    output = io.StringIO()
    out = Both(output)
    code: object = 0
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(output),
    ):
        patch.chdir(folder)
        # MLflow leaves its address in the environment, where the next call would find it.
        patch.setenv("MLFLOW_TRACKING_URI", "")
        patch.delenv("MLFLOW_TRACKING_URI")
        patch.setattr(sys, "argv", [script, *args])
        try:
            runpy.run_path(str(ROOT / script), run_name="__main__")
        except SystemExit as stop:
            code = stop.code
    return Done(int(code or 0), output.getvalue(), out.getvalue())  # type: ignore[call-overload]


def sources(folder: Path) -> list[str]:
    """Write pictures for all five roles and give the overrides that name them."""
    rng = np.random.default_rng(0)
    for role, count in {
        "signal": 1, "noise_edited": 1, "noise_similar": 6, "outliers": 2, "unseen": 3
    }.items():  # fmt: skip
        (folder / role).mkdir()
        for i in range(count):
            blocks = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
            pixels = np.kron(blocks, np.ones((10, 10, 1), np.uint8))
            # Every other one transparent: users' folders hold all kinds.
            mode = "RGBA" if i % 2 else "RGB"
            Image.fromarray(pixels).convert(mode).save(folder / role / f"{i}.png")
    return [
        "data.signal=signal/0.png",
        "data.noise_edited=noise_edited/0.png",
        *(f"data.{role}={role}" for role in ("noise_similar", "outliers", "unseen")),
    ]


def database(folder: Path) -> str:
    """Return the URI of a folder's database, whatever the folder is called."""
    return URL.create("sqlite", database=str(folder / "mlflow.db")).render_as_string()


def runs(folder: Path, kind: str = "job") -> list[Run]:
    client = MlflowClient(database(folder))
    experiment = client.get_experiment_by_name("latenthash")
    assert experiment is not None
    query = f"tags.`latenthash.kind` = '{kind}'"
    return list(client.search_runs([experiment.experiment_id], query, order_by=["start_time ASC"]))


def client(store: Store) -> MlflowClient:
    """Return MLflow's client of a store, to look behind it."""
    return MlflowClient(store.experiment.address.text)


def artifact(folder: Path, run: Run, name: str) -> Path:
    """Copy an artifact to where pytest tidies up, beside the folder."""
    client = MlflowClient(database(folder))
    return Path(client.download_artifacts(run.info.run_id, name, mkdtemp(dir=folder.parent)))


def override(group: str, option: str) -> str:
    """Return the override that chooses a file of conf/."""
    if group in ADDED:
        return f"+{group}={option}"
    # The same group serves the enrolment pipeline and the list of unseen edits.
    return f"augment@edits={option}" if option == "unseen_edits" else f"{group}={option}"


def composed(*overrides: str, root: str = "train") -> DictConfig:
    """Compose a config as a command would, without the node `hydra`."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose(
            root,
            ["hydra.runtime.output_dir=out", "hydra.job.num=0", *overrides],
            return_hydra_config=True,
        )
    HydraConfig.instance().set_config(cfg)
    cfg = cfg.copy()
    OmegaConf.set_struct(cfg, False)
    del cfg.hydra
    return cfg
