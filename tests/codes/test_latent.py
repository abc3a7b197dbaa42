"""The latent of a bundle as a source of codes."""

import hashlib
from types import SimpleNamespace
from typing import Any

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


class Network:
    """Stands for features and model: a head, and another beside it."""

    lengths = ()

    def __init__(
        self, size: int = 8, digest: str = "a", name: str = "x", **weights: torch.Tensor
    ) -> None:
        self.features = SimpleNamespace(
            size=size, trim=False, provenance={"weights_sha256": digest, "weights": name}
        )
        state = {"model.head.weight": torch.ones(2), "model.short.weight": torch.zeros(2)}
        self.state = state | {f"model.{name}.weight": tensor for name, tensor in weights.items()}

    def outputs(self, views: torch.Tensor) -> Vectors:
        """Map views to z."""
        return np.zeros((len(views), 2), np.float32)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return all weights."""
        return self.state


def tag(network: Any) -> bytes:
    return Latent("any", network).tag


def test_tag_is_two_bytes_fixed_for_ever() -> None:
    text = b"(8, False, 'a')model.head.weight" + b"\0\0\x80\x3f" * 2
    assert tag(Network()) == hashlib.sha256(text).digest()[:2]


def test_tag_stays_with_the_precision_of_the_file_and_the_head_of_another_code() -> None:
    assert tag(Network(head=torch.ones(2).half())) == tag(Network())
    assert tag(Network(short=torch.ones(64))) == tag(Network())
    assert tag(Network(name="elsewhere")) == tag(Network())


@pytest.mark.parametrize(
    "other", [Network(head=torch.zeros(2)), Network(size=16), Network(digest="b")]
)
def test_tag_names_all_that_decides_the_bits(other: Network) -> None:
    assert tag(other) != tag(Network())
