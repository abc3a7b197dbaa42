"""Views through a frozen network, and what the cache keeps of them."""

from collections.abc import Callable

import torch
from torch import Tensor

from latenthash.cache import DiskCache, cache_key

BATCH = 16  # views at once: more are no faster, and take a GB of VGG16's trunk at 224 px


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
    if torch.compiler.is_exporting():  # views that are no numbers yet, of any count
        return compute(views)
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
