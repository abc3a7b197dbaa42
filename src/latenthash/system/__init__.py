"""The machine that a command runs on: files, terminal, processes, environment."""
