"""What data and edits are read by, as options."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from latenthash.options.edits import Chain, EditName
from latenthash.options.kinds import Count, Kind, Located, Name, Node, Path, Share, Slot, whole

Source: TypeAlias = Annotated[str, Located("a path or embedded:<set>")]
Unreadable: TypeAlias = Annotated[Literal["refuse", "skip"], Kind("refuse or skip")]
Level: TypeAlias = Annotated[int, whole(0, 255)]


class TrainSets(Kind):
    """Sets to fit on, the Signal among them, each once."""

    def fits(self, value: list[str]) -> bool:
        """Say whether the Signal is among the sets and none is there twice."""
        return "signal" in value and len(set(value)) == len(value)


class Reader(Node):
    """`latenthash.data.reading.Reader`."""

    target: Literal["latenthash.data.reading.Reader"] = Field(alias="_target_")
    working_size: Annotated[int, whole(8, 8192, "px")]
    max_pixels: Annotated[int, whole(64, 2**34, "pixels")]
    background: Annotated[
        list[Level],
        Field(min_length=3, max_length=3),
        Kind("three whole numbers from 0 to 255, [red, green, blue]"),
    ]
    unreadable: Unreadable = "refuse"


class Views(Node):
    """Numbers of views of each split."""

    train: Count
    validation: Count
    calibration: Count
    test: Annotated[int, whole(2, 10**6)]  # separation compares views of a set with each other
    edits: Count
    each: Count


class Splits(Node):
    """`latenthash.data.splits.Splits`."""

    target: Literal["latenthash.data.splits.Splits"] = Field(alias="_target_")
    signal: Source | None
    noise_edited: Source | None
    noise_similar: Source | None
    outliers: Source | None
    unseen: Source | None
    reader: Annotated[object, Slot(Reader)]
    views: Views
    train_sets: Annotated[
        list[Literal["signal", "noise_edited", "noise_similar", "outliers"]],
        TrainSets(
            "a list of signal and any of noise_edited, noise_similar, outliers; unseen pictures "
            "are for the test alone"
        ),
    ]
    workers: Annotated[int, whole(0, 256, "processes")]


class Pairs(Node):
    """`latenthash.data.pairs.Pairs`."""

    target: Literal["latenthash.data.pairs.Pairs"] = Field(alias="_target_")
    outliers: Source | None
    reader: Annotated[object, Slot(Reader)]
    views: Annotated[int, whole(2, 10**6)]  # pairs are learned from
    quarters: Annotated[int, whole(0, 10**6)]


class Collection(Node):
    """`latenthash.data.collection.Collection`."""

    target: Literal["latenthash.data.collection.Collection"] = Field(alias="_target_")
    outliers: Source | None
    reader: Annotated[object, Slot(Reader)]
    held_out: Annotated[int, whole(2, 5000, "pictures")]  # each is compared with each
    graphics: Annotated[int, whole(0, 50_000, "pictures")]  # all are in memory


class TwoSets(Node):
    """`latenthash.data.two_sets.TwoSets`."""

    target: Literal["latenthash.data.two_sets.TwoSets"] = Field(alias="_target_")
    outliers: Source | None
    unseen: Source | None
    reader: Annotated[object, Slot(Reader)]
    pictures: Annotated[int, whole(2, 10**6, "pictures")] | None
    others: Annotated[int, whole(1, 1000, "pictures")]


class Digits(Node):
    """`latenthash.data.digits.Digits`."""

    target: Literal["latenthash.data.digits.Digits"] = Field(alias="_target_")
    file: Path | None
    folder: Path
    validation: Share
    test: Share


class SuiteEdit(Node):
    """One edit of a suite."""

    strength: float | None = None
    edit: Chain


class Suite(Node):
    """`latenthash.data.edits.suite.Suite`, which checks how its edits go together."""

    target: Literal["latenthash.data.edits.suite.Suite"] = Field(alias="_target_")
    convert: Literal["all"] = Field("all", alias="_convert_")
    version: Name
    units: dict[str, str] | None = None
    families: dict[EditName, dict[EditName, SuiteEdit]]
