"""What older configs, bundles and digests hold, and what has become of it."""

# Name in configs of version 0.1 -> name now: edits, which bundles and digests hold too.
MOVED_EDITS = {
    "latenthash.data.drawing.Captions": "latenthash.data.edits.fixed_overlays.Captions",
    "latenthash.data.drawing.Lines": "latenthash.data.edits.fixed_overlays.Lines",
    "latenthash.data.drawing.Screenshot": "latenthash.data.edits.fixed_overlays.Screenshot",
    "latenthash.data.drawing.Stickers": "latenthash.data.edits.fixed_overlays.Stickers",
    "latenthash.data.drawing.Watermark": "latenthash.data.edits.fixed_overlays.Watermark",
    "latenthash.data.edits.Compression": "latenthash.data.edits.basic.Compression",
    "latenthash.data.edits.Crop": "latenthash.data.edits.basic.Crop",
    "latenthash.data.edits.Vignette": "latenthash.data.edits.basic.Vignette",
    "latenthash.data.overlays.Page": "latenthash.data.edits.random_overlays.Page",
    "latenthash.data.overlays.Shapes": "latenthash.data.edits.random_overlays.Shapes",
    "latenthash.data.overlays.Writing": "latenthash.data.edits.random_overlays.Writing",
    "latenthash.data.views.Text": "latenthash.data.edits.text.Text",
}
FIRST_NAMES = {now: first for first, now in MOVED_EDITS.items()}
# All that a user's own config may name.
MOVED = {
    **MOVED_EDITS,
    "latenthash.callbacks.PriorSamples": "latenthash.tracking.callbacks.PriorSamples",
    "latenthash.callbacks.Progress": "latenthash.tracking.callbacks.Progress",
    "latenthash.coding.fit_code": "latenthash.jobs.fit_code.fit_code",
    "latenthash.data.suite.Suite": "latenthash.data.edits.suite.Suite",
    "latenthash.digits.learn_digits": "latenthash.jobs.learn_digits.learn_digits",
    "latenthash.enrolment.enrol": "latenthash.jobs.enrol.enrol",
    "latenthash.features.finetune.FineTuner": "latenthash.models.finetuner.FineTuner",
    "latenthash.run_logger.RunLogger": "latenthash.tracking.run_logger.RunLogger",
    "latenthash.sweeps.Sweep": "latenthash.jobs.command.multirun.Sweep",
}

# Options of version 0.1 that are none now. Its bundles have them, and do not need them: the latents
# are the same without.
DROPPED = ("model.separation.virtual", "model.form", "model.resolution", "model.bandwidth")
DROPPED_WEIGHTS = ("model.spans",)
# Values of its options by which latents were made that can be made no more.
GIVEN_UP = {"features.pooling": ("gem",), "model.form": ("images", "rips")}
