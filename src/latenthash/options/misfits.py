"""Options that are right each by itself and do not go together."""

from collections.abc import Mapping
from typing import Any

from latenthash.options.jobs import TRAIN_JOBS
from latenthash.options.kinds import TARGET, is_ours

PIXELS, TRUNKS = "latenthash.features.pixels.Pixels", "latenthash.features.vgg16"
DIGITS = "latenthash.data.digits.Digits"
VARIATIONAL = ("latenthash.models.vae.VAE", "latenthash.models.vaegan.VAEGAN")
LARGEST = 2**22  # numbers that a layer may make of one picture; 64 are made at once
# What is also found when the objects are built, of classes that are not ours.
NO_LIKELIHOOD = "data=mnist needs a model with a likelihood: model=vae or model=vaegan."
NOT_LEARNED = "finetune=true needs features with layers to train: set features=vgg16."
NO_REBUILDING = (
    "hash.gate=true needs a model that rebuilds what it sees, model=vae or model=vaegan; "
    "leave hash.gate out."
)


def find_misfits(values: Mapping[str, Any]) -> list[str]:
    """Say what of a checked config of train.py does not go together, a sentence each.

    Of classes that are not ours nothing is known.
    """
    job, data, features, model = (values[key] for key in ("job", "data", "features", "model"))
    name, kind = model[TARGET], features[TARGET]
    problems = find_large(values)
    known = TRAIN_JOBS.get(job[TARGET])
    if known and data[TARGET] != known.data and is_ours(data[TARGET]):
        fitting = next(other.way for other in TRAIN_JOBS.values() if other.data == data[TARGET])
        problems.append(
            f"The job {job[TARGET]} cannot be done with these data: they go with {fitting}, and "
            f"the job with {known.way}."
        )
    if data[TARGET] == DIGITS and is_ours(name) and name not in VARIATIONAL:
        problems.append(NO_LIKELIHOOD)
    if kind == PIXELS and (data[TARGET] == DIGITS) != (features["channels"] == 1):
        problems.append(
            f"features.channels={features['channels']} does not fit: 1 goes with data=mnist, 3 "
            "with pictures."
        )
    if values["finetune"] and is_ours(kind) and not kind.startswith(TRUNKS):
        problems.append(NOT_LEARNED)
    if name == VARIATIONAL[0] and model["separation"]["critic"]:
        problems.append("model.separation.critic needs model=vaegan; set it to 0.")
    if values["hash"].get("gate") and is_ours(name) and name not in VARIATIONAL:
        problems.append(NO_REBUILDING)
    return problems


def find_large(values: Mapping[str, Any]) -> list[str]:
    """Say which layers of a checked config would make more of a picture than memory holds."""
    features, model = values["features"], values["model"]
    if model[TARGET] not in VARIATIONAL:
        return []
    sides = {"picture_channels": model["picture_side"]}
    if features[TARGET] == PIXELS:
        sides |= dict.fromkeys(("channels", "discriminator_channels"), features["size"])
    return [
        f"model.{key}={model[key]} makes more than {LARGEST:,} numbers of a picture of {side} px: "
        "take fewer channels, or a smaller size."
        for key, side in sides.items()
        if any(
            width * (side >> layer) ** 2 > LARGEST
            for layer, width in enumerate(model.get(key, ()), 1)
        )
    ]
