"""The bundle that a job of evaluate.py is asked of, wherever it is."""

import logging
from dataclasses import dataclass

from omegaconf import DictConfig

from latenthash.errors import InputError
from latenthash.hashing.bundle import Bundle
from latenthash.jobs.at_hand import bundle_at_hand
from latenthash.jobs.build import bundle_config
from latenthash.jobs.locating import Places, with_weights
from latenthash.jobs.stores import find_store, open_store
from latenthash.options.jobs import SHIPPED
from latenthash.options.trust import trusted
from latenthash.tracking.names import LATEST
from latenthash.tracking.store import Run, Store, no_run
from latenthash.tracking.store_uri import StoreURI

log = logging.getLogger(__name__)

SHIPPED_ID = "shipped"  # what its bundle holds in place of a run's id


@dataclass(frozen=True)
class Opened:
    """A bundle that can be used here.

    Attributes:
        bundle: as it was loaded.
        config: the bundle's, with the path that its weight file has here.
        store: that may hold its run; None where there is none.
        run: that left the bundle; None where no store here has it.
        places: where other files that the bundle names may lie.
    """

    bundle: Bundle
    config: DictConfig
    store: Store | None
    run: Run | None
    places: Places


def open_bundle(cfg: DictConfig) -> Opened:
    """Open the bundle that run= names, and the store that may hold its run.

    Args:
        cfg: the composed config of evaluate.py.

    Raises:
        InputError: if there is none, or it cannot be used.
    """
    store, bundle, config = _open(cfg)
    run = store.get(bundle.run_id) if store else None
    places = Places.of(cfg.run, run)
    config = with_weights(config, places).copy()
    # How much of this machine is taken is for its owner to say, not for the bundle.
    config.data.reader.max_pixels = cfg.reader.max_pixels
    if "workers" in config.data:
        config.data.workers = 0  # processes
    return Opened(bundle, config, store, run, places)


def open_to_judge(cfg: DictConfig) -> tuple[Bundle, Store, bool]:
    """Open the bundle that a benchmark judges: the code that ships when there is no run.

    Returns:
        bundle, store, and whether run= names it by more than `latest`.
    """
    store = open_store(cfg)
    name, named = str(cfg.run), cfg.run != LATEST
    if not named and not store.evaluable():
        log.warning("There is no finished run here: the code that ships is judged.")
        name = SHIPPED
    return bundle_at_hand(name) or _bundle_in(store, name), store, named


def _open(cfg: DictConfig) -> tuple[Store | None, Bundle, DictConfig]:
    """Open a bundle, and the store that may hold its run; the code that ships has none.

    Returns:
        store, bundle and its config.
    """
    trust = trusted(cfg.trust)
    bundle = bundle_at_hand(cfg.run)
    if bundle is None:
        store = find_store(cfg)
        if store is None:
            raise no_run(cfg.run, StoreURI.parse(cfg.logger.tracking_uri))
        bundle = _bundle_in(store, cfg.run)
        return store, bundle, bundle_config(bundle, trust)
    config = bundle_config(bundle, trust)  # before any server is asked
    if bundle.run_id == SHIPPED_ID:
        return None, bundle, config
    try:
        return find_store(cfg), bundle, config
    except InputError as error:  # the bundle can be used without
        log.warning("%s", error)
        return None, bundle, config


def _bundle_in(store: Store, run: str) -> Bundle:
    with store.bundle(store.run(run)) as folder:
        return Bundle.load(folder)
