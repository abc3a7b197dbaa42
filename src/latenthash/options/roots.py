"""The whole config of each command, and the part of it that a bundle holds."""

from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field

from latenthash.options.edits import EditName, Edits
from latenthash.options.jobs import EVALUATE_JOBS, TRAIN_JOBS
from latenthash.options.kinds import (
    Count,
    Kind,
    Located,
    Name,
    Node,
    Path,
    Seed,
    Share,
    Slot,
    Switch,
    number,
    whole,
)
from latenthash.options.nodes.attacks import (
    CentroidBinding,
    CopyAttack,
    IdentityBinding,
    PHashBinding,
    PlainAttack,
    SecondKey,
    TileEstimate,
    WhiteBox,
)
from latenthash.options.nodes.data import (
    Collection,
    Digits,
    Pairs,
    Reader,
    Splits,
    Suite,
    TwoSets,
    Unreadable,
)
from latenthash.options.nodes.features import VGG16, Embedding, OwnFeatures, Pixels, VGG16Layers
from latenthash.options.nodes.models import (
    PCA,
    VAE,
    VAEGAN,
    Contrastive,
    FineTuner,
    OwnModel,
    Topology,
)
from latenthash.options.nodes.peers import FunctionHash, ONNXHash
from latenthash.options.nodes.sets import DISC21, Copydays
from latenthash.options.nodes.training import (
    Averaging,
    DiskCache,
    EarlyStopping,
    ModelCheckpoint,
    PriorSamples,
    Progress,
    RichProgressBar,
    RunLogger,
    Trainer,
)
from latenthash.options.nodes.watermark import (
    CodeBinding,
    CodeRegistrationBinding,
    RegistrationBinding,
    Tiled,
)

Features: TypeAlias = Annotated[
    object, Slot(Pixels, VGG16, VGG16Layers, Embedding, own=OwnFeatures)
]
Model: TypeAlias = Annotated[
    object,
    Slot(VAE, VAEGAN, PCA, Topology, Contrastive, own=OwnModel, methods=("fit", "encode")),
]
Callback: TypeAlias = Annotated[
    object,
    Slot(EarlyStopping, Progress, RichProgressBar, PriorSamples, Averaging),
]
Cache: TypeAlias = Annotated[object, Slot(DiskCache)]
# No class of others: what a user has of his own is the function, not the class that calls it.
Peer: TypeAlias = Annotated[object, Slot(FunctionHash, ONNXHash, closed=True)]
Carrier: TypeAlias = Annotated[
    object, Slot(Tiled, methods=("embed", "read", "read_through", "erase"))
]
Binding: TypeAlias = Annotated[
    object,
    Slot(
        *(CodeBinding, RegistrationBinding, CodeRegistrationBinding),
        *(IdentityBinding, PHashBinding, CentroidBinding),
        methods=("compare",),
    ),
]
Attack: TypeAlias = Annotated[
    object,
    Slot(PlainAttack, TileEstimate, CopyAttack, SecondKey, WhiteBox, methods=("apply",)),
]
PeerName: TypeAlias = Annotated[
    str, Field(pattern=r"^\w[\w-]{0,63}$"), Kind("a name of letters, digits, - and _")
]
Role: TypeAlias = Literal["signal", "noise_edited", "noise_similar", "outliers", "unseen"]
Draws: TypeAlias = Annotated[int, whole(1, 10**5, "draws")]


class Job(Node):
    """What is done with data, features and model."""

    target: Literal[*TRAIN_JOBS] = Field(alias="_target_")  # type: ignore[valid-type]
    partial: Literal[True] = Field(True, alias="_partial_")
    start: Annotated[str, Located("imagenet, random, code or a folder with a bundle")] | None = None
    edits: Annotated[
        str | int | float | list[str | int | float] | None,
        Kind("names of edits or families, such as [jpeg,rotation_10]"),
    ] = None


class Hash(Node):
    """How limits are set."""

    alpha: Share
    fpr: Share | None
    gate: Switch = False  # for the ablation alone, see conf/ingredients/gate.yaml


class Callbacks(Node):
    """Lightning's; the checkpoint is what leaves the model with its best epoch."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Callback]

    checkpoint: Annotated[object, Slot(ModelCheckpoint)]


class Finetuning(Node):
    """How the end of the trunk is trained."""

    module: Annotated[object, Slot(FineTuner)]
    max_epochs: Count
    callbacks: Callbacks


class Paths(Node):
    """Where a command was given, and where its output goes."""

    root: Path
    output: Path


class Bundled(Node):
    """What a bundle holds of the config that made it."""

    seed: Seed
    hash: Hash
    resamples: Draws
    data: Annotated[object, Slot(Splits, Pairs, Collection)]
    augment: Edits
    edits: Edits
    features: Features
    model: Model


class Network(Node):
    """What of a bundle's config makes codes by the network of model=contrastive, and no more."""

    hash: Hash
    data: Annotated[object, Slot(Pairs, Collection)]
    features: Annotated[object, Slot(Pixels)]
    model: Annotated[object, Slot(Contrastive)]


class Train(Bundled):
    """The config of train.py."""

    job: Annotated[object, Slot(Job)]
    data: Annotated[object, Slot(Splits, Pairs, Collection, Digits, TwoSets)]
    finetune: Switch
    finetuning: Finetuning
    trainer: Annotated[object, Slot(Trainer)]
    callbacks: Callbacks
    logger: Annotated[object, Slot(RunLogger)]
    cache: Cache
    paths: Paths
    force: Switch
    unreadable: Unreadable
    signals: Path | None = None
    benchmark: Annotated[object, Slot(Suite)] | None = None  # left out where no mark is judged
    carrier: Carrier | None = None
    binding: Binding | None = None
    bindings: dict[EditName, Binding] = Field(default_factory=dict)
    attacks: dict[EditName, Attack] = Field(default_factory=dict)


class EvaluateJob(Node):
    """What is done with a bundle, pictures or hashes."""

    target: Literal[*EVALUATE_JOBS] = Field(alias="_target_")  # type: ignore[valid-type]
    partial: Literal[True] = Field(True, alias="_partial_")


class Evaluate(Node):
    """The config of evaluate.py."""

    job: EvaluateJob
    benchmark: Annotated[object, Slot(Suite, DISC21, Copydays)] | None = None
    logger: Annotated[object, Slot(RunLogger)]
    cache: Cache
    paths: Paths
    run: Path
    trust: Annotated[list[Name], Kind("names of packages, such as [mypackage]")]
    pictures: Annotated[Path | list[Path] | None, Kind("a path, or several, such as [a.jpg,b.jpg]")]
    compare: Switch
    export: Path | None
    log: Path | None
    serve_as: PeerName | None
    format: Literal["table", "text", "csv", "jsonl"]
    hashes: Annotated[str | list[str] | None, Kind("printable hashes, [LH2-...,LH2-...]")]
    explain: Switch
    gallery: Path | None
    add: Path | None
    root: Path | None
    remove: Path | None
    compact: Switch
    edits: Annotated[
        str | int | float | list[str | int | float] | None,
        Kind("names of edits or families, such as [jpeg,rotation_10]"),
    ]
    fpr: Share | None
    gallery_size: Annotated[float, number(least=1, most=1e18, unit="pictures")]
    unreadable: Unreadable
    groups: Path | None
    peers: dict[PeerName, Peer] = Field(default_factory=dict)  # left out where none is chosen
    find: Path | None
    false_matches: Annotated[float, number(above=0, most=1e18, unit="expected of one query")]
    distance: Annotated[int, whole(0, 256, "bits")] | None
    duplicates: Switch
    calibrate: Path | None
    engine: Literal["auto", "numpy", "faiss", "postgres", "local", "ray"]
    cluster: Annotated[
        str, Field(pattern=r"^(ray://)?[\w.:\[\]-]+$"), Kind("the address of a Ray cluster")
    ]
    database: Annotated[str, Located("the URI of a PostgreSQL database")] | None
    registry: Annotated[str, Located("a file, or the URI of a PostgreSQL database")] | None
    registry_key: Path | None
    mark: Path | None
    owner: Path | None
    to: Path | None
    parents: Literal["auto", "none"]
    edits_done: Path | None
    save_as: Literal["png", "webp", "tiff", "jpeg"] | None
    quality: Annotated[int, whole(1, 100, "of JPEG")]
    verify: Path | None
    lineage: Annotated[str | int, Kind("an id of 16 hexadecimal digits")] | None
    check: Switch
    head: Path | None
    head_to: Path | None
    keygen: Path | None
    name: Annotated[str | int | float | None, Kind("a name")]
    carrier: Carrier
    stronger: Carrier
    binding: Binding
    views_to: Path | None
    codes_from: Path | None
    sscd: Path | None
    dinohash: Path | None
    vgg16: Switch
    resamples: Draws
    seed: Seed
    reader: Annotated[object, Slot(Reader)]


class Files(Node):
    """The digests of a bundle's other files."""

    weights: str = Field(alias="weights.safetensors")
    config: str = Field(alias="config.yaml")


class HashFile(Node):
    """What hash.json of a bundle holds beside its digest; `Hash.from_json` reads the numbers."""

    format: int
    latenthash: Annotated[str, Field(max_length=64), Kind("a version")]
    code: Annotated[Literal[True], Kind("true, or left out")] = True
    k: Annotated[int, whole(1, 4096)] = 1
    centroid: Annotated[list[float], Field(max_length=4096), Kind("a list of numbers")] = Field(
        default_factory=list
    )
    radius: Annotated[float, number(above=0, below=1e300)] = 1.0
    gate: Annotated[float, number(above=0, below=1e300)] = 1.0
    printable: Annotated[str, Kind("the printable hash, as text")] = ""
    run_id: Annotated[str, Field(pattern=r"^[\w-]{1,64}$"), Kind("the id of a run")]
    pictures: Annotated[dict[Role, str], Kind("the digests of pictures, role -> text")]
    # Format 2's word for provenance.
    identity: Annotated[dict[str, str], Kind("texts that say what the features were made with")]
    fitted: Annotated[list[str], Kind("the digests of fitted pictures, as texts")] = Field(
        default_factory=list
    )
    packages: Annotated[
        list[Annotated[str, Field(max_length=100, pattern=r"^[^\W\d_]\w*$")]],
        Field(max_length=100),
        Kind("names of packages"),
    ] = Field(default_factory=list)
    files: Annotated[Files, Kind("the digests of weights.safetensors and config.yaml, and no more")]
