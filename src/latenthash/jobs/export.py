"""The job that writes a code as one ONNX file, and beside it what another program must come to."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from omegaconf import DictConfig

from latenthash.cache import DiskCache
from latenthash.codes.export import export_code, run_exported
from latenthash.codes.port import examples, port_examples
from latenthash.codes.work import work_of
from latenthash.data.reading import Reader
from latenthash.data.samples.sets import embedded
from latenthash.errors import InputError, refuse_existing
from latenthash.features.onnx_runtime import is_installed
from latenthash.jobs.build import build
from latenthash.jobs.codes import latent_of, open_code
from latenthash.system.files import make_folder

log = logging.getLogger(__name__)

SUFFIX, BESIDE = ".onnx", ".json"
TRIED = ("girl", "photos_a", "photos_b", "outliers", "plate")  # embedded pictures


def export(cfg: DictConfig) -> None:
    """Write the network of a code, from reduced views to bits, to the file that the config names.

    It is tried on the embedded pictures first.

    Raises:
        InputError: if the files cannot be written, or run= names no code.
        JobError: if the code cannot be exported, or the file would give others.
    """
    path = _checked(cfg.export)
    cache: DiskCache = build(cfg.cache)
    opened = open_code(cfg)
    latent = latent_of(opened, cache)
    reader: Reader = build(opened.config.data.reader, _convert_="all")
    shown = examples(reader)
    pictures = [picture.pixels for name in TRIED for picture in embedded(name, cache)]
    views = work_of(latent)([*pictures, *(one.pixels for one in shown)])
    data = export_code(latent, reader, views)
    beside = port_examples(latent, reader, shown, lambda views: run_exported(data, views)[0])
    files = {
        path.with_suffix(BESIDE): json.dumps(beside, indent=1).encode() + b"\n",
        path: data,  # last: where it is, the other is
    }
    _write(files)
    log.info(
        "%s is the code, %d bytes, with the bits of %d pictures as they are here. %s has what a "
        "program that uses it must come to; docs/export.md says how.",
        path, len(data), len(views), path.with_suffix(BESIDE),
    )  # fmt: skip


def _checked(given: str | None) -> Path:
    """Return the path of the file that is asked for, if it can be written.

    Raises:
        InputError: if it cannot, or is called otherwise.
    """
    if given is None:
        raise InputError(f"export is not set; name a file: export=code{SUFFIX}.")
    path = Path(given)
    if path.suffix != SUFFIX:
        raise InputError(f"export={given} must end with {SUFFIX}, as in export=code{SUFFIX}.")
    if not is_installed():
        raise InputError(f"export={given} needs: pip install 'latenthash[onnx]'.")
    beside = path.with_suffix(BESIDE)
    _refuse(path)
    # It appears first: alone, it may be all that an export wrote before it was killed.
    refuse_existing(
        beside,
        f"remove it if {path.name}, which is not there, was never finished, or name another file "
        f"with export=NAME{SUFFIX}",
    )
    make_folder(path.parent, f"The folder of export={given}")
    return path


def _refuse(path: Path) -> None:
    refuse_existing(path, f"name another file with export=NAME{SUFFIX}")


def _write(files: Mapping[Path, bytes]) -> None:
    """Write files that appear only when all are whole, and over none that is there.

    Args:
        files: of one folder.

    Raises:
        InputError: if another process wrote one meanwhile.
    """
    folder = next(iter(files)).parent
    with TemporaryDirectory(dir=folder) as temporary:
        for path, data in files.items():
            Path(temporary, path.name).write_bytes(data)
        for path in files:
            _refuse(path)
        for path in files:
            Path(temporary, path.name).rename(path)
