"""A bundle's weights, put into features and model that were built of its config."""

from collections.abc import Mapping
from typing import Any, cast

import torch

from latenthash.errors import InputError
from latenthash.features.interface import Features
from latenthash.features.pixels import Pixels
from latenthash.hashing.bundle import Bundle
from latenthash.hashing.hasher import Hasher
from latenthash.models.components.code_network import CodeNetwork
from latenthash.models.interface import Model
from latenthash.options.kinds import TARGET
from latenthash.options.misfits import CONTRASTIVE, PIXELS

UNTOUCHED = "Use an untouched copy of a bundle that train.py wrote."


def code_hasher(config: Mapping[str, Any]) -> Hasher | None:
    """Build the network of a code, without what its training needs.

    Args:
        config: checked, of a bundle.

    Returns:
        on device "meta": shapes, no numbers; None for anything but model=contrastive on pixels.
    """
    features, model = config["features"], config["model"]
    if (features[TARGET], model[TARGET]) != (PIXELS, CONTRASTIVE) or config["hash"].get("gate"):
        return None
    pixels = Pixels(size=features["size"], channels=features["channels"], trim=features["trim"])
    with torch.device("meta"):
        network = CodeNetwork(
            shape=pixels.shape, latent_dim=model["latent_dim"], short_dim=model["short_dim"]
        )
    # In use, nobody asks the network to be fitted.
    return Hasher(cast(Features, pixels), cast(Model, network), gated=False)


def check_shapes(bundle: Bundle, outline: Hasher) -> None:
    """Refuse weights that features and model have no place for, or of another shape.

    Raises:
        InputError: if there are any.
    """
    # Halves may stand for floats.
    wanted, given = (
        {name: (tuple(t.shape), t.is_floating_point()) for name, t in state.items()}
        for state in (outline.state_dict(), bundle.weights)
    )
    odd = [name[:64] for name in {**wanted, **given} if wanted.get(name) != given.get(name)]
    if odd:
        raise InputError(
            f"The bundle's weights do not fit its config: {', '.join(odd[:4])} is missing, too "
            f"much, or of another shape. {UNTOUCHED}"
        )


def fill(hasher: Hasher, bundle: Bundle) -> Hasher:
    """Give features and model the weights of a bundle, which fit.

    Args:
        hasher: built of the bundle's config; of `code_hasher`, on device "meta".
        bundle: whose weights they are.

    Returns:
        the hasher.

    Raises:
        InputError: if the features here are not those that the bundle was made with.
    """
    here = hasher.features.provenance
    # Where weights come from is for people; a file may lie elsewhere on another machine.
    if any(
        here.get(k) != bundle.provenance.get(k) for k in {*here, *bundle.provenance} - {"weights"}
    ):
        raise InputError(
            f"The bundle's hash was made with {dict(bundle.provenance)}, and here is {dict(here)}: "
            "latents of other weights are not comparable."
        )
    if any(parameter.is_meta for parameter in hasher.parameters()):
        hasher.to_empty(device="cpu")
    hasher.load_state_dict(bundle.weights)
    return hasher
