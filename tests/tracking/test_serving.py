"""A code as an MLflow model: what it is made of, what it answers, and that it is kept once."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from PIL import Image

import latenthash
from app import client, database
from latenthash.codes.latent import latent_key
from latenthash.jobs.at_hand import shipped_bundle
from latenthash.tracking.experiment import Experiment
from latenthash.tracking.serving import ALIAS, register_code, served
from latenthash.tracking.serving_model import LIMITS, MOST_BYTES, MOST_PICTURES
from latenthash.tracking.store import Store
from photographs import photo

MAX_PIXELS = 10**6


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shipped") / "bundle"
    shipped_bundle("code").save(folder)
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Store:
    folder = tmp_path_factory.mktemp("kept")
    store = Store(Experiment(database(folder), "latenthash", str(folder / "mlartifacts")))
    assert register_code(
        store.experiment, "mine", bundle, key="a", max_pixels=MAX_PIXELS
    ) == ("1", True)  # fmt: skip
    return store


@pytest.fixture(scope="module")
def model(kept: Store) -> mlflow.pyfunc.PyFuncModel:
    return mlflow.pyfunc.load_model(str(folder_of(kept, "mine")))


def folder_of(store: Store, name: str) -> Path:
    """Return the folder of the model that a name serves."""
    version = client(store).get_model_version_by_alias(name, ALIAS)
    return store.experiment.root / "models" / Path(version.source).name / "artifacts"


def png(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def answers(model: mlflow.pyfunc.PyFuncModel, *pictures: bytes) -> list[tuple[object, ...]]:
    table = model.predict(pd.DataFrame({"picture": list(pictures)}))
    assert list(table.columns) == ["code", "detail", "error"]
    return list(table.itertuples(index=False, name=None))


def test_model_is_data_and_its_code(kept: Store) -> None:
    folder = folder_of(kept, "mine")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {
        "MLmodel",
        "conda.yaml",
        "python_env.yaml",
        "requirements.txt",
        "serving_model.py",
        *(f"artifacts/bundle/{name}" for name in ("hash.json", "config.yaml")),
        "artifacts/bundle/weights.safetensors",
    }
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".safetensors":  # every other one is text
            path.read_text(encoding="utf-8")


def test_codes_are_those_of_the_library(model: mlflow.pyfunc.PyFuncModel) -> None:
    files = [png(photo(i).pixels) for i in range(3)]
    code = latenthash.load("code")
    assert answers(model, *files) == [(str(code.hash(file)), True, None) for file in files]
    plain = png(np.full((64, 64, 3), 90, np.uint8))
    assert answers(model, plain) == [(None, False, None)]


def test_base64_that_was_left_as_it_was_is_read(model: mlflow.pyfunc.PyFuncModel) -> None:
    file = png(photo(0).pixels)
    assert answers(model, b64encode(file)) == answers(model, file)


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (b"", "is empty"),
        (b"no picture", "is not a picture that can be read"),
        (png(photo(0).pixels)[:-3000], "is truncated or damaged"),
        (png(np.zeros((1001, 1000), np.uint8)), "1000 x 1001 pixels, over the limit of 1,000,000"),
        (png(np.zeros((4, 4), np.uint8)), "both sides must be at least 8 px"),
        (bytes(LIMITS[MOST_BYTES] + 1), "10,000,001 bytes, over the limit of 10,000,000"),
    ],
)
def test_bad_picture_is_a_row_among_others(
    picture: bytes, sentence: str, model: mlflow.pyfunc.PyFuncModel
) -> None:
    good, bad = answers(model, png(photo(0).pixels), picture)
    assert good[1:] == (True, None)
    assert bad[:2] == (None, False)
    assert str(bad[2]).startswith("The picture ")
    assert sentence in str(bad[2])
    assert "Traceback" not in str(bad[2])


def test_too_many_pictures_are_refused(model: mlflow.pyfunc.PyFuncModel) -> None:
    most = LIMITS[MOST_PICTURES]
    assert len(answers(model, *[b""] * most)) == most
    with pytest.raises(MlflowException, match=f"takes {most} pictures at most") as caught:
        answers(model, *[b""] * (most + 1))
    assert caught.value.get_http_status_code() == 400


def test_what_is_no_picture_at_all_is_refused(model: mlflow.pyfunc.PyFuncModel) -> None:
    for columns in ({"image": [b""]}, {"picture": [5]}):
        with pytest.raises(MlflowException, match="Failed to enforce schema") as caught:
            model.predict(pd.DataFrame(columns))
        assert caught.value.get_http_status_code() == 400


def test_model_is_kept_once_and_the_alias_leads_to_what_was_asked_for(
    bundle: Path, store: Store
) -> None:
    assert served(store.experiment.client, "name") is None

    def register(**changed: object) -> tuple[str, bool]:
        given = {"key": latent_key(shipped_bundle("code")), "max_pixels": 10**6, **changed}
        return register_code(store.experiment, "name", bundle, **given)  # type: ignore[arg-type]

    assert register() == ("1", True)
    assert register() == ("1", False)
    assert register(key="another") == ("2", True)
    assert register(max_pixels=10**5) == ("3", True)
    assert served(store.experiment.client, "name") == "3"
    assert register() == ("1", False)
    assert served(store.experiment.client, "name") == "1"
    models = list((store.experiment.root / "models").iterdir())
    assert len(models) == 3
