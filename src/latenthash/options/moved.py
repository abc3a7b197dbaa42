"""What older configs, bundles and digests hold, and what has become of it."""

# Name in configs of version 0.1 -> name now.
MOVED = {
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
FIRST_NAMES = {now: first for first, now in MOVED.items()}

# Options of version 0.1 that are none now. Its bundles have them, and do not need them: the latents
# are the same without.
DROPPED = ("model.separation.virtual", "model.form", "model.resolution", "model.bandwidth")
DROPPED_WEIGHTS = ("model.spans",)
# Values of its options by which latents were made that can be made no more.
GIVEN_UP = {"features.pooling": ("gem",), "model.form": ("images", "rips")}
