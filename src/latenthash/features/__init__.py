"""Features: what goes into a hash model."""
