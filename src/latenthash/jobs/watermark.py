"""The benchmark of watermarks: what marks bear, how thieves fare, and what tells a copied mark."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import torch
from joblib import cpu_count
from matplotlib.figure import Figure
from omegaconf import DictConfig, OmegaConf

from latenthash import plots
from latenthash.benchmark.page import page
from latenthash.data.edits.suite import SuiteEdit
from latenthash.data.two_sets import TwoSets
from latenthash.errors import InputError, collect
from latenthash.jobs.build import build, build_suite, build_two_sets
from latenthash.jobs.load import load
from latenthash.library.code import Code
from latenthash.metrics.bootstrap import Measure
from latenthash.report.markdown import markdown
from latenthash.report.tables import figures_table, show
from latenthash.system.files import make_folder
from latenthash.system.terminal import track
from latenthash.tracking.run_logger import RunLogger
from latenthash.tracking.writing import scalars
from latenthash.watermark import results
from latenthash.watermark.attacks import Attack
from latenthash.watermark.bindings import Binding, CodeBinding, CodeRegistrationBinding
from latenthash.watermark.carrier import Carrier
from latenthash.watermark.keys import make_key
from latenthash.watermark.registry import Registry
from latenthash.watermark.staging import Stage, calibrated, hashed
from latenthash.watermark.trials import Examiner, Marked, Trial

log = logging.getLogger(__name__)

FPR = 1e-3  # of pairs of pictures that look alike, within the limit of the code
ALIKE = 5  # pictures that each is compared with to set it
SHOWN, TIMES = 4, 10  # marked pictures that are drawn, and by what their differences are multiplied
STATUSES = list(results.STATUSES)
NEEDED = ("benchmark", "carrier", "binding", "attacks")
NOTES = {
    "The mark": (
        "Of all edits together. Brackets are 95 % bootstrap intervals over pictures. exact_id: the "
        "id is read in the picture alone; known_id: it is found with the registry's help; "
        "verified: the verdict says so. wrong_ids: others were read. Seconds are of one core."
    ),
    "Bindings": (
        "Which share of the edited pictures, and of other pictures that a mark was copied onto, "
        "each binding takes for the registered one, whether the mark could be read or not. The "
        "other columns are the attacks that copy marks, each by itself."
    ),
    "Attacks": (
        "Marks are copied onto the pictures that look most alike. decoded: the first owner's id is "
        "read; verified: the verdict says so, of whoever's mark is read; conflicts: an earlier "
        "registered picture is named. White-box attacks aim at the code alone."
    ),
    "Verdicts": "How often each was given.",
}


def judge_marks(
    cfg: DictConfig, logger: RunLogger, digests: Mapping[str, str],
    edits: Sequence[str] | None = None,
) -> None:  # fmt: skip
    """Mark pictures, edit and attack them, and log what is said of each.

    Args:
        cfg: the composed config.
        logger: the run.
        digests: of the pictures.
        edits: names or families of the suite; None takes all.

    Raises:
        InputError: if the input cannot be used, before any work.
    """
    if missing := [name for name in NEEDED if not cfg.get(name)]:
        raise InputError(f"{', '.join(missing)} is not set; use +experiment=watermark.")
    data, suite = collect(
        lambda: build_two_sets(cfg, build(cfg.cache)), lambda: build_suite(cfg).chosen(edits)
    )
    code = load("code")
    carrier: Carrier = build(cfg.carrier)
    limit = _limit(code, data)
    binding = _limited(build(cfg.binding, _convert_="all"), limit)
    others = [_limited(build(node, _convert_="all"), limit) for node in cfg.bindings.values()]
    attacks: dict[str, Attack] = {name: build(node) for name, node in cfg.attacks.items()}
    bindings = list({one.name: one for one in [*others, binding]}.values())
    logger.rename(f"{logger.run_name}-{binding.name}")
    kept = OmegaConf.to_container(cfg.carrier, resolve=True)
    logger.log_params(scalars({"carrier": kept}) | {"binding": binding.name})
    logger.add_note(
        f"Marks of {len(data.unseen)} pictures by {carrier.name}, judged by {binding.name}."
    )
    make_folder(Path(cfg.paths.output), "The output folder")
    with TemporaryDirectory(dir=cfg.paths.output, prefix=".registry-") as folder:
        owner, thief = (make_key(Path(folder, f"{who}.pem"), who) for who in ("owner", "thief"))
        registry = Registry.open_to_append(str(Path(folder, "marks.db")))
        stage = Stage(registry, code, carrier, bindings)
        marked = stage.marked(data.unseen, data.outliers, data.others, owner, thief)
        near = code.limits.get(FPR, limit)
        examiner = Examiner(registry, code, carrier, binding, bindings, near)
        trials = _trials(examiner, marked, data, suite, attacks)
    measures = results.measured(trials, marked, cfg.resamples, cfg.seed)
    logger.log_metrics({name: measure.value for name, measure in measures.items()})
    logger.log_metrics({"watermark/pictures": len(marked), "watermark/limit_bits": limit})
    _publish(logger, trials, marked, suite, measures, [one.name for one in bindings])


def _publish(
    logger: RunLogger, trials: Sequence[Trial], marked: Sequence[Marked],
    edits: Sequence[SuiteEdit], measures: Mapping[str, Measure], bindings: Sequence[str],
) -> None:  # fmt: skip
    """Log tables, figures and the offline page, and show what matters most."""
    verdicts = results.verdicts_table(trials)
    of_edits = results.edits_table(measures, edits)
    copying = list(dict.fromkeys(trial.name for trial in trials if trial.copy))
    tables = {
        "The mark": results.carrier_table(measures),
        "Bindings": results.bindings_table(measures, bindings, copying),
        "Attacks": results.attacks_table(measures, trials),
    }
    pictures = [(one.picture.name, one.picture.pixels, one.pixels) for one in marked[:SHOWN]]
    figures = {
        "Edits": plots.edit_heatmap(of_edits, "Marks after edits", "share of pictures"),
        "Verdicts": plots.verdict_matrix(
            verdicts.iloc[:, 0].to_list(), STATUSES, verdicts[STATUSES].to_numpy(), "Verdicts"
        ),
        "Pictures": plots.marked_pictures(pictures, TIMES, "Marked pictures"),
    }
    for name, table in (tables | {"Edits": of_edits, "Verdicts": verdicts}).items():
        logger.log_table(table, name.lower().replace(" ", "_"))
    logger.log_table(figures_table(list(measures.values())), "figures")
    for name, figure in figures.items():
        logger.log_figure(figure, f"watermark_{name.lower()}")
    parts: dict[str, pd.DataFrame | Figure] = tables | figures
    logger.log_text(page(logger.run_name, NOTES, parts), "watermark.html")
    logger.add_note(markdown(tables["Bindings"]))
    for name, table in tables.items():
        show(table, f"{name}: {logger.run_name}")
    log.info("Tables and the page watermark.html are in %s", logger.folder)


def _limit(code: Code, data: TwoSets) -> int:
    """Set the limit of the code: alike pictures may lower the one that was measured on any."""
    found = calibrated(hashed(code, data.outliers), ALIKE, FPR)
    limit = min(found, code.limits.get(FPR, found))
    log.info("Codes of one picture differ in at most %d bits", limit)
    return limit


def _limited(binding: Binding, limit: int) -> Binding:
    """Give the limit to a binding that looks at the code."""
    if isinstance(binding, CodeBinding | CodeRegistrationBinding):
        return replace(binding, limit=limit)
    return binding


def _trials(
    examiner: Examiner, marked: Sequence[Marked], data: TwoSets, edits: Sequence[SuiteEdit],
    attacks: Mapping[str, Attack],
) -> list[Trial]:  # fmt: skip
    """Judge all that is done to each picture, on all cores: threads share the network."""
    tasks: list[Callable[[], list[Trial]]] = []
    for i, one in enumerate(marked):
        tasks.append(partial(examiner.edited, i, one, edits))
        tasks.append(partial(examiner.attacked, i, one, attacks))
    for i, picture in enumerate(data.outliers, len(marked)):
        tasks.append(partial(examiner.foreign, i, picture))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(cpu_count()) as pool:
            done = track(pool.map(lambda task: task(), tasks), "Judging", len(tasks))
            return [trial for some in done for trial in some]
    finally:
        torch.set_num_threads(threads)
