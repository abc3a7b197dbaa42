"""A middle layer of VGG16 as features (Simonyan and Zisserman 2015)."""

import torch
from torch import Tensor, nn

from latenthash.errors import InputError
from latenthash.features.trunk import TrunkFeatures, layer_ends


class VGG16(TrunkFeatures):
    """Activations of one layer of the trunk, all of it frozen or its last part fine-tuned.

    Args:
        weights: `imagenet`, `random`, or the path of a state dict; see `load_trunk`.
        layer: conv1_1 ... conv5_3, pool1 ... pool5.
        pooling: none, or the average of each map.
        size: px, side of the square view.
        finetune: whether what lies between `freeze_until` and `layer` is trained.
        freeze_until: the last layer that never is.
        seed: of random weights.
        trim: whether views are cut free of uniform borders first; see `data.views.pipeline`.

    Raises:
        InputError: if the weights cannot be used, or finetune leaves nothing to train.
    """

    def __init__(
        self,
        *,
        weights: str,
        layer: str,
        pooling: str,
        size: int,
        finetune: bool,
        freeze_until: str,
        seed: int,
        trim: bool = False,
    ) -> None:
        ends = layer_ends()
        if finetune and not any(
            ends[freeze_until] < end <= ends[layer]
            for name, end in ends.items()
            if name.startswith("conv")
        ):
            raise InputError(
                f"features.freeze_until={freeze_until} leaves nothing of features.layer={layer} to "
                "fine-tune: name an earlier layer, or set finetune=false."
            )
        last = freeze_until if finetune else layer
        super().__init__(
            weights=weights, size=size, trim=trim, seed=seed,
            kind="vgg16", front=last, ends=(ends[last], ends[layer]),
        )  # fmt: skip
        self.common = f"vgg16-{self.provenance['weights_sha256'][:8]}-{layer}"
        self.pooling = pooling
        self.shape = self._shape()

    def finish(self, maps: Tensor) -> Tensor:
        """Put the frozen part's maps (N, C, H, W) through the tail, and pool them."""
        maps = self.tail(maps.contiguous(memory_format=torch.channels_last))
        return maps.mean((2, 3)) if self.pooling == "average" else maps.contiguous()

    def _through(self, frozen: nn.Sequential, x: Tensor) -> Tensor:
        maps: Tensor = frozen(x)
        return maps.contiguous()
