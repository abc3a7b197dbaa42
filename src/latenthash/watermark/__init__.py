"""The watermark: a mark that names a signed manifest, and the content that it belongs to."""
