"""The network of a contrastive code, in use: what its training adds is not needed to make codes."""

import copy
import logging
from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from latenthash.cache import DiskCache
from latenthash.errors import InputError
from latenthash.features.efficientnet import EfficientNetLite0, Head, folded
from latenthash.features.onnx_runtime import is_installed, through_onnx
from latenthash.options.misfits import BLOCK, NO_PICTURES

log = logging.getLogger(__name__)

AT_ONCE = 32  # pictures of SIDE px put through the trunk on a CPU, where more take longer, each
ON_DEVICE, SIDE = 512, 192  # the same on an accelerator


class CodeNetwork(nn.Module):
    """EfficientNet-Lite0 with a head of k numbers, whose signs are a code of k bits.

    A shorter code is made of the same numbers by a linear layer.

    Args:
        shape: of one picture, (3, side, side).
        latent_dim: k.
        short_dim: bits of the shorter code, at most k.

    Attributes:
        lengths: (k, short_dim), of the codes whose bits are signs of `outputs`.

    Raises:
        InputError: if features are no pictures, their side does not suit JPEG's blocks, or the
            shorter code is the longer one.
    """

    def __init__(self, *, shape: tuple[int, ...], latent_dim: int, short_dim: int) -> None:
        super().__init__()
        if len(shape) != 3 or shape[0] != 3 or shape[1] % BLOCK:
            raise InputError(NO_PICTURES)
        if short_dim > latent_dim:
            raise InputError(
                f"model.short_dim={short_dim} must be at most model.latent_dim={latent_dim}."
            )
        self.side = shape[1]
        self.lengths = (latent_dim, short_dim)
        self.trunk = EfficientNetLite0()
        self.head = Head(latent_dim)
        self.short = nn.Linear(latent_dim, short_dim)
        # Where torch does not look for modules: it can be made again.
        self._frozen: dict[torch.device, Callable[[Tensor], Tensor]] = {}
        hook = self.register_load_state_dict_post_hook
        hook(lambda module, keys: module._forget())  # type: ignore[no-untyped-call]

    def encode(self, x: Tensor) -> Tensor:
        """Map pictures x (N, 3, side, side) in [0, 1] to z (N, k)."""
        return self.outputs(x)[:, : self.lengths[0]]

    @torch.no_grad()
    def outputs(self, x: Tensor) -> Tensor:
        """Map pictures x (N, 3, side, side) in [0, 1] to the numbers of both codes, side by side.

        Returns:
            (N, k + short_dim); the signs of each part are a code.
        """
        made: Tensor = _Beside(self.short)(self.head(self._pooled(x)))
        return made

    def network(self) -> nn.Module:
        """Return a copy of all that makes `outputs`, as one module for use alone, on the CPU."""
        whole = nn.Sequential(folded(self.trunk), self.head, _Beside(self.short))
        return copy.deepcopy(whole).to("cpu").eval().requires_grad_(False)

    def hasten(self, cache: DiskCache) -> None:
        """Take half of the time on a CPU from now on, where ONNX Runtime is installed.

        What comes out is the same but for rounding. It ends when weights change.

        Args:
            cache: where the exported network is kept; to export it takes seconds.
        """
        self.eval()
        device = self.short.weight.device
        if device.type != "cpu" or not is_installed():
            return
        try:
            trunk = through_onnx(folded(self.trunk), (3, self.side, self.side), cache)
        except Exception as error:  # exporter and runtime have no class of errors in common
            log.warning("ONNX Runtime does not run the network, and torch does: %s", error)
        else:
            self._frozen[device] = trunk

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures x (N, 3, side, side) in [0, 1] to z (N, k), with gradients."""
        # bf16 where it is fast; on a CPU it need not be.
        with torch.autocast(x.device.type, torch.bfloat16, enabled=x.device.type != "cpu"):
            pooled = self.trunk(x.contiguous(memory_format=torch.channels_last))
        z: Tensor = self.head(pooled)
        return z

    def train(self, mode: bool = True) -> Self:
        """Change between training and use."""
        if mode != self.training:  # what is used asks again and again not to be trained
            self._forget()
        return super().train(mode)

    @torch.no_grad()
    def _pooled(self, x: Tensor) -> Tensor:
        """Map pictures x (N, 3, side, side) to pooled numbers (N, 1280), for use alone."""
        trunk = self._frozen.get(x.device)
        if trunk is None:  # two threads may both make it, and it is the same
            trunk = self._frozen[x.device] = folded(self.trunk).to(x.device)
        x = x.contiguous(memory_format=torch.channels_last)
        # Of larger pictures fewer, for their maps are larger.
        most = max(
            1, (AT_ONCE if x.device.type == "cpu" else ON_DEVICE) * SIDE**2 // x[0, 0].numel()
        )
        return torch.cat([trunk(part) for part in torch.split(x, most)])

    def _forget(self) -> None:
        """Forget the network that was made for use: its weights are others now."""
        self._frozen = {}


class _Beside(nn.Module):
    """The numbers of the shorter code beside those that it is made of."""

    def __init__(self, short: nn.Linear) -> None:
        super().__init__()
        self.short = short

    def forward(self, z: Tensor) -> Tensor:
        """Map z (N, k) to (N, k + short_dim)."""
        return torch.cat([z, self.short(z)], 1)
