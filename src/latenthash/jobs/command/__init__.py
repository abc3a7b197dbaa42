"""The command line: as it was typed, what is wrong with it, and where it has no effect."""
