"""The served model, as code: MLflow copies this file into the model and runs it as a script.

Nothing is pickled: the model is this file, and the bundle beside it, which is data.
"""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any, TypeAlias

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.types import ColSpec, DataType, Schema

import latenthash

PICTURE, CODE, DETAIL, ERROR = "picture", "code", "detail", "error"  # columns
BUNDLE = "bundle"  # its artifact
# Keys of the model's config.
MOST_BYTES, MOST_PICTURES, MAX_PIXELS, TRUST = "most_bytes", "most_pictures", "max_pixels", "trust"

# What a stranger may ask for at once.
LIMITS = {MOST_BYTES: 10_000_000, MOST_PICTURES: 32}
SIGNATURE = ModelSignature(
    Schema([ColSpec(DataType.binary, PICTURE)]),
    Schema(
        [
            ColSpec(DataType.string, CODE, required=False),
            ColSpec(DataType.boolean, DETAIL),
            ColSpec(DataType.string, ERROR, required=False),
        ]
    ),
)

Row: TypeAlias = tuple[str | None, bool, str | None]  # code, detail, error


class CodeModel(PythonModel):
    """Answer pictures with their codes: a row each, in their order, whatever they are."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle.

        Raises:
            InputError: if it cannot be used here.
        """
        config = context.model_config
        self.most_bytes: int = config[MOST_BYTES]
        self.most_pictures: int = config[MOST_PICTURES]
        loaded = latenthash.load(
            context.artifacts[BUNDLE], max_pixels=config[MAX_PIXELS], trust=config[TRUST]
        )
        if not isinstance(loaded, latenthash.Code):
            raise latenthash.InputError("The bundle is the hash of one picture, and no code.")
        self.code = loaded

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Hash pictures.

        Args:
            context: not looked at.
            model_input: N rows of one column, the bytes of a picture file each.
            params: not looked at.

        Returns:
            N rows: the code as text, whether the picture has enough detail for one, and why it
            could not be read.

        Raises:
            MlflowException: if there are too many; MLflow's server answers HTTP 400.
        """
        pictures: Sequence[object] = model_input[PICTURE].tolist()
        if len(pictures) > self.most_pictures:
            raise MlflowException.invalid_parameter_value(
                f"A call takes {self.most_pictures} pictures at most, and here are "
                f"{len(pictures)}: make several calls."
            )
        rows = [self._row(picture) for picture in pictures]
        # Of objects, for pandas would make numbers of a column that is empty.
        return pd.DataFrame(rows, columns=[CODE, DETAIL, ERROR], dtype=object)

    def _row(self, picture: object) -> Row:
        if not isinstance(picture, bytes):
            return None, False, "The picture is not the bytes of a file."
        picture = _file(picture)
        if len(picture) > self.most_bytes:
            return None, False, (
                f"The picture has {len(picture):,} bytes, over the limit of {self.most_bytes:,}."
            )  # fmt: skip
        try:
            found = self.code.hash(picture)
        except latenthash.InputError as error:
            return None, False, str(error)
        return str(found) or None, found.detail, None


def _file(given: bytes) -> bytes:
    """Return the bytes of a file: MLflow leaves base64 as it is in the forms inputs and instances.

    No kind of picture is made of the letters of base64 alone.
    """
    try:
        return b64decode(given, validate=True)
    except ValueError:
        return given


mlflow.models.set_model(CodeModel())
