"""A middle layer of VGG16 as features (Simonyan and Zisserman 2015)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from latenthash import InputError
from latenthash.cache import DiskCache, cache_key
from latenthash.features.weights import load_trunk, trunk_digest

BLOCKS = (2, 2, 3, 3, 3)  # convolutions before each pooling
POOLINGS = ("none", "average", "gem")
GEM_POWER = 3.0  # p of generalised mean pooling (Radenovic, Tolias and Chum 2018)
SMALLEST = 32  # px; five poolings leave one cell
BATCH = 16  # views put through the trunk at once: more are no faster, and take a GB at 224 px


def layer_ends() -> dict[str, int]:
    """Give for each layer's name the number of torchvision modules up to its end.

    conv<block>_<i> ends after its ReLU, as the thesis reads it; pool<block> after the pooling.
    """
    ends, position = {}, 0
    for block, count in enumerate(BLOCKS, start=1):
        for i in range(1, count + 1):
            position += 2
            ends[f"conv{block}_{i}"] = position
        position += 1
        ends[f"pool{block}"] = position
    return ends


class VGG16(nn.Module):
    """Activations of one layer of the trunk, all of it frozen or its last part fine-tuned.

    Args:
        weights: `imagenet`, `random`, or the path of a state dict; see `load_trunk`.
        layer: conv1_1 ... conv5_3, pool1 ... pool5.
        pooling: none, average or gem over each map.
        size: px, side of the square view.
        finetune: whether what lies between `freeze_until` and `layer` is trained.
        freeze_until: the last layer that never is.
        seed: of random weights.
        trim: whether views are cut free of uniform borders first; see `data.views.pipeline`.

    Attributes:
        tail: what is trained; without layers when nothing is.
        cache: where the frozen part's activations are kept; None keeps none.

    Raises:
        InputError: if an argument or the weights cannot be used.
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
        super().__init__()
        ends = layer_ends()
        problems = []
        for key, name in {"layer": layer, "freeze_until": freeze_until}.items():
            if name not in ends:
                problems.append(f"features.{key}={name} must be one of {', '.join(ends)}.")
        if pooling not in POOLINGS:
            problems.append(f"features.pooling={pooling} must be one of {', '.join(POOLINGS)}.")
        if size < SMALLEST:
            problems.append(f"features.size={size} must be at least {SMALLEST} px.")
        if (
            finetune
            and not problems
            and not any(
                ends[freeze_until] < end <= ends[layer]
                for name, end in ends.items()
                if name.startswith("conv")
            )
        ):
            problems.append(
                f"features.freeze_until={freeze_until} leaves nothing of features.layer={layer} to "
                "fine-tune: name an earlier layer, or set finetune=false."
            )
        if problems:
            raise InputError(problems)
        trunk = load_trunk(weights, seed)
        self.size = size
        self.trim = trim
        self.pooling = pooling
        digest = trunk_digest(trunk.layers)
        self.identity = {"weights": trunk.source, "weights_sha256": digest}
        last = freeze_until if finetune else layer
        layers = trunk.layers.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        # In a tuple, where torch does not look for modules: a bundle names these 59 MB by their
        # digest and does not hold them.
        self.frozen = (layers[: ends[last]],)
        self.tail = layers[ends[last] : ends[layer]]
        self.mean = torch.tensor(trunk.mean)
        self.cache: DiskCache | None = None
        self.key = cache_key("vgg16", digest, str(trunk.mean), last, str(size))
        blank = self._activations(torch.zeros(1, size, size, 3, dtype=torch.uint8))
        self.shape = tuple(self.finish(blank).shape[1:])

    @torch.no_grad()
    def forward(self, views: Tensor) -> Tensor:
        """Turn views (N, size, size, 3) uint8 RGB into (N, C), or (N, C, H, W) unpooled."""
        return self.finish(self.begin(views))

    def begin(self, views: Tensor) -> Tensor:
        """Turn views (N, size, size, 3) uint8 RGB into the frozen part's maps (N, C, H, W)."""
        return recalled(views, self.key, self.cache, self._activations)

    def finish(self, maps: Tensor) -> Tensor:
        """Put the frozen part's maps (N, C, H, W) through the tail, and pool them."""
        maps = self.tail(maps.contiguous(memory_format=torch.channels_last))
        if self.pooling == "average":
            return maps.mean((2, 3))
        if self.pooling == "gem":
            return maps.clamp(min=0).pow(GEM_POWER).mean((2, 3)).pow(1 / GEM_POWER)
        return maps.contiguous()

    @torch.no_grad()
    def _activations(self, views: Tensor) -> Tensor:
        (frozen,) = self.frozen
        frozen.to(views.device)
        # (N, H, W, C) seen as (N, C, H, W) is channels_last already: three times as fast here.
        x = (views.float() - self.mean.to(views.device)).permute(0, 3, 1, 2)
        maps: Tensor = frozen(x)
        return maps.contiguous()


def recalled(
    views: Tensor, key: str, cache: DiskCache | None, compute: Callable[[Tensor], Tensor]
) -> Tensor:
    """Put views through a frozen network, but those that the cache knows.

    Args:
        views: (N, size, size, 3) uint8; their bytes are part of each entry's key.
        key: all else that decides the result.
        cache: None computes all of them.
        compute: views (M, size, size, 3) -> (M, ...).

    Returns:
        (N, ...) on the device of the views.
    """
    keys = [cache_key(key, view.tobytes()) for view in views.cpu().numpy()]
    found = [cache.read_array(k) if cache else None for k in keys]
    rows = [None if known is None else torch.from_numpy(known) for known in found]
    missing = [i for i, row in enumerate(rows) if row is None]
    for batch in (missing[i : i + BATCH] for i in range(0, len(missing), BATCH)):
        for i, made in zip(batch, compute(views[batch]), strict=True):
            rows[i] = made
            if cache:
                cache.write_array(keys[i], made.cpu().numpy())
    return torch.stack([row.to(views.device) for row in rows if row is not None])
