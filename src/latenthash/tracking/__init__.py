"""MLflow, here alone: the store, runs, sweeps."""
