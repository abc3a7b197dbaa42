"""The codes of the embedded pictures, kept as data: src/latenthash/shipped/golden/code.json.

Command, a minute: .venv/bin/python benchmarks/golden.py          how far are the codes made here?
                   .venv/bin/python benchmarks/golden.py write    after another network ships
"""

import json
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console

from latenthash.cache import DiskCache
from latenthash.codes.code import Vectors, printed_code
from latenthash.codes.latent import Latent
from latenthash.data.reading import Pixels
from latenthash.data.samples.sets import embedded
from latenthash.data.views import pipeline
from latenthash.hashing.hasher import Hasher
from latenthash.jobs.at_hand import bundle_at_hand
from latenthash.jobs.build import bundle_config, restore

FILE = files("latenthash") / "shipped" / "golden" / "code.json"
CACHE = DiskCache(folder=".cache", max_bytes=4 * 10**9)
SETS = ("girl", "photos_a", "photos_b", "outliers", "stereo_right", "earth", "sushi")
BATCH = 16  # pictures described at once


def pictures(names: Sequence[str] = SETS) -> dict[str, Pixels]:
    """Return the pictures of embedded sets: name -> (H, W, 3); each once, for some are in two."""
    return {
        picture.name.split("/")[-1]: picture.pixels for name in names for picture in embedded(name)
    }


def views(shown: Mapping[str, Pixels], hasher: Hasher) -> NDArray[np.uint8]:
    """Reduce N pictures to what a network sees, (N, side, side, 3)."""
    reduce = pipeline([], hasher.features.size, hasher.features.trim)
    return np.stack([reduce(image=pixels)["image"] for pixels in shown.values()])


def shipped(cache: DiskCache) -> Hasher:
    """Return the network that ships, for use alone."""
    bundle = bundle_at_hand("code")
    assert bundle is not None
    return restore(bundle, bundle_config(bundle), cache).eval()


def golden() -> dict[str, NDArray[np.uint8]]:
    """Read the codes that are kept: name -> bits (256,)."""
    kept = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        name: np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8))
        for name, text in kept.items()
    }


def main() -> None:
    """Write the codes, or say how far those that are made here are from what is kept."""
    shown, hasher = pictures(), shipped(CACHE)
    latent, seen = Latent("code", hasher), torch.from_numpy(views(shown, hasher))
    described: Vectors = np.concatenate([latent.encode(part) for part in torch.split(seen, BATCH)])
    packed = printed_code(latent).bits(described)
    if sys.argv[1:] == ["write"]:
        codes = {name: row.tobytes().hex() for name, row in zip(shown, packed, strict=True)}
        with open(str(FILE), "w", encoding="utf-8") as file:  # noqa: PTH123 # no path of its own
            file.write(json.dumps(codes, indent=1) + "\n")
        return
    kept = golden()
    far = [
        int(np.count_nonzero(kept[name] != np.unpackbits(row)))
        for name, row in zip(shown, packed, strict=True)
    ]
    Console(soft_wrap=True).print(
        f"{len(far)} pictures: {np.mean(far):.3f} of {8 * packed.shape[1]} bits differ on "
        f"average, at most {max(far)}",
    )


if __name__ == "__main__":
    main()
