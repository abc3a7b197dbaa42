"""Features and model as one: from views to latents, and back to pictures."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn

from latenthash.data.splits import ViewSet
from latenthash.features import Features, FeatureSet
from latenthash.hashing import Latents, LatentSet
from latenthash.models import Decoder, Model

BATCH = 64  # views encoded at once


class Hasher(nn.Module):
    """Features and model as one: from views to latents and back to pictures.

    Args:
        features: a torch module.
        model: a torch module as well.
    """

    features: Features
    model: Model

    def __init__(self, features: Features, model: Model) -> None:
        super().__init__()
        self.features = features
        self.model = model

    @torch.inference_mode()
    def encode(self, views: Tensor) -> Latents:
        """Map views (N, size, size, 3) uint8 to z (N, k)."""
        device = self._place()
        batches = torch.split(views, BATCH)
        z = [self.model.encode(self.features(batch.to(device))).cpu() for batch in batches]
        return torch.cat(z).double().numpy()

    @torch.inference_mode()
    def decode(self, z: Latents) -> NDArray[np.float64]:
        """Map z (N, k) to pictures (N, size, size, 3) in [0, 1]; for models that can."""
        assert isinstance(self.model, Decoder)
        device = self._place()
        batches = torch.split(torch.from_numpy(z).float(), BATCH)
        pictures = torch.cat([self.model.decode(batch.to(device)).cpu() for batch in batches])
        return pictures.permute(0, 2, 3, 1).double().numpy()

    @torch.no_grad()  # not inference_mode: models are trained on what comes out
    def describe(self, sets: Mapping[str, ViewSet]) -> dict[str, FeatureSet]:
        """Compute the features of the views of several sets."""
        device = _device()
        described = {}
        for name, s in track(sets.items(), "Features", transient=True):
            batches = torch.split(s.views, BATCH)
            x = torch.cat([self.features(batch.to(device)).cpu() for batch in batches])
            described[name] = FeatureSet(x, s.picture)
        return described

    def latents(self, sets: Mapping[str, ViewSet]) -> dict[str, LatentSet]:
        """Encode the views of several sets."""
        return {name: LatentSet(self.encode(s.views), s.picture) for name, s in sets.items()}

    def _place(self) -> torch.device:
        device = _device()
        self.to(device).eval()
        return device


def _device() -> torch.device:
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
