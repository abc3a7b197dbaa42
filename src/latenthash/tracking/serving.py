"""Codes as registered MLflow models: kept once, and found by name."""

import hashlib
import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from latenthash.tracking.client import MlflowClient, MlflowException
from latenthash.tracking.experiment import Experiment

ALIAS = "serving"  # of the version that is served
VARIABLE = "MLFLOW_TRACKING_URI"
SAME = "latenthash.model"  # tag of a version: the digest of all that decides what it answers
UPDATED = "latenthash.updated"  # tag of a version that the server registered by itself


def register_code(
    experiment: Experiment,
    name: str,
    bundle: Path,
    *,
    key: str,
    max_pixels: int,
    trust: Sequence[str] = (),
) -> tuple[str, bool]:
    """Register a bundle's code under a name, and let the name's alias `serving` lead to it.

    Args:
        experiment: where the model is kept.
        name: of the registered model, made when there is none.
        bundle: its folder.
        key: names all that decides the bundle's codes.
        max_pixels: width x height above which a picture is refused.
        trust: packages whose classes the bundle names.

    Returns:
        the version, and whether it is new: the same model is registered once.

    Raises:
        StoreRefused: if the store cannot keep it.
    """
    from latenthash.tracking import serving_model  # here, for MLflow's pyfunc takes seconds

    config = {
        **serving_model.LIMITS,
        serving_model.MAX_PIXELS: max_pixels,
        serving_model.TRUST: list(trust),
    }
    script = Path(serving_model.__file__)
    decides = json.dumps([key, config, version("latenthash"), script.read_text(encoding="utf-8")])
    same = hashlib.sha256(decides.encode()).hexdigest()
    with experiment.explained("written to"), experiment.lock():
        experiment.check_free()
        client = experiment.client
        number = _find(client, name, same)
        new = number is None
        if number is None:
            with TemporaryDirectory() as folder:
                model = Path(folder, "model")
                _save(model, script, bundle, config)
                number = _add(experiment, name, model, same)
        client.set_registered_model_alias(name, ALIAS, number)
    return number, new


def _save(model: Path, script: Path, bundle: Path, config: Mapping[str, object]) -> None:
    """Write a model into a folder of its own."""
    from mlflow.pyfunc import save_model

    from latenthash.tracking.serving_model import BUNDLE, SIGNATURE

    with warnings.catch_warnings():
        # An example would be predicted, to see what the signature says already.
        warnings.filterwarnings("ignore", ".*An input example was not provided", UserWarning)
        save_model(
            str(model),
            python_model=str(script),
            artifacts={BUNDLE: str(bundle)},
            signature=SIGNATURE,
            model_config=dict(config),
            # Else MLflow would load the model in another process to see what it imports.
            pip_requirements=[f"latenthash=={version('latenthash')}"],
        )


def served(client: MlflowClient, name: str) -> str | None:
    """Return the version that a name serves; None when there is none."""
    try:
        return str(client.get_model_version_by_alias(name, ALIAS).version)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None


def is_updated(client: MlflowClient, name: str, version: str) -> bool:
    """Say whether a version is what the server registered by itself, and brings up to date."""
    return UPDATED in client.get_model_version(name, version).tags


def keep_updated(client: MlflowClient, name: str) -> None:
    """Let the version that a name serves be brought up to date by the server."""
    number = client.get_model_version_by_alias(name, ALIAS).version
    client.set_model_version_tag(name, number, UPDATED, "true")


def _find(client: MlflowClient, name: str, same: str) -> str | None:
    """Find the version of a model that is the same; the newest, for files may have been deleted."""
    versions = client.search_model_versions(f"name = '{name}'")
    numbers = [int(one.version) for one in versions if one.tags.get(SAME) == same]
    return str(max(numbers)) if numbers else None


def _add(experiment: Experiment, name: str, model: Path, same: str) -> str:
    """Keep a model that lies whole in a folder, and make a version of it."""
    client = experiment.client
    kept = client.create_logged_model(experiment.id, name, tags={SAME: same}, model_type="code")
    try:
        client.log_model_artifacts(kept.model_id, str(model))
    except BaseException:
        client.finalize_logged_model(kept.model_id, "FAILED")
        raise
    client.finalize_logged_model(kept.model_id, "READY")
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    with _everywhere(experiment.address.text):
        made = client.create_model_version(
            name, f"models:/{kept.model_id}", tags={SAME: same}, model_id=kept.model_id
        )
    return str(made.version)


@contextmanager
def _everywhere(uri: str) -> Iterator[None]:
    """Name a store to all of MLflow: its registry asks another client than ours for the model."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = uri
    try:
        yield
    finally:
        os.environ.pop(VARIABLE)
        if before is not None:
            os.environ[VARIABLE] = before
