"""A code or a hash, loaded for a program: what `latenthash.load` is.

What ships, and any other bundle of its kind, needs neither Hydra nor MLflow, which take seconds to
import.
"""

import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from latenthash.codes.latent import Latent, latent_key
from latenthash.data.reading import Reader
from latenthash.errors import InputError
from latenthash.hashing.bundle import Bundle
from latenthash.hashing.hasher import Hasher
from latenthash.hashing.restoring import check_shapes, code_hasher, fill
from latenthash.jobs.at_hand import bundle_at_hand, bundle_folder
from latenthash.jobs.plain_yaml import read_yaml
from latenthash.library.code import Code
from latenthash.options.checking import checked_network
from latenthash.options.jobs import SHIPPED_CODES
from latenthash.options.trust import trusted

if TYPE_CHECKING:  # it imports albumentations
    from latenthash.library.signal import Signal

# As in conf/reader, conf/logger and conf/paths.
MAX_PIXELS = 89_478_485
EXPERIMENT, DATABASE, ARTIFACTS = "latenthash", "mlflow.db", "mlartifacts"
KEPT = 8  # codes and hashes that a process keeps of those that it was sent


@overload
def load(
    name: Literal["code", "vgg16_code"], *, max_pixels: int = MAX_PIXELS, trust: Iterable[str] = ()
) -> Code: ...


@overload
def load(
    name: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS, trust: Iterable[str] = ()
) -> "Code | Signal": ...


def load(
    name: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS, trust: Iterable[str] = ()
) -> "Code | Signal":
    """Load a code, or the hash of one picture.

    Args:
        name: `code`, which ships; the folder of a bundle, or of the run that left it; or the id
            of a run in the store that MLFLOW_TRACKING_URI names, or else in the database of the
            working directory: `latest` is the newest.
        max_pixels: width x height above which a picture is refused before it is decoded.
        trust: names of packages, whose classes the bundle may name: their code runs with what the
            bundle says.

    Returns:
        a `Signal` where the run enrolled a picture, and a `Code` where it did not.

    Raises:
        InputError: if there is none, or it cannot be used.
    """
    if not isinstance(name, str | os.PathLike) or not os.fspath(name):
        raise InputError(f"load takes code, a folder or the id of a run, and not {name!r}.")
    if not isinstance(trust, Iterable):
        raise InputError(f'trust takes names of packages, such as ["mypackage"], not {trust!r}.')
    if not isinstance(max_pixels, int) or max_pixels < 1:
        raise InputError(f"max_pixels={max_pixels!r} must be a whole number of 1 or more.")
    if isinstance(trust, str):
        raise InputError(f"trust takes several names, and not one: give [{trust!r}].")
    trust = tuple(trust)
    trusted(trust)
    text = os.fspath(name)
    if text not in SHIPPED_CODES and (folder := bundle_folder(text)) is not None:
        text = str(folder.absolute())  # another process may work elsewhere
    bundle = bundle_at_hand(text)
    network = None if bundle is None else _network(bundle)
    if bundle is None or network is None:
        return _through_hydra(text, max_pixels, trust)
    hasher, read = network
    reader = Reader(read["working_size"], max_pixels, tuple(read["background"]))
    key = latent_key(bundle)
    return Code(Latent(key, hasher), reader, (_loaded_again, (text, key, max_pixels, trust)))


@lru_cache(maxsize=KEPT)
def _loaded_again(name: str, key: str, max_pixels: int, trust: tuple[str, ...]) -> "Code | Signal":
    """Load what another process had loaded, once.

    Raises:
        InputError: if something else is there now.
    """
    loaded = load(name, max_pixels=max_pixels, trust=trust)
    _, (_, found, *_) = loaded.__reduce__()
    if found != key:
        raise InputError(f"{name} is not what it was when it was sent to this process.")
    return loaded


def _network(bundle: Bundle) -> tuple[Hasher, dict[str, Any]] | None:
    """Build the network of a code, and give the options of its reader; None for anything else."""
    config = None if bundle.hash else checked_network(read_yaml(bundle.config))
    hasher = None if config is None else code_hasher(config)
    if config is None or hasher is None:
        return None
    check_shapes(bundle, hasher)
    return fill(hasher, bundle), config["data"]["reader"]


def _through_hydra(name: str, max_pixels: int, trust: tuple[str, ...]) -> "Code | Signal":
    """Load anything else as evaluate.py does."""
    from omegaconf import OmegaConf

    from latenthash.jobs.build import build, restore
    from latenthash.jobs.command.resolvers import store
    from latenthash.jobs.open import open_bundle
    from latenthash.library.signal import Signal

    here = Path.cwd()
    logger = {
        "tracking_uri": store(here / DATABASE),
        "experiment_name": EXPERIMENT,
        "artifact_root": str(here / ARTIFACTS),
    }
    # Not read as YAML, in which a name may mean something else.
    reading = {"max_pixels": max_pixels}
    cfg = OmegaConf.create({"run": "", "trust": [], "logger": logger, "reader": reading})
    cfg.run, cfg.trust = name, list(trust)
    opened = open_bundle(cfg)
    hasher = restore(opened.bundle, opened.config, None)
    reader: Reader = build(opened.config.data.reader, _convert_="all")
    key = latent_key(opened.bundle)
    again = _loaded_again, (name, key, max_pixels, trust)
    if opened.bundle.hash is None:
        return Code(Latent(key, hasher), reader, again)
    return Signal(opened.bundle.hash, hasher, reader, again)
