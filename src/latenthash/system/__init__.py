"""The machine that a command runs on: files, paths, terminal, processes, environment."""
