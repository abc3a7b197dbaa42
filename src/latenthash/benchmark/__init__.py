"""The public benchmark: what a code is worth under a fixed suite of edits."""
