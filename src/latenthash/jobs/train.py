"""One job of train.py: what happens around every training, whatever is trained."""

import json
import logging
import warnings
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytorch_lightning as pl
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from omegaconf import DictConfig, OmegaConf

from latenthash import __version__
from latenthash.data.samples.sets import PREFIX
from latenthash.data.sources import source_digest
from latenthash.data.splits import ROLES
from latenthash.errors import log_problems, refusals
from latenthash.features.weights import CODE, names_file
from latenthash.jobs.at_hand import bundle_folder
from latenthash.jobs.build import BUNDLED, build, bundled_packages
from latenthash.jobs.command.checks import check_train, plain
from latenthash.jobs.command.effects import check_training_effects
from latenthash.jobs.command.launching import is_job_apart
from latenthash.jobs.command.sweeping import typed_line
from latenthash.options.checking import classes_of_others, find_bundle_problems
from latenthash.options.jobs import TRAIN_JOBS
from latenthash.options.trust import located
from latenthash.report.markdown import command
from latenthash.system.endings import ended_by_sigterm
from latenthash.system.files import Unusable, code_digest
from latenthash.system.paths import path_text, shareable
from latenthash.tracking.run_logger import RunLogger
from latenthash.tracking.sweep import refresh_sweep
from latenthash.tracking.writing import scalars

log = logging.getLogger(__name__)
# Lightning's own use of torch's pytree; nothing that a user could mend.
warnings.filterwarnings("ignore", ".*treespec", FutureWarning)
# Features lie in memory, where worker processes would only cost time.
warnings.filterwarnings("ignore", ".*does not have many workers")
# Where training is measured in steps, they are logged, however few there are in an epoch.
warnings.filterwarnings("ignore", ".*is smaller than the logging interval")
# A job is one process, which needs no srun where there is one.
warnings.filterwarnings("ignore", "The `srun` command is available")
# Lightning takes the number that Slurm or torchrun gave this process, and lets only the first log.
LightningEnvironment().set_global_rank(0)

DIGEST = 36  # letters of a digest that MLflow takes
SOURCES = (*ROLES, "file")  # keys of conf/data that name a user's files


def train(cfg: DictConfig) -> None:
    """Run the job that the config names, and keep it all in MLflow.

    Exit code 2 when the input cannot be used, and 1 when the training failed or MLflow does not
    have all of it. In a sweep a failed job is marked FAILED and the others go on.
    """
    folder = Path(cfg.paths.output)
    with refusals(folder), ended_by_sigterm():
        check_train(cfg)
        check_training_effects(cfg, typed_line())
        job = TRAIN_JOBS.get(cfg.job._target_)
        if job and job.bundle and (problems := find_bundle_problems(plain(cfg))):
            log.warning("evaluate.py will refuse the bundle of this run. %s", " ".join(problems))
        elif job and job.bundle and (packages := bundled_packages(cfg)):
            log.info("evaluate.py opens the bundle of this run by trust=[%s]", ",".join(packages))
        # Once, and before training: a file that changes meanwhile is not what was trained on.
        sources = [key for key in SOURCES if cfg.data.get(key) is not None]
        digests = {key: source_digest(cfg.data[key]) for key in sources}
        logger: RunLogger = build(
            cfg.logger, fingerprint=fingerprint(cfg, digests), folder=str(folder)
        )
        in_sweep = logger.parent_run_id is not None
        with logger.claim(wait=in_sweep and not cfg.force):
            if not (cfg.force or logger.lost) and logger.reuse_finished():
                refresh_sweep(logger.store, logger.parent_run_id)
                return
            try:
                _run(cfg, logger, digests)
            except Exception as error:
                if not in_sweep:
                    raise
                known = log_problems(error, folder)
                log.error("Job %s failed; the sweep goes on.", logger.run_name, exc_info=not known)
            except SystemExit:  # SIGTERM; in the sweep's own process it is meant for the sweep
                if not (in_sweep and is_job_apart()):
                    raise
                log.error("Job %s was ended; the sweep goes on.", logger.run_name)
            finally:
                if not logger.lost:
                    refresh_sweep(logger.store, logger.parent_run_id)


def _run(cfg: DictConfig, logger: RunLogger, digests: Mapping[str, str]) -> None:
    """Run the job, and end its run as the job ends."""
    try:
        _begin(cfg, logger, digests)
        build(cfg.job)(cfg, logger, digests)
    except BaseException as error:
        logger.fail(error)
        raise
    logger.finish()


def fingerprint(cfg: DictConfig, digests: Mapping[str, str]) -> str:
    """Digest all that decides a job's result: resolved config, files, version, others' code."""
    # Where things are kept decides nothing, and differs between two calls of one command.
    bare = cfg.copy()
    bare.paths = dict.fromkeys(cfg.paths, "")
    del bare.logger, bare.cache, bare.force
    values = OmegaConf.to_container(bare, resolve=True)
    assert isinstance(values, dict)
    values.pop("signals", None)  # whence a sweep takes data.signal, which decides
    weights = cfg.features.get("weights")
    if weights == CODE or names_file(weights):
        weights = _weights_digest(str(weights))
    parts = [values, list(digests.values()), weights, __version__]
    if start := cfg.job.get("start"):
        parts.append(_weights_digest(start))
    if code := _code_digests(values):
        parts.append(code)
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _code_digests(values: object) -> dict[str, str]:
    """Digest the files that hold what a config names of other packages, which state no version."""
    found = {}
    for name in classes_of_others(values):
        try:
            found[name] = code_digest(located(name))
        except Unusable:  # made without a file: its name has to do
            found[name] = ""
    return found


def _weights_digest(name: str) -> str:
    """Digest the weights behind a name; those that ship may change within a version."""
    if name == CODE:
        return sha256(
            (files("latenthash") / "shipped" / CODE / "hash.json").read_bytes()
        ).hexdigest()
    return source_digest(str(bundle_folder(name) or name))


def _begin(cfg: DictConfig, logger: RunLogger, digests: Mapping[str, str]) -> None:
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    logger.begin()
    logger.log_text(OmegaConf.to_yaml(cfg, resolve=True), "config.yaml")
    kept = {"max_epochs": cfg.trainer.max_epochs, "max_steps": cfg.trainer.get("max_steps")}
    asked = {"trainer": {name: value for name, value in kept.items() if value is not None}}
    if cfg.job.get("start"):
        asked["job"] = {"start": cfg.job.start}
    logged = [*BUNDLED, *(["finetuning"] if cfg.finetune else [])]
    known = TRAIN_JOBS.get(cfg.job._target_)
    if known and "model" in known.vain:  # nothing is trained
        logged, asked = [key for key in logged if key not in known.vain], {}
    logger.log_params(scalars({key: config[key] for key in logged} | asked))
    logger.log_sources(
        [
            {"name": role, "digest": digest[:DIGEST], "source": path_text(shareable(Path(source)))}
            for role, digest in digests.items()
            # What is no embedded set and has no digest is not there, as the job will say.
            if (source := str(cfg.data[role])).startswith(PREFIX) or digest != source
        ]
    )
    logger.add_note(command("train", typed_line()))
    log.info("Run %s (%s)", logger.run_name, logger.id or "not in MLflow yet")
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
