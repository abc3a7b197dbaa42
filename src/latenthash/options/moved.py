"""Classes that have moved: what older configs, bundles and digests call them, and what is now."""

# Name in configs of version 0.1 -> name now.
MOVED: dict[str, str] = {}
FIRST_NAMES = {now: first for first, now in MOVED.items()}
