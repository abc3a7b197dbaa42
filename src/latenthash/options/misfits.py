"""Options that are right each by itself and do not go together."""

from collections.abc import Mapping
from typing import Any

from latenthash.options.jobs import TRAIN_JOBS
from latenthash.options.kinds import TARGET, is_ours

PIXELS, TRUNKS = "latenthash.features.pixels.Pixels", "latenthash.features.vgg16"
DIGITS = "latenthash.data.digits.Digits"
CONTRASTIVE = "latenthash.models.contrastive.Contrastive"
AVERAGING = "latenthash.tracking.callbacks.Averaging"
CHECKPOINT = "pytorch_lightning.callbacks.ModelCheckpoint"
TRAINER = "pytorch_lightning.Trainer"
TRAINS_CODES = "latenthash.jobs.train_code.train_code"
VARIATIONAL = ("latenthash.models.vae.VAE", "latenthash.models.vaegan.VAEGAN")
LARGEST = 2**22  # numbers that a layer may make of one picture; 64 are made at once
# What is also found when the objects are built, of classes that are not ours.
NO_LIKELIHOOD = "data=mnist needs a model with a likelihood: model=vae or model=vaegan."
NOT_LEARNED = "finetune=true needs features with layers to train: set features=vgg16."
NO_REBUILDING = (
    "hash.gate=true needs a model that rebuilds what it sees, model=vae or model=vaegan; "
    "leave hash.gate out."
)

BLOCK = 16  # px of which the sides of a contrastive code's pictures are multiples, for JPEG's sake
NO_PICTURES = (
    f"model=contrastive learns from RGB pictures whose side is a multiple of {BLOCK} px: set "
    "features=pixels features.size=192."
)
FAST_CODE = "+experiment=fast_code"
# Options of the trainer that count in steps, and what they are where nothing is counted so.
STEPS = {
    "max_steps": None,
    "val_check_interval": None,
    "check_val_every_n_epoch": 1,
    "gradient_clip_val": None,
}
TPR = "val/tpr_"  # what validation of a contrastive code logs


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
    return [*problems, *_find_unkept(values), *_find_contrastive(values)]


def _find_unkept(values: Mapping[str, Any]) -> list[str]:
    """Say whether the best epoch would be kept otherwise than it was judged."""
    callbacks = values["callbacks"]
    averaged = any(callback[TARGET] == AVERAGING for callback in callbacks.values())
    if callbacks["checkpoint"][TARGET] != CHECKPOINT:
        return []
    if callbacks["checkpoint"]["save_weights_only"] != averaged:
        return []
    wanted = "false, for the average is part of" if averaged else "true: nothing else is read of"
    return [f"callbacks.checkpoint.save_weights_only must be {wanted} the checkpoint."]


def _find_contrastive(values: Mapping[str, Any]) -> list[str]:
    """Say what belongs to the training of a contrastive code and stands elsewhere, or lacks."""
    job, features, model, trainer = (values[k] for k in ("job", "features", "model", "trainer"))
    known = TRAIN_JOBS.get(job[TARGET])
    if known is None or not is_ours(model[TARGET]) or trainer[TARGET] != TRAINER:
        return []
    monitored = {
        f"callbacks.{name}.monitor": str(callback["monitor"])
        for name, callback in values["callbacks"].items()
        if "callbacks" not in known.vain and "monitor" in callback
    }
    if job[TARGET] != TRAINS_CODES:
        foreign = {
            **({"model": "contrastive"} if model[TARGET] == CONTRASTIVE else {}),
            **({"job.start": job["start"]} if "start" in job else {}),
            **{f"trainer.{k}": trainer[k] for k, no in STEPS.items() if trainer.get(k, no) != no},
            **{name: value for name, value in monitored.items() if value.startswith(TPR)},
        }
        return [
            f"{name}={'null' if value is None else value} goes with {FAST_CODE} alone."
            for name, value in foreign.items()
        ]
    problems = [
        f"{name}={value} is not logged by this job: set it to {TPR}bits, or callbacks=averaged."
        for name, value in monitored.items()
        if not value.startswith(TPR)
    ]
    if job.get("start", "") is None:
        problems.append("job.start is not set: give imagenet, random, code or a bundle's folder.")
    if model[TARGET] != CONTRASTIVE:
        problems.append(f"The job {TRAINS_CODES} trains model=contrastive alone.")
    elif is_ours(features[TARGET]) and (features[TARGET] != PIXELS or features["size"] % BLOCK):
        problems.append(NO_PICTURES)
    elif features.get("trim"):
        problems.append("features.trim must be false: this training sees pictures with borders.")
    return [*problems, *_find_steps(trainer)]


def _find_steps(trainer: Mapping[str, Any]) -> list[str]:
    """Say whether a training would never be validated."""
    most, interval = trainer.get("max_steps"), trainer.get("val_check_interval")
    if (interval is None) == (trainer.get("check_val_every_n_epoch", 1) is None):
        return [
            "trainer.val_check_interval counts steps over all epochs, and goes with "
            "trainer.check_val_every_n_epoch=null: set both, or neither."
        ]
    if interval is not None and most is not None and interval > most:
        return [
            f"trainer.val_check_interval={interval} is more than trainer.max_steps={most}: no "
            "epoch would be judged, so that none could be chosen."
        ]
    return []


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
