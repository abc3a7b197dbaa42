"""Explain the verdict of a hash on a picture: its latent, its neighbours, and what moved it."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latenthash import plots
from latenthash.data.splits import ViewSet
from latenthash.hashing.enrolled import Hash, LatentSet
from latenthash.hashing.hasher import Hasher
from latenthash.metrics.enrolled import NOISE
from latenthash.models.interface import Decoder

STEPS = 7  # of the patch along each side: a stride of 1/8 for a patch of 1/4
PATCH = 1 / 4  # of the side of a view

Nearest = tuple[str, NDArray[np.uint8]]  # name and view (size, size, 3)


def explain(
    hasher: Hasher, hash_: Hash, pictures: ViewSet, known: Mapping[str, ViewSet]
) -> Iterator[Figure]:
    """Explain the verdict on each picture in a figure.

    Args:
        hasher: that made the hash.
        hash_: whose verdict it is.
        pictures: a view each.
        known: role -> views whose latents lie behind the picture's on the map, and among which
            its nearest are; empty when there are none.
    """
    rows = hasher.encode_sets({"pictures": pictures})["pictures"]
    behind = hasher.encode_sets(known)
    everywhere = [rows.z, hash_.centroid[None], *(latents.z for latents in behind.values())]
    plane = plots.Plane.of(np.concatenate(everywhere), hash_.centroid)
    decoded = hasher.decode(rows.z) if isinstance(hasher.model, Decoder) else None
    for i, name in enumerate(pictures.names):
        z = rows.z[i]
        case = plots.Explanation(
            name,
            _verdict(rows.take(np.array([i])), hash_),
            pictures.views[i].numpy(),
            z,
            occlusion(hasher, hash_, pictures.views[i]),
            None if decoded is None else decoded[i],
            {
                title: _nearest(z, known, behind, roles)
                for title, roles in (("Signal", ("signal",)), ("noise", NOISE))
                if known
            },
        )
        yield plots.explanation(
            case, {role: latents.z for role, latents in behind.items()}, plane, hash_.radius
        )


def _verdict(row: LatentSet, hash_: Hash) -> str:
    """Put the verdict on one latent in words."""
    parts = [f"d / R = {hash_.distances(row.z)[0] / hash_.radius:.3g}"]
    if hash_.gate is not None and row.error is not None:
        parts.append(f"e / E = {row.error[0] / hash_.gate:.3g}")
    verdict = "match" if hash_.matches(row)[0] else "no match"
    return f"{verdict} ({', '.join(parts)})"


def occlusion(hasher: Hasher, hash_: Hash, view: torch.Tensor) -> NDArray[np.float64]:
    """Measure how the score changes when a patch of the view's mean colour covers a part.

    Args:
        hasher: that made the hash.
        hash_: that gives the score.
        view: (size, size, 3) uint8.

    Returns:
        (size, size), the mean over the patches that cover a pixel: above 0 where the content
        makes the picture more like the Signal, below 0 where it makes it less like it.
    """
    size = len(view)
    patch = max(1, round(PATCH * size))
    starts = np.linspace(0, size - patch, STEPS).round().astype(int)
    parts = [(slice(y, y + patch), slice(x, x + patch)) for y in starts for x in starts]
    grey = view.float().mean((0, 1)).round().to(torch.uint8)
    views = view.repeat(1 + len(parts), 1, 1, 1)  # the first stays as it is
    for covered, (y, x) in zip(views[1:], parts, strict=True):
        covered[y, x] = grey
    with hasher.uncached():  # these features are not needed again
        rows = hasher.encode_sets(
            {"patches": ViewSet(views, np.zeros(len(views), dtype=np.int64), ("",))}
        )
    scores = hash_.scores(rows["patches"])
    total, count = np.zeros((size, size)), np.zeros((size, size))
    for change, part in zip(scores[1:] - scores[0], parts, strict=True):
        total[part] += change
        count[part] += 1
    return total / count


def _nearest(
    z: NDArray[np.float64],
    known: Mapping[str, ViewSet],
    latents: Mapping[str, LatentSet],
    roles: tuple[str, ...],
) -> Nearest:
    """Find the view of some sets whose latent is nearest to z (k,)."""
    distances = {role: np.linalg.norm(latents[role].z - z, axis=1) for role in roles}
    role = min(roles, key=lambda role: distances[role].min())
    row = distances[role].argmin()
    views = known[role]
    return views.names[views.picture[row]], views.views[row].numpy()
