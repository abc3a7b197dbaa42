"""What the lines of a run's record may say; whatever else they say is refused."""

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter

from latenthash.options.kinds import Name, Node
from latenthash.tracking.names import NOTE, PARENT, PROCESS, RUN_NAME


def _inside(name: str) -> str:
    """Let a name pass that leads nowhere but further into a folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts:
        raise ValueError
    return name


def _own_tag(name: str) -> str:
    """Let a tag pass, unless it means something to MLflow or to this machine."""
    if name == PROCESS or (name.startswith("mlflow.") and name not in (NOTE, PARENT, RUN_NAME)):
        raise ValueError
    return name


Inside: TypeAlias = Annotated[Name, AfterValidator(_inside)]
Key: TypeAlias = Annotated[str, Field(pattern=r"^[\w.\- :/]+$", max_length=250)]
Id: TypeAlias = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][\w\-]*$", max_length=256)]
Natural: TypeAlias = Annotated[int, Field(ge=0, lt=2**53)]


class Tags(Node):
    """Tags of the run; the first line holds those it is made with."""

    tags: dict[Annotated[Key, AfterValidator(_own_tag)], str]


class Begun(Node):
    """The run was made in MLflow."""

    run: Id


class Known(Node):
    """A run of MLflow knows all that stands before."""

    known: Id


class Params(Node):
    """Parameters of the run."""

    params: dict[Key, str]


class UsedPictures(Node):
    """Pictures that a run is made from."""

    name: Key
    digest: Annotated[str, Field(min_length=1, max_length=36)]
    source: Annotated[str, Field(min_length=1, max_length=4096)]


class Sources(Node):
    """The pictures that the run is made from."""

    sources: Annotated[list[UsedPictures], Field(max_length=16)]


class Metrics(Node):
    """Metrics of a step; `time` in ms since 1970."""

    model_config = ConfigDict(allow_inf_nan=True)
    metrics: dict[Key, float]
    step: Natural
    time: Natural


class File(Node):
    """A file of the output folder."""

    file: Inside


class Folder(Node):
    """A folder in the output folder."""

    folder: Inside


class Table(Node):
    """A table: <name>.csv and <name>.json."""

    table: Inside


class Image(Node):
    """An image of a series."""

    image: Inside
    key: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_\-./ ]+$", max_length=100)]
    step: Natural


class Ended(Node):
    """How the run ended."""

    status: Literal["FINISHED", "FAILED", "KILLED"]


LINE: TypeAdapter[Any] = TypeAdapter(
    Tags | Begun | Known | Params | Sources | Metrics | File | Folder | Table | Image | Ended
)
