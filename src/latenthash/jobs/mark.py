"""The job that marks pictures and registers them."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import DictConfig

from latenthash.data.sources import named
from latenthash.errors import InputError, JobError
from latenthash.jobs.answer import write
from latenthash.jobs.marking import Pictures, each, found_pictures, given_marks, given_registry
from latenthash.system.paths import absolute, exists, path_text
from latenthash.watermark.edits import read_edits
from latenthash.watermark.files import Format, format_of
from latenthash.watermark.keys import Signer, read_key
from latenthash.watermark.manifest import EditDone
from latenthash.watermark.marks import Marks, Parents
from latenthash.watermark.signed import sidecar
from latenthash.watermark.writing import FOLDER, Claimed, target_of

log = logging.getLogger(__name__)

COLUMNS = ["file", "marked", "id", "parents", "PSNR", "SSIM", "note"]
BEFORE = "marked before"


def mark(cfg: DictConfig) -> None:
    """Mark the picture at a path, or all of a folder, and say what came of it.

    Pictures whose marked copy is there already are left as they are, so that the same command goes
    on where it was interrupted.

    Raises:
        InputError: if key, registry, edits or pictures cannot be used.
        JobError: if some pictures could not be marked; the others are.
    """
    if cfg.mark is None:
        raise InputError("mark is not set; give a picture or a folder: mark=PATH.")
    if cfg.owner is None:
        raise InputError(
            "owner is not set; name the key that signs: owner=me.pem, which keygen=me.pem makes."
        )
    signer = read_key(Path(cfg.owner))
    edits = [] if cfg.edits_done is None else read_edits(Path(cfg.edits_done))
    pictures = _unmarked(cfg)
    marks = given_marks(cfg, given_registry(cfg, append=True))
    work = _Work(
        marks, signer, pictures, None if cfg.to is None else Path(cfg.to), cfg.parents, edits,
        cfg.save_as, cfg.quality,
    )  # fmt: skip
    rows = list(each(work.done, pictures.paths, "Marking"))
    write(cfg, pd.DataFrame(rows, columns=COLUMNS), "marked", f" in {path_text(Path(cfg.mark))}")
    failed = sum(not row["id"] for row in rows)
    if failed:
        raise JobError(f"{failed} of {len(rows)} files were not marked; the note of each says why.")


def _unmarked(cfg: DictConfig) -> Pictures:
    """Find what is to be marked: in a folder, all but the marked copies."""
    given = Path(cfg.mark)
    out = given / FOLDER if cfg.to is None else Path(cfg.to)
    inside = not absolute(given).is_relative_to(absolute(out))
    pictures = found_pictures(cfg.mark, "mark", out if inside else None)
    if pictures.folder is None:
        return pictures
    paths = [path for path in pictures.paths if not exists(sidecar(path))]
    if not paths:
        raise InputError(f"mark={cfg.mark} holds marked copies alone: name their originals.")
    if marked := len(pictures.paths) - len(paths):
        log.info("%d marked copies, which have a manifest beside them, are left out.", marked)
    return replace(pictures, paths=paths)


@dataclass(frozen=True)
class _Work:
    """What is done with each picture; see `Marks.mark`."""

    marks: Marks
    signer: Signer
    pictures: Pictures
    to: Path | None
    parents: Parents
    edits: list[EditDone]
    kind: Format | None
    quality: int

    def done(self, path: Path) -> dict[str, Any]:
        """Mark a picture, and return its row."""
        row: dict[str, Any] = dict.fromkeys(COLUMNS, "")
        row["file"] = named(path, self.pictures.given)
        to = self._folder(path)
        target = target_of(path, to, self.kind or format_of(path))
        try:
            try:
                done = self.marks.mark(
                    path, self.signer, to, parents=self.parents, edits=self.edits, kind=self.kind,
                    quality=self.quality,
                )  # fmt: skip
            except InputError:  # also where another process was done with it meanwhile
                before = self.marks.marked_before(path, self.signer, to, kind=self.kind)
                if before is None:
                    raise
                return row | {"marked": path_text(target), "id": before.hex(), "note": BEFORE}
        except Claimed as error:  # no failure: the other process marks it
            return row | {"id": "-", "note": str(error)}
        except InputError as error:
            return row | {"note": str(error)}
        return row | {
            "marked": path_text(done.file),
            "id": done.identity.hex(),
            "parents": " ".join(one.hex() for one in done.parents),
            "PSNR": round(done.psnr, 2),
            "SSIM": round(done.ssim, 4),
            "note": "; ".join(done.remarks),
        }

    def _folder(self, path: Path) -> Path | None:
        """Return where the copy goes: sub-folders of a folder are kept."""
        folder = self.pictures.folder
        if folder is None:
            return self.to
        out = folder / FOLDER if self.to is None else self.to
        return out / path.parent.relative_to(folder)
