"""The options of both commands and of bundles: of what kind each must be, in one schema."""
