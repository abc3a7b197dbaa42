"""The public benchmark: a fixed suite of edits that every code is put through."""

import os

# albumentations asks a server for its newest version at import unless told not to.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
