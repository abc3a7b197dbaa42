"""What the small network of a code makes of a picture, as features of any model."""

from importlib.resources import as_file, files
from pathlib import Path

import torch
from torch import Tensor, nn

from latenthash.cache import DiskCache, cache_key
from latenthash.errors import InputError
from latenthash.features.efficientnet import HEAD, Direction, EfficientNetLite0, Head, folded
from latenthash.features.recall import recalled
from latenthash.features.weights import (
    CODE,
    WEIGHTS,
    fits,
    read_state,
    weights_digest,
    weights_file,
)

POOLED, LATENT = "pooled", "latent"
NUMBERS = {POOLED: HEAD, LATENT: 256}  # of a picture
PREFIX = "model."  # of the network's tensors in it
COUNTER = "num_batches_tracked"  # of batch norms, which only training asks for


class Embedding(nn.Module):
    """Numbers of the network behind a code (model=contrastive), all of it frozen.

    It learned from many pictures that a picture and its edited copies are the same, so that a
    model of one Signal has little left to learn. Nothing of it is tuned.

    Args:
        weights: `code`, those that ship, or the path of another bundle of model=contrastive, its
            folder or the file in it.
        output: `pooled`, the direction of 1,280 positive numbers, or `latent`, the 256 whose
            signs are the code.
        size: px, side of the square view; the shipped network learned at 192.
        trim: whether views are cut free of uniform borders first; see `data.views.pipeline`.

    Attributes:
        tail: without layers: nothing may be trained.
        cache: where the pooled numbers are kept; None keeps none.

    Raises:
        InputError: if the weights cannot be used.
    """

    indifferent = ("weights",)

    def __init__(self, *, weights: str, output: str, size: int, trim: bool = False) -> None:
        super().__init__()
        network = _network(weights, output)
        trunk, head = network["trunk"], network["head"]
        source = CODE if weights == CODE else Path(weights).name
        self.provenance = {"weights": source, "weights_sha256": weights_digest(network)}
        self.common = f"embedding-{weights_digest(network)[:8]}-{output}"
        self.size = size
        self.trim = trim
        self.shape = (NUMBERS[output],)
        # In a tuple, where torch does not look for modules: a bundle names these 14 MB by their
        # digest and does not hold them.
        self.frozen = (folded(trunk), head.eval().requires_grad_(False))
        self.tail = nn.Sequential()
        self.cache: DiskCache | None = None
        self.key = cache_key("embedding", weights_digest(trunk), str(size))

    @torch.no_grad()
    def forward(self, views: Tensor) -> Tensor:
        """Turn views (N, size, size, 3) uint8 RGB into features (N, D)."""
        return self.finish(self.begin(views))

    def begin(self, views: Tensor) -> Tensor:
        """Turn views (N, size, size, 3) uint8 RGB into pooled numbers (N, 1280)."""
        return recalled(views, self.key, self.cache, self._pooled)

    @torch.no_grad()
    def finish(self, maps: Tensor) -> Tensor:
        """Turn pooled numbers (N, 1280) into features (N, D)."""
        _, head = self.frozen
        made: Tensor = head.to(maps.device)(maps)
        return made

    @torch.no_grad()
    def _pooled(self, views: Tensor) -> Tensor:
        trunk, _ = self.frozen
        # (N, H, W, C) seen as (N, C, H, W) is channels_last already.
        pooled: Tensor = trunk.to(views.device)(views.permute(0, 3, 1, 2).float() / 255)
        return pooled


def _network(weights: str, output: str) -> nn.ModuleDict:
    """Build the trunk, and the head where it is asked for; on device "meta" nothing is read."""
    # No number is drawn there, and none stands in the way of those that are read.
    with torch.device("meta"):
        head = Head(NUMBERS[LATENT]) if output == LATENT else Direction()
        network = nn.ModuleDict({"trunk": EfficientNetLite0(), "head": head})
    if torch.get_default_device().type != "meta":
        state = {name: torch.tensor(0) for name in network.state_dict()} | _read(weights, network)
        network.load_state_dict(state, assign=True)
    return network


def _read(weights: str, network: nn.Module) -> dict[str, Tensor]:
    """Read the tensors that a network needs, by its own names, from a bundle.

    Raises:
        InputError: if there is no such bundle, or it is of another model.
    """
    if weights == CODE:
        with as_file(files("latenthash") / "shipped" / CODE / WEIGHTS) as shipped:
            given = read_state(shipped)
    else:
        given = read_state(weights_file(Path(weights)))
    wanted = {
        name: tensor.shape for name, tensor in network.state_dict().items() if COUNTER not in name
    }
    odd = [name for name, shape in wanted.items() if not fits(given.get(PREFIX + name), shape)]
    if odd:
        raise InputError(
            f"features.weights={weights} lacks the network of model=contrastive: "
            f"{', '.join(PREFIX + name for name in odd[:4])}{' and others' if len(odd) > 4 else ''}"
            f" are missing, of another shape, or not finite numbers; give {CODE} or the folder of "
            "another bundle of that model."
        )
    return {name: given[PREFIX + name].float() for name in wanted}
