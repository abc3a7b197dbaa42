"""MLflow's client: how its errors are told, and that it prints no address."""

from itertools import pairwise

import pytest
from mlflow.environment_variables import MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT
from mlflow.exceptions import MlflowException

from latenthash.errors import InputError
from latenthash.tracking.client import brief


def chained(*errors: Exception) -> Exception:
    """Let each error be the cause of the one before."""
    for error, cause in pairwise(errors):
        error.__cause__ = cause
    return errors[0]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MlflowException("gone.\nand more"), "gone."),
        (chained(MlflowException("a"), OSError("b"), ConnectionError("c")), "c."),
        (chained(MlflowException("a"), InputError("Set b."), OSError("c")), "Set b."),
        (MlflowException("http://me:s3cret@h failed"), "http://***@h failed."),
        (OSError(), "OSError."),
        (MlflowException("x" * 500), "x" * 400 + "."),
        (InputError("x" * 500), "x" * 500 + "."),
    ],
)
def test_error_is_told_by_its_cause(error: Exception, sentence: str) -> None:
    assert brief(error) == sentence


def test_error_that_is_handled_meanwhile_is_no_cause() -> None:
    def fails() -> None:
        try:
            raise ConnectionError("refused")
        except ConnectionError:
            raise MlflowException("no answer")  # noqa: B904

    try:
        raise RuntimeError("the training failed")
    except RuntimeError:
        with pytest.raises(MlflowException) as caught:
            fails()
    assert brief(caught.value) == "refused."


def test_mlflow_prints_no_address() -> None:
    assert MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT.get(), "it would hold the password"
