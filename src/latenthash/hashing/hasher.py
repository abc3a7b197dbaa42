"""Features and model as one: from views to latents, and back to pictures."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latenthash.errors import InputError
from latenthash.features.interface import Features, FeatureSet, Staged, is_staged
from latenthash.hashing.enrolled import Latents, LatentSet
from latenthash.models.interface import Coder, Decoder, Diagrammed, Model, Rebuilder
from latenthash.options.misfits import NO_REBUILDING
from latenthash.system.terminal import track

if TYPE_CHECKING:  # it imports albumentations, which takes a second
    from latenthash.data.splits import ViewSet

BATCH = 64  # views taken at once


class Hasher(nn.Module):
    """Features and model as one: from views to latents and back to pictures.

    Args:
        features: a torch module.
        model: a torch module as well.
        gated: whether latents come with reconstruction errors, for a hash with a gate.

    Raises:
        InputError: if they should and the model rebuilds nothing.
    """

    features: Features
    model: Model

    def __init__(self, features: Features, model: Model, gated: bool) -> None:
        super().__init__()
        if gated and not isinstance(model, Rebuilder):
            raise InputError(NO_REBUILDING)
        self.gated = gated
        self.features = features
        self.model = model

    def encode(self, views: Tensor) -> Latents:
        """Map views (N, size, size, 3) uint8 to z (N, k)."""
        return self._mapped(self.model.encode, self._features(views, "Features"))

    @property
    def lengths(self) -> tuple[int, ...]:
        """Bits of the codes that the model was trained for; none where it learned no codes."""
        return self.model.lengths if isinstance(self.model, Coder) else ()

    def outputs(self, views: Tensor) -> Latents:
        """Map views (N, size, size, 3) uint8 to what codes are made of, (N, D).

        The latent z (N, k), and what a model has beside it for codes of its own.
        """
        network = self.model.outputs if isinstance(self.model, Coder) else self.model.encode
        return self._mapped(network, self._features(views, "Features"))

    def latents(self, features: FeatureSet) -> LatentSet:
        """Encode features, with their reconstruction errors where the hash has a gate."""
        error = None
        if self.gated:
            assert isinstance(self.model, Rebuilder)
            error = self._mapped(self.model.errors, features.x)
        return LatentSet(self._mapped(self.model.encode, features.x), features.picture, error)

    @torch.no_grad()
    def _mapped(self, network: Callable[[Tensor], Tensor], x: Tensor) -> NDArray[np.float64]:
        """Put features (N, *shape) through a network, in batches."""
        device = self._to_device()
        made = [network(batch.to(device)).cpu() for batch in torch.split(x, BATCH)]
        return torch.cat(made).double().numpy()

    @torch.inference_mode()
    def decode(self, z: Latents) -> NDArray[np.float64]:
        """Map z (N, k) to pictures (N, size, size, 3) in [0, 1]; for models that can."""
        assert isinstance(self.model, Decoder)
        device = self._to_device()
        batches = torch.split(torch.from_numpy(z).float(), BATCH)
        pictures = torch.cat([self.model.decode(batch.to(device)).cpu() for batch in batches])
        return pictures.permute(0, 2, 3, 1).double().numpy()

    def describe(self, sets: Mapping[str, "ViewSet"]) -> dict[str, FeatureSet]:
        """Compute the features of the views of several sets."""
        return {
            name: FeatureSet(self._features(s.views, f"Features of {name}"), s.picture, s.views)
            for name, s in sets.items()
        }

    def diagrams(self, views: Tensor) -> list[NDArray[np.float64]]:
        """Compute the persistence diagrams of views (N, size, size, 3); for models that can."""
        assert isinstance(self.model, Diagrammed)
        return self.model.diagrams(self._features(views, "Features"))

    def encode_sets(self, sets: Mapping[str, "ViewSet"]) -> dict[str, LatentSet]:
        """Encode the views of several sets; see `latents`."""
        return {name: self.latents(features) for name, features in self.describe(sets).items()}

    def milliseconds(self, views: Tensor) -> float:
        """Measure the time from a view (N, size, size, 3) to its z, without the cache."""
        with self.uncached():
            self.encode(views[:1])  # warms up
            started = time.perf_counter()
            self.encode(views)
            return 1000 * (time.perf_counter() - started) / len(views)

    @contextmanager
    def uncached(self) -> Iterator[None]:
        """Compute features anew, without their cache, within the context."""
        features = self.features
        if not is_staged(features):
            yield
            return
        cache, features.cache = features.cache, None
        try:
            yield
        finally:
            features.cache = cache

    @torch.no_grad()  # not inference_mode: models are trained on what comes out
    def _features(self, views: Tensor, title: str) -> Tensor:
        """Compute the features of views, on the CPU."""
        device = self._to_device()
        batches = torch.split(views, BATCH)
        shown = track(batches, title, disable=len(batches) == 1)
        return torch.cat([self.features(batch.to(device)).cpu() for batch in shown])

    def _to_device(self) -> torch.device:
        """Move to the device that computes, in evaluation mode."""
        device = _device()
        # Only where there is something to do: else it would take half of a small network's time.
        # Features and model are each on one device, and in one mode: their first tensors say which.
        for part in self.children():
            first = next(chain(part.parameters(), part.buffers()), None)
            if part.training or (first is not None and first.device != device):
                self.to(device).eval()
        return device


@torch.no_grad()
def begin(features: Staged, sets: Mapping[str, "ViewSet"]) -> dict[str, Tensor]:
    """Put the views of several sets through the frozen stage of features."""
    device = _device()
    maps = {}
    for name, s in sets.items():
        batches = torch.split(s.views, BATCH)
        shown = track(batches, f"Frozen layers, {name}", disable=len(batches) == 1)
        maps[name] = torch.cat([features.begin(batch.to(device)).cpu() for batch in shown])
    return maps


def _device() -> torch.device:
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
