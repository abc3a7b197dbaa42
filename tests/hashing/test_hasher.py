"""Features and model as one: where they are when they are used."""

from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from latenthash.hashing import hasher
from latenthash.hashing.hasher import Hasher


class Features(nn.Module):
    """Pixels, by way of a layer that tells training from use."""

    size, trim = 2, False
    shape = (12,)
    provenance: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Dropout()

    def forward(self, views: Tensor) -> Tensor:
        """Scale views."""
        scaled: Tensor = self.layer(views.flatten(1).float())
        return scaled


class Model(nn.Module):
    """Keeps its numbers in a buffer, as a model with a closed form does."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("offset", torch.ones(12))

    def encode(self, x: Tensor) -> Tensor:
        """Add the offset."""
        return x + self.get_buffer("offset")


def test_numbers_of_a_model_move_where_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Hasher(Features(), Model(), False)  # type: ignore[arg-type]
    made.eval()
    monkeypatch.setattr(hasher, "_device", lambda: torch.device("meta"))
    made._to_device()
    assert made.model.get_buffer("offset").is_meta  # type: ignore[attr-defined]


def test_what_was_in_training_is_used_as_it_is_meant_to_be() -> None:
    made = Hasher(Features(), Model(), False)  # type: ignore[arg-type]
    views = torch.full((64, 2, 2, 3), 3, dtype=torch.uint8)
    made.features.train()  # type: ignore[attr-defined]
    assert (made.encode(views) == 4).all(), "nothing is dropped"
