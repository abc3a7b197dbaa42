"""Several layers of VGG16 side by side, as a description of a whole picture."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from latenthash.features.trunk import TrunkFeatures, layer_ends


class VGG16Layers(TrunkFeatures):
    """Averages of several layers' maps, each scaled to length 1, one after the other.

    Nothing of it is tuned.

    Args:
        weights: `imagenet`, `random`, or the path of a state dict; see `load_trunk`.
        layers: names, from the input on.
        size: px, side of the square view.
        trim: whether views are cut free of uniform borders first; see `data.views.pipeline`.
        seed: of random weights.

    Raises:
        InputError: if the weights cannot be used.
    """

    def __init__(
        self, *, weights: str, layers: Sequence[str], size: int, trim: bool, seed: int
    ) -> None:
        ends = sorted(layer_ends()[layer] for layer in layers)
        last = ends[-1]
        super().__init__(
            weights=weights, size=size, trim=trim, seed=seed,
            kind="vgg16 layers", front=str(ends), ends=(last, last),
        )  # fmt: skip
        self.ends = ends
        self.shape = self._shape()

    def finish(self, maps: Tensor) -> Tensor:
        """Scale each layer's part of averages (N, D) to length 1."""
        parts = torch.split(maps, self.widths, 1)
        return torch.cat([nn.functional.normalize(part) for part in parts], 1)

    def _through(self, frozen: nn.Sequential, x: Tensor) -> Tensor:
        averages = []
        for start, end in zip([0, *self.ends], self.ends, strict=False):
            x = frozen[start:end](x)
            averages.append(x.mean((2, 3)))
        self.widths = [part.shape[1] for part in averages]
        return torch.cat(averages, 1)
