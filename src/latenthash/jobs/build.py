"""What a config names, built: the only module that instantiates.

A bundle comes from anywhere: of its config nothing is built but the values that were checked.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from latenthash.cache import DiskCache
from latenthash.data.collection import Collection
from latenthash.data.edits.suite import Suite
from latenthash.data.pairs import Pairs
from latenthash.data.splits import ROLES, TESTED, Splits
from latenthash.data.two_sets import TwoSets
from latenthash.errors import InputError
from latenthash.features.interface import is_staged
from latenthash.features.weights import names_file
from latenthash.hashing.bundle import Bundle
from latenthash.hashing.hasher import Hasher
from latenthash.hashing.restoring import UNTOUCHED, check_shapes, code_hasher, fill
from latenthash.jobs.plain_yaml import read_yaml
from latenthash.options.checking import checked_bundle, packages_of
from latenthash.options.misfits import find_large
from latenthash.options.roots import Bundled
from latenthash.options.trust import untrusted
from latenthash.system.paths import shareable

BUNDLED = tuple(Bundled.model_fields)  # nodes of the config that a bundle holds
MOST_BYTES = 2**33  # of the views that are drawn for a bundle


def build(node: DictConfig, **kwargs: Any) -> Any:
    """Instantiate a config node; Hydra's wrapping of a refusal is taken off again."""
    try:
        return instantiate(node, **kwargs)
    except InstantiationException as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from None
        raise


def build_suite(cfg: DictConfig) -> Suite:
    """Build the suite of edits of a benchmark.

    Raises:
        InputError: if the benchmark is another, or its edits cannot be used.
    """
    suite = build(cfg.benchmark)
    if not isinstance(suite, Suite):
        raise InputError(
            "benchmark= names no suite of edits, such as edits_v1 is, and job= asks for one: leave "
            "job= away."
        )
    return suite


def build_hasher(cfg: DictConfig, cache: DiskCache | None) -> Hasher:
    """Build features and model, not yet fitted."""
    features = build(cfg.features)
    given = cfg.features.size, cfg.features.get("trim", False)
    if given != (features.size, features.trim):  # views are made by the one or the other
        raise InputError(
            f"The features {cfg.features._target_} have size={features.size} and "
            f"trim={features.trim}, where features.size={given[0]} and features.trim={given[1]}."
        )
    if is_staged(features):
        features.cache = cache
    model = build(cfg.model, shape=features.shape)
    return Hasher(features, model, cfg.hash.get("gate", False))


def build_splits(cfg: DictConfig, cache: DiskCache) -> Splits:
    """Read the pictures of all roles, ready to draw views of the features' size."""
    splits: Splits = _build_data(cfg, cache, edits=build(cfg.edits, _convert_="all"))
    return splits


def build_pairs(cfg: DictConfig, cache: DiskCache) -> Pairs:
    """Read the pictures to fit a code on, ready to draw views of the features' size."""
    pairs: Pairs = _build_data(cfg, cache)
    return pairs


def build_collection(cfg: DictConfig, cache: DiskCache) -> Collection:
    """Read the pictures that a code learns from, a part of them held out."""
    collection: Collection = build(
        cfg.data, size=cfg.features.size, seed=cfg.seed, cache=cache, _convert_="all"
    )
    return collection


def build_two_sets(cfg: DictConfig, cache: DiskCache) -> TwoSets:
    """Read pictures that set limits, and pictures that are judged."""
    sets: TwoSets = build(cfg.data, seed=cfg.seed, cache=cache, _convert_="all")
    return sets


def _build_data(cfg: DictConfig, cache: DiskCache, **more: Any) -> Any:
    return build(
        cfg.data,
        augment=build(cfg.augment, _convert_="all"),
        size=cfg.features.size,
        trim=cfg.features.get("trim", False),
        seed=cfg.seed,
        cache=cache,
        _convert_="all",
        **more,
    )


def bundled_config(cfg: DictConfig) -> str:
    """Return the part of the config that the bundle needs, with paths that may be shared."""
    values = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(values, dict)
    paths = [("data", key) for key in (*ROLES, "file", "folder")]
    if names_file(values["features"].get("weights")):
        paths.append(("features", "weights"))
    for node, key in paths:
        if values[node].get(key) is not None:
            values[node][key] = str(shareable(Path(values[node][key])))
    return OmegaConf.to_yaml(OmegaConf.create({key: values[key] for key in BUNDLED}))


def bundled_packages(cfg: DictConfig) -> list[str]:
    """List the packages of others that the bundle needs."""
    values = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(values, dict)
    return packages_of({key: values[key] for key in BUNDLED})


def bundle_config(bundle: Bundle, trust: frozenset[str] = frozenset()) -> DictConfig:
    """Read a bundle's config: plain values, each of which may stand where it does.

    Args:
        bundle: as it was loaded.
        trust: packages whose classes it may name, if it says that it needs them.

    Raises:
        InputError: if it is no config, names what must not be built, or is not of this hash and
            these weights.
    """
    if reason := untrusted(bundle.packages, trust):
        raise InputError(reason)
    values = checked_bundle(read_yaml(bundle.config), trust & {*bundle.packages})
    problems = []
    if bundle.hash is not None:
        k, wanted = len(bundle.hash.centroid), values["model"]["latent_dim"]
        if k != wanted:
            problems.append(f"its centroid has {k} numbers and its model makes {wanted}")
        if (bundle.hash.gate is not None) != values["hash"]["gate"]:
            problems.append("of its hash and its config, one has a gate and the other has none")
    if (bundle.hash is None) != ("signal" not in values["data"]):
        problems.append("its data are not those of its kind: a hash has a Signal, a code has none")
    if problems:
        raise InputError(f"The bundle contradicts itself: {'; '.join(problems)}. {UNTOUCHED}")
    if large := [*find_large(values), *_many_views(values)]:
        raise InputError(large)
    config = OmegaConf.create(values)
    # On this device, networks have shapes and no numbers: nothing is read or allocated.
    with torch.device("meta"):
        check_shapes(bundle, code_hasher(config) or build_hasher(config, None))
    return config


def _many_views(values: Mapping[str, Any]) -> list[str]:
    """Say whether the views behind held-out figures take more memory than there may be."""
    data, size = values["data"], values["features"]["size"]
    if "signal" not in data:
        return []
    counts = data["views"]
    views = len(TESTED) * counts["test"] + len(values["edits"]) * counts["edits"]
    taken = views * 3 * size**2
    if taken <= MOST_BYTES:
        return []
    return [
        f"The bundle's {views:,} views of {size} px take {taken:,} bytes, over the limit of "
        f"{MOST_BYTES:,}. {UNTOUCHED}"
    ]


def restore(bundle: Bundle, config: DictConfig, cache: DiskCache | None) -> Hasher:
    """Build the hasher of a bundle, with its weights.

    Raises:
        InputError: if the features here are not those that the bundle was made with.
    """
    return fill(code_hasher(config) or build_hasher(config, cache), bundle)
