"""Edits of a picture, ours beside those of albumentations, and the suite that names them."""
