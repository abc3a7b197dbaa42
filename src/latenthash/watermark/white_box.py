"""White-box: another picture's code is moved onto the registered one's, through the network.

Who has the network can do so: projected gradient steps (Madry et al. 2018), within a PSNR.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate, softplus

from latenthash.data.reading import Pixels
from latenthash.hashing.hasher import Hasher
from latenthash.models.components.code_network import CodeNetwork
from latenthash.watermark.attacks import Scene, Shows
from latenthash.watermark.codec import to_word
from latenthash.watermark.similarity import psnr


@dataclass(frozen=True)
class WhiteBox:
    """Embed the id in another picture, and change that until its code is the original's.

    Args:
        psnr: dB, the least of the result against the other picture.
        step: grey levels, the root mean square of a step.
        steps: at most.
        bits: in which the codes may differ at the end.
    """

    psnr: float
    step: float
    steps: int
    bits: int
    shows: Shows = field(default="other", init=False)

    def apply(self, scene: Scene) -> Pixels:
        """Attack; see `Attack.apply`."""
        hasher = scene.code.hasher
        marked = scene.carrier.embed(scene.other, to_word(scene.identity))
        with torch.no_grad():
            wanted = torch.sign(_numbers(hasher, _tensor(scene.original)))
        start, best = _tensor(marked), marked
        x = start.clone()
        for _ in range(self.steps):
            x.requires_grad_(True)
            numbers = _numbers(hasher, x)
            loss = softplus(-numbers * wanted / numbers.detach().abs().mean()).mean()
            (gradient,) = torch.autograd.grad(loss, x)
            with torch.no_grad():
                x = (x - self.step * gradient / gradient.square().mean().sqrt()).clamp(0, 255)
                shown = _pixels(x)
                if psnr(scene.other, shown) < self.psnr:
                    break
                best = shown
                away = torch.sign(_numbers(hasher, _tensor(shown))) != wanted
            if int(away.sum()) <= self.bits:
                break
        return best


def _numbers(hasher: Hasher, x: Tensor) -> Tensor:
    """Map a picture (1, 3, H, W) of grey levels to the numbers whose signs are its code."""
    side, model = hasher.features.size, hasher.model
    assert isinstance(model, CodeNetwork)  # what ships: its `encode` has no gradients
    reduced = interpolate(x, (side, side), mode="bilinear", antialias=True)
    numbers: Tensor = model(reduced / 255)
    return numbers


def _tensor(pixels: Pixels) -> Tensor:
    return torch.from_numpy(np.array(pixels, np.float32)).permute(2, 0, 1)[None]


def _pixels(x: Tensor) -> NDArray[np.uint8]:
    whole: NDArray[np.uint8] = x[0].permute(1, 2, 0).round().to(torch.uint8).numpy()
    return whole
