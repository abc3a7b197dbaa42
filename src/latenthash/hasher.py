"""Features and model as one: from views to latents, and back to pictures."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latenthash.bootstrap import LatentSet
from latenthash.data.splits import ViewSet
from latenthash.hashing import Latents
from latenthash.models import Decoder, Model

BATCH = 128  # views encoded at once


class Hasher(nn.Module):
    """Features and model as one: from views to latents and back to pictures.

    Args:
        features: views (N, size, size, 3) uint8 -> features.
        model: a torch module as well.
    """

    model: Model

    def __init__(self, features: nn.Module, model: Model) -> None:
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

    def latents(self, sets: Mapping[str, ViewSet]) -> dict[str, LatentSet]:
        """Encode the views of several sets."""
        return {name: LatentSet(self.encode(s.views), s.picture) for name, s in sets.items()}

    def _place(self) -> torch.device:
        device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
        self.to(device).eval()
        return device
