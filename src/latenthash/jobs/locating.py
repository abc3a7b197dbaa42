"""The files that a bundle names: it keeps their names, and nothing of its maker's folders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from omegaconf import DictConfig

from latenthash.data.samples.sets import PREFIX
from latenthash.data.sources import source_digest
from latenthash.data.splits import ROLES
from latenthash.errors import InputError
from latenthash.features.weights import names_file, weights_file
from latenthash.hashing.bundle import Bundle
from latenthash.jobs.at_hand import bundle_folder
from latenthash.system.paths import is_file
from latenthash.tracking.names import FOLDER
from latenthash.tracking.store import Run


@dataclass(frozen=True)
class Places:
    """Where the files that a bundle names may lie.

    Attributes:
        folders: that names are relative to; the working directory, and the one in which the run
            was made, where the store here knows it.
        above: the folders above a bundle that was named by its path: one of them is where the
            run was made, unless the bundle was moved.
        typed: option -> what the run's user wrote; None where no store here knows the run.
    """

    folders: Sequence[Path]
    above: Sequence[Path]
    typed: Mapping[str, str] | None

    @classmethod
    def of(cls, name: str, run: Run | None) -> "Places":
        """List them.

        Args:
            name: what the user called the bundle by; a folder, or anything else.
            run: that made the bundle, where a store here knows it.
        """
        folder = bundle_folder(name)
        above = [] if folder is None else list(folder.absolute().parents)
        if run is None:
            return cls([Path.cwd()], above, None)
        made = [_path(run.data.tags[FOLDER])] if FOLDER in run.data.tags else []
        return cls(list(dict.fromkeys([Path.cwd(), *made])), above, run.data.params)

    def candidates(self, option: str, name: str, folders: Sequence[Path]) -> list[str]:
        """Return the paths that a file may have: as the user wrote it, and as the bundle does."""
        names = [name]
        if self.typed is not None:
            names.insert(0, self.typed.get(option, name))
        elif Path(name).is_absolute() or Path(name) == Path() or ".." in Path(name).parts:
            return []  # a stranger's bundle has no say in which folders are read here
        return list(dict.fromkeys(str(folder / name) for name in names for folder in folders))


def with_weights(config: DictConfig, places: Places) -> DictConfig:
    """Return a bundle's config with the path that its weight file has here.

    Raises:
        InputError: if it is not found.
    """
    name = config.features.get("weights")
    if not names_file(name):
        return config
    paths = places.candidates("features.weights", str(name), [*places.folders, *places.above])
    found = next((path for path in paths if is_file(weights_file(Path(path)))), None)
    if found is None:
        raise InputError(
            f"The bundle's features need the weight file {name}, which is not here: put it into "
            "the folder from which you call."
        )
    config = config.copy()
    config.features.weights = found
    return config


def with_pictures(config: DictConfig, bundle: Bundle, places: Places) -> DictConfig:
    """Return a bundle's config with the paths that the pictures of its run have here.

    Raises:
        InputError: for those that are not found, or were changed.
    """
    config = config.copy()
    problems = []
    for role in ROLES:
        name = str(config.data[role])
        paths = places.candidates(f"data.{role}", name, places.folders)
        digest = bundle.pictures.get(role)
        for path in [name] if name.startswith(PREFIX) else paths:
            if source_digest(path) == digest:
                config.data[role] = path
                break
        else:
            problems.append(
                f"data.{role}={name} is not what run {bundle.run_id} was made from (looked in "
                f"{' and '.join(map(str, places.folders))}); put the pictures back, call from the "
                "folder in which train.py was called, or pass pictures=PATH to hash others."
            )
    if problems:
        raise InputError(problems)
    return config


def _path(uri: str) -> Path:
    return Path(url2pathname(urlsplit(uri).path))
