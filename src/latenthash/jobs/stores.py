"""The store that a command's config names."""

from omegaconf import DictConfig

from latenthash.tracking.experiment import Experiment
from latenthash.tracking.store import Store
from latenthash.tracking.store_uri import StoreURI


def open_store(cfg: DictConfig) -> Store:
    """Open the store that the config's logger names, and make it when there is none."""
    logger = cfg.logger
    return Store(Experiment(logger.tracking_uri, logger.experiment_name, logger.artifact_root))


def find_store(cfg: DictConfig) -> Store | None:
    """Open the store that the config's logger names to read from it; None when there is none."""
    logger = cfg.logger
    database = StoreURI.parse(logger.tracking_uri).database
    if database is not None and not database.exists():
        return None
    return Store(
        Experiment(logger.tracking_uri, logger.experiment_name, logger.artifact_root, reading=True)
    )
