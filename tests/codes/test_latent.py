"""The latent of a bundle as a source of codes."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from latenthash.codes.code import Vectors
from latenthash.codes.latent import Latent
from latenthash.errors import InputError


def test_latents_that_are_no_numbers_are_refused_before_any_work() -> None:
    class Broken:
        features = SimpleNamespace(size=8, trim=False)

        lengths = ()

        def outputs(self, views: torch.Tensor) -> Vectors:
            return np.full((len(views), 2), np.nan, np.float32)

    with pytest.raises(InputError, match="latents are not finite numbers"):
        Latent("broken", Broken())  # type: ignore[arg-type]
