"""The codes that a benchmark judges: of a bundle, of the code before it, and of peers."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

from omegaconf import DictConfig

from latenthash.cache import DiskCache
from latenthash.codes.code import LATENTS, AbsentCode, Code, PeerHash, latent_codes
from latenthash.codes.describe import Item
from latenthash.codes.latent import Latent, latent_key
from latenthash.data.reading import Picture
from latenthash.errors import InputError, collect
from latenthash.hashing.bundle import Bundle
from latenthash.jobs.at_hand import shipped_bundle
from latenthash.jobs.build import build, bundle_config, restore
from latenthash.jobs.locating import Places, with_weights
from latenthash.models.interface import Hastened
from latenthash.options.jobs import FORMER
from latenthash.system.paths import path_text, shareable, without_folders

log = logging.getLogger(__name__)

SEEN = (
    "{} of the {} pictures are among those that run {} was fitted on: they flatter its codes. "
    "Judge it by others."
)


def called(path: object) -> str:
    """Name a path as it may be shared."""
    return path_text(shareable(Path(str(path))))


def say_absent(absent: Sequence[AbsentCode]) -> None:
    """Log which codes cannot be judged, and why."""
    for reason in dict.fromkeys(code.reason for code in absent):
        names = ", ".join(code.name for code in absent if code.reason == reason)
        log.warning("Not judged: %s (%s)", names, reason)


def seen_pictures(bundle: Bundle, items: Sequence[Item]) -> str:
    """Say that a bundle was fitted on pictures that it is judged by; nothing where it was not."""
    seen = {item.digest for item in items} & set(bundle.fitted)
    said = SEEN.format(len(seen), len(items), bundle.run_id) if seen else ""
    if said:
        log.warning("%s", said)
    return said


def peers_of(cfg: DictConfig, example: Picture) -> tuple[list[Code], list[AbsentCode]]:
    """Return the codes of the peers that the config names, and those that are absent."""
    hashes: dict[str, PeerHash] = {
        str(name): build(node) for name, node in cfg.get("peers", {}).items()
    }
    found = collect(*(partial(one.codes, name, example) for name, one in hashes.items()))
    codes = list(chain.from_iterable(found))
    return (
        [code for code in codes if isinstance(code, Code)],
        [
            replace(code, reason=without_folders(code.reason))
            for code in codes
            if isinstance(code, AbsentCode)
        ],
    )


def refuse_same_names(codes: Sequence[Code | AbsentCode]) -> None:
    """Refuse two codes of one name: they would be one row.

    Raises:
        InputError: if there are such.
    """
    names = [code.name for code in codes]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise InputError(
            f"More than one code would be called {', '.join(twice)}: give the peer another name, "
            "as in +peer@peers.NAME=custom, or the file of codes_from= another."
        )


def latents_of(
    bundle: Bundle,
    places: Places,
    cache: DiskCache,
    named: bool,
    trust: frozenset[str] = frozenset(),
) -> tuple[list[Code], list[AbsentCode]]:
    """Return the codes of a bundle, or why they are absent."""
    try:
        hasher = restore(bundle, with_weights(bundle_config(bundle, trust), places), cache)
    except InputError as error:
        if named:
            raise
        reason = without_folders(" ".join(error.problems))
        return [], [AbsentCode(name, reason) for name in LATENTS]
    latent = Latent(latent_key(bundle), hasher)  # on the device that computes
    if isinstance(hasher.model, Hastened):
        hasher.model.hasten(cache)
    return latent_codes(latent), []


def former(cfg: DictConfig, cache: DiskCache) -> tuple[list[Code], list[AbsentCode]]:
    """Return the bits of the code of VGG16's layers, which came before the one that ships."""
    names = ("latent-256", "latent-64")
    own = {name: name.replace("latent", "vgg16") for name in names}
    if not cfg.vgg16:
        return [], [AbsentCode(name, "not asked for: vgg16=true") for name in own.values()]
    bundle = shipped_bundle(FORMER)
    codes, _ = latents_of(bundle, Places.of(FORMER, None), cache, named=True)
    return [replace(code, name=own[code.name]) for code in codes if code.name in own], []
