"""What jobs on marks share: the registry, the pictures of a folder, and work in threads."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit

import cv2
import torch
from omegaconf import DictConfig

from latenthash.errors import InputError
from latenthash.jobs.build import build
from latenthash.jobs.gallery_add import given_code
from latenthash.system.parallel import in_threads
from latenthash.system.paths import exists, find_files, is_folder
from latenthash.system.terminal import track
from latenthash.watermark.bindings import IdentityBinding
from latenthash.watermark.conflicts import measured_limit
from latenthash.watermark.database import is_postgres
from latenthash.watermark.marks import Marks
from latenthash.watermark.registry import Registry
from latenthash.watermark.signed import ENDING

log = logging.getLogger(__name__)
T = TypeVar("T")
SHORT = 3  # files, of which no progress is shown


@dataclass(frozen=True)
class Pictures:
    """Files that may be pictures.

    Attributes:
        paths: of the files; manifests that stand beside marked pictures are left out.
        given: the folder in which they were found, or the one file itself.
    """

    paths: Sequence[Path]
    given: Path

    @property
    def folder(self) -> Path | None:
        """The folder that was given; None where a file was."""
        return self.given if is_folder(self.given) else None


def given_registry(cfg: DictConfig, *, append: bool = False) -> Registry:
    """Open the registry that the config names.

    Raises:
        InputError: if it names none, or one that cannot be used.
    """
    place = cfg.registry
    if place is None:
        raise InputError(
            "registry is not set; name its file, registry=marks.db, which mark=PATH makes."
        )
    if is_postgres(place) and any(
        name.endswith("password") for name, _ in parse_qsl(urlsplit(place).query)
    ):
        raise InputError(
            "registry= holds a password behind its question mark; keep it in ~/.pgpass, in "
            "PGPASSWORD or before the @ of the URI."
        )
    if append:
        key = None if cfg.registry_key is None else Path(cfg.registry_key)
        return Registry.open_to_append(place, key)
    return Registry.open(place)


def given_marks(cfg: DictConfig, registry: Registry) -> Marks:
    """Put together what marks and verifies pictures, as the config says.

    Raises:
        InputError: if run= names no code whose limits were measured, or a carrier or binding
            cannot be used.
    """
    carriers = [build(cfg.carrier)]
    if cfg.stronger != cfg.carrier:
        carriers.append(build(cfg.stronger))
    if len({carrier.name for carrier in carriers}) > 1:
        raise InputError(
            f"carrier={carriers[0].name} and stronger={carriers[1].name} cannot read each other's "
            "marks: give both the same key."
        )
    binding = build(cfg.binding)
    if isinstance(binding, IdentityBinding):
        raise InputError(
            "binding=identity compares nothing, so that a mark copied onto any picture would be "
            "verified: it is a control of +experiment=watermark alone. Leave it out."
        )
    reader, code = build(cfg.reader, _convert_="all"), given_code(cfg, build(cfg.cache))
    measured_limit(code)
    bundles = registry.bundles()
    others = sum(bundles.values()) - bundles.get(code.bundle.removeprefix("bundle "), 0)
    if others:
        said = "1 row of the registry is" if others == 1 else f"{others} rows of the registry are"
        log.warning("%s of another code, and not searched.", said)
    return Marks(registry, code, carriers, binding, reader)


def found_pictures(path: str, option: str, out: Path | None = None) -> Pictures:
    """Find a picture, or all files of a folder and of all below it.

    Args:
        path: of the picture or folder.
        option: that names it.
        out: a folder that is left out; None is none.

    Raises:
        InputError: if there is none.
    """
    given = Path(path)
    if not exists(given):
        raise InputError(f"{option}={path} is neither a picture nor a folder: there is nothing.")
    if not is_folder(given):
        return Pictures([given], given)
    barred = None if out is None else out.absolute()
    paths = [
        one
        for one in find_files(given)
        if not one.name.endswith(ENDING)
        and (barred is None or not one.absolute().is_relative_to(barred))
    ]
    if not paths:
        raise InputError(f"{option}={path} holds no pictures; put some into it.")
    return Pictures(paths, given)


def each(function: Callable[[Path], T], paths: Sequence[Path], title: str) -> Iterator[T]:
    """Call a function with each path, on all cores, and hand on what it returns, in their order."""
    if len(paths) == 1:
        yield function(paths[0])
        return
    with _alone():
        results = in_threads(function, paths)
        yield from track(results, title, len(paths), disable=len(paths) <= SHORT)


@contextmanager
def _alone() -> Iterator[None]:
    """Let each thread compute alone: many that share a picture wait for each other."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
