"""The jobs of each command, and what each looks at.

The key of a job is its `_target_`. A job of evaluate.py also has a file in conf/job, which is named
as its module.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

# run=code: the code that comes with the project. run=vgg16_code: the one that came before it.
SHIPPED, FORMER = SHIPPED_CODES = ("code", "vgg16_code")
FIELD_SETS = ("disc21", "copydays")  # of conf/benchmark, which the user has
ANYTHING = ()  # any value but null
CODES = "latenthash.jobs.codes.give_codes"
MARKS = "latenthash.jobs.watermark.judge_marks"
OF_MARKS = ("benchmark", "carrier", "binding", "bindings", "attacks")  # options of that job alone
OF_NETWORKS = (  # options that it does not look at, for it trains nothing
    *("hash", "edits", "augment", "features", "model", "trainer", "callbacks"),
    *("finetune", "finetuning"),
)


@dataclass(frozen=True)
class TrainJob:
    """A job of train.py.

    Attributes:
        data: the class of data that it can be done with.
        way: how to ask for both.
        vain: options that it does not look at.
        bundle: whether it leaves one.
    """

    data: str
    way: str
    vain: tuple[str, ...]
    bundle: bool


@dataclass(frozen=True)
class EvaluateJob:
    """A job of evaluate.py.

    Attributes:
        way: how it is asked for.
        options: that it looks at.
        asked_by: options that ask for it where no job is named -> the values that do.
    """

    way: str
    options: tuple[str, ...]
    asked_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


TRAIN_JOBS = {
    "latenthash.jobs.enrol.enrol": TrainJob(
        "latenthash.data.splits.Splits", "data=folders", vain=OF_MARKS, bundle=True
    ),
    "latenthash.jobs.fit_code.fit_code": TrainJob(
        "latenthash.data.pairs.Pairs",
        "+experiment=code",
        vain=("hash", "edits", "resamples", "callbacks", "finetune", "finetuning", *OF_MARKS),
        bundle=True,
    ),
    "latenthash.jobs.train_code.train_code": TrainJob(
        "latenthash.data.collection.Collection",
        "+experiment=fast_code",
        vain=("hash", "edits", "augment", "resamples", "finetune", "finetuning", *OF_MARKS),
        bundle=True,
    ),
    "latenthash.jobs.learn_digits.learn_digits": TrainJob(
        "latenthash.data.digits.Digits",
        "+experiment=mnist",
        vain=("hash", "edits", "augment", "unreadable", "finetune", "finetuning", *OF_MARKS),
        bundle=False,
    ),
    MARKS: TrainJob(
        "latenthash.data.two_sets.TwoSets",
        "+experiment=watermark",
        vain=OF_NETWORKS,
        bundle=False,
    ),
}
# The first that is asked for is done, so that codes come before matches. Where none is, the config
# says which.
EVALUATE_JOBS = {
    "latenthash.jobs.log.log_run": EvaluateJob("log=FOLDER", ("log",), {"log": ANYTHING}),
    "latenthash.jobs.gallery_find.find_pictures": EvaluateJob(
        "gallery=DIR find=PATH",
        (
            *("gallery", "find", "false_matches", "distance", "engine", "database"),
            *("run", "trust", "reader.max_pixels"),
        ),
        {"find": ANYTHING, "gallery": ANYTHING},
    ),
    "latenthash.jobs.gallery_duplicates.find_duplicates": EvaluateJob(
        "gallery=DIR duplicates=true",
        ("gallery", "duplicates", "false_matches", "distance", "engine", "reader"),
        {"duplicates": ("true",), "gallery": ANYTHING},
    ),
    "latenthash.jobs.gallery_calibrate.calibrate": EvaluateJob(
        "gallery=DIR calibrate=PATH",
        (
            *("gallery", "calibrate", "edits", "groups", "unreadable", "benchmark"),
            *("run", "trust", "reader.max_pixels"),
        ),
        {"calibrate": ANYTHING, "gallery": ANYTHING},
    ),
    "latenthash.jobs.hashes.compare_hashes": EvaluateJob(
        "hashes=[LH2-...,LH2-...]", ("hashes",), {"hashes": ANYTHING}
    ),
    "latenthash.jobs.gallery_add.add": EvaluateJob(
        "gallery=DIR add=PATH",
        ("gallery", "add", "root", "engine", "cluster", "run", "trust", "reader.max_pixels"),
        {"add": ANYTHING, "gallery": ANYTHING},
    ),
    "latenthash.jobs.gallery_remove.remove": EvaluateJob(
        "gallery=DIR remove=PATH",
        ("gallery", "remove"),
        {"remove": ANYTHING, "gallery": ANYTHING},
    ),
    "latenthash.jobs.gallery_compact.compact": EvaluateJob(
        "gallery=DIR compact=true",
        ("gallery", "compact"),
        {"compact": ("true",), "gallery": ANYTHING},
    ),
    "latenthash.jobs.gallery_contents.show_contents": EvaluateJob(
        "gallery=DIR alone", ("gallery",), {"gallery": ANYTHING}
    ),
    "latenthash.jobs.register.register": EvaluateJob(
        "run=RUN serve_as=NAME",
        ("serve_as", "run", "trust", "reader.max_pixels"),
        {"serve_as": ANYTHING},
    ),
    "latenthash.jobs.keygen.make_key": EvaluateJob(
        "keygen=FILE.pem", ("keygen", "name"), {"keygen": ANYTHING}
    ),
    "latenthash.jobs.mark.mark": EvaluateJob(
        "mark=PATH owner=FILE.pem registry=FILE",
        (
            *("mark", "owner", "registry", "registry_key", "to", "parents", "edits_done"),
            *("save_as", "quality", "carrier", "stronger", "binding", "run", "trust"),
            *("reader.max_pixels", "reader.background"),
        ),
        {"mark": ANYTHING},
    ),
    "latenthash.jobs.verify.verify": EvaluateJob(
        "verify=PATH registry=FILE",
        (
            *("verify", "registry", "head", "explain", "carrier", "binding", "run", "trust"),
            *("reader.max_pixels", "reader.background"),
        ),
        {"verify": ANYTHING},
    ),
    "latenthash.jobs.lineage.show_lineage": EvaluateJob(
        "lineage=ID registry=FILE", ("lineage", "registry"), {"lineage": ANYTHING}
    ),
    "latenthash.jobs.registry.show_registry": EvaluateJob(
        "registry=FILE alone", ("registry", "check", "head", "head_to"), {"registry": ANYTHING}
    ),
    "latenthash.jobs.field_sets.judge_by_set": EvaluateJob(
        "benchmark=disc21 or benchmark=copydays",
        (
            *(
                "benchmark",
                "run",
                "trust",
                "pictures",
                "sscd",
                "dinohash",
                "vgg16",
                "resamples",
                "seed",
            ),
            *("peer", "peers", "reader"),
        ),
        {"benchmark": FIELD_SETS},
    ),
    "latenthash.jobs.views.write": EvaluateJob(
        "benchmark=NAME views_to=FOLDER",
        ("views_to", "benchmark", "pictures", "edits", "unreadable", "reader"),
        {"views_to": ANYTHING, "benchmark": ANYTHING},
    ),
    "latenthash.jobs.benchmark.judge_codes": EvaluateJob(
        "benchmark=NAME",
        (
            *("benchmark", "run", "trust", "pictures", "edits", "fpr", "gallery_size", "groups"),
            *("sscd", "dinohash", "vgg16", "resamples", "seed", "unreadable", "peer", "peers"),
            *("codes_from", "reader"),
        ),
        {"benchmark": ANYTHING},
    ),
    "latenthash.jobs.export.export": EvaluateJob(
        "run=code export=FILE.onnx", ("run", "trust", "export"), {"export": ANYTHING}
    ),
    "latenthash.jobs.compare.compare_pictures": EvaluateJob(
        "run=code pictures=[A,B] compare=true",
        ("run", "trust", "pictures", "compare", "reader.max_pixels"),
        {"compare": ("true",)},
    ),
    CODES: EvaluateJob(
        "run=code pictures=PATH",
        ("run", "trust", "pictures", "reader.max_pixels", "unreadable"),
        {"pictures": ANYTHING, "run": SHIPPED_CODES},
    ),
    "latenthash.jobs.matches.match": EvaluateJob(
        "run=RUN pictures=PATH",
        ("run", "trust", "pictures", "explain", "reader.max_pixels", "unreadable"),
        {"pictures": ANYTHING},
    ),
    "latenthash.jobs.held_out.repeat_held_out": EvaluateJob(
        "run=RUN alone", ("run", "trust", "reader.max_pixels")
    ),
}
