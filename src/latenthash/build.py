"""Builds what a config names: the only module that instantiates.

What a bundle's config names is checked first, for a bundle comes from anywhere.
"""

from pathlib import Path
from typing import Any

import yaml
from hydra.errors import InstantiationException
from hydra.utils import get_class, instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from latenthash import InputError
from latenthash.bundle import Bundle
from latenthash.cache import DiskCache
from latenthash.data.pairs import Pairs
from latenthash.data.pictures import shareable
from latenthash.data.splits import ROLES, Splits
from latenthash.features import is_staged
from latenthash.features.weights import IMAGENET, RANDOM
from latenthash.hasher import Hasher

BUNDLED = ("seed", "hash", "resamples", "data", "augment", "edits", "features", "model")
TRUSTED = ("latenthash", "albumentations")  # packages whose classes a bundle may name


def build(node: DictConfig, **kwargs: Any) -> Any:
    """Instantiate a config node; Hydra's wrapping of a refusal is taken off again."""
    try:
        return instantiate(node, **kwargs)
    except InstantiationException as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from None
        raise


def build_hasher(cfg: DictConfig, cache: DiskCache) -> Hasher:
    """Build features and model, not yet fitted."""
    features = build(cfg.features)
    if is_staged(features):
        features.cache = cache
    model = build(cfg.model, shape=features.shape)
    return Hasher(features, model, bool(cfg.hash.gate))


def build_splits(cfg: DictConfig, cache: DiskCache) -> Splits:
    """Read the pictures of all roles, ready to draw views of the features' size."""
    splits: Splits = _build_data(cfg, cache, edits=build(cfg.edits, _convert_="all"))
    return splits


def build_pairs(cfg: DictConfig, cache: DiskCache) -> Pairs:
    """Read the pictures to fit a code on, ready to draw views of the features' size."""
    pairs: Pairs = _build_data(cfg, cache)
    return pairs


def _build_data(cfg: DictConfig, cache: DiskCache, **more: Any) -> Any:
    return build(
        cfg.data,
        augment=build(cfg.augment, _convert_="all"),
        size=cfg.features.size,
        trim=cfg.features.trim,
        seed=cfg.seed,
        cache=cache,
        _convert_="all",
        **more,
    )


def bundled_config(cfg: DictConfig) -> str:
    """Give the part of the config that the bundle needs, with paths that may be shared."""
    values = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(values, dict)
    paths = [("data", role) for role in ROLES]
    if values["features"].get("weights") not in (None, IMAGENET, RANDOM):
        paths.append(("features", "weights"))
    for node, key in paths:
        if Path(str(values[node].get(key))).exists():
            values[node][key] = str(shareable(Path(values[node][key])))
    return OmegaConf.to_yaml(OmegaConf.create({key: values[key] for key in BUNDLED}))


def bundle_config(bundle: Bundle) -> DictConfig:
    """Read a bundle's config.

    Raises:
        InputError: if it is no config, or names what must not be built.
    """
    try:
        config = OmegaConf.create(bundle.config)
        plain = OmegaConf.to_container(config, resolve=True)
    except (yaml.YAMLError, OmegaConfBaseException) as error:
        raise InputError(f"The bundle's config cannot be read: {error}") from error
    if not isinstance(config, DictConfig) or not set(BUNDLED) <= set(config):
        raise InputError(f"The bundle's config must hold {', '.join(BUNDLED)}.")
    _check_targets(plain)
    return config


def restore(bundle: Bundle, config: DictConfig, cache: DiskCache) -> Hasher:
    """Build the hasher of a bundle, with its weights."""
    hasher = build_hasher(config, cache)
    here = hasher.features.identity
    # Where weights come from is for people; a file may lie elsewhere on another machine.
    if any(here.get(k) != bundle.identity.get(k) for k in {*here, *bundle.identity} - {"weights"}):
        raise InputError(
            f"The bundle's hash was made with {dict(bundle.identity)}, and here is {dict(here)}: "
            "latents of other weights are not comparable."
        )
    try:
        hasher.load_state_dict(bundle.weights)
    except RuntimeError as error:
        raise InputError(f"The bundle's weights do not fit its config: {error}") from error
    return hasher


def _check_targets(node: Any) -> None:
    """Refuse a config whose `_target_` is anything but a class of the trusted packages."""
    if isinstance(node, list):
        for value in node:
            _check_targets(value)
    if not isinstance(node, dict):
        return
    target = node.get("_target_")
    if target is not None:
        try:
            # A path such as latenthash.data.views.os.system leads out of the package, so the
            # class itself is asked where it is from.
            trusted = str(target).split(".")[0] in TRUSTED
            origin = get_class(str(target)).__module__.split(".")[0] if trusted else ""
        except (ImportError, ValueError):
            origin = ""
        if origin not in TRUSTED:
            raise InputError(
                f"The bundle's config names {target}, which is not a class of "
                f"{' or '.join(TRUSTED)}. Use a bundle that train.py wrote."
            )
    for value in node.values():
        _check_targets(value)
