"""Copydays (Jégou, Douze and Schmid 2008, of INRIA): copies among the originals."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latenthash.benchmark.field_sets import Figure, files_by_stem, some
from latenthash.codes.code import Code, Described
from latenthash.codes.describe import Item
from latenthash.codes.pictures import list_files
from latenthash.codes.similarity import Bootstrap, similarities
from latenthash.data.reading import Reader
from latenthash.errors import InputError
from latenthash.metrics.retrieval import precision_of_one
from latenthash.system.paths import find_files, is_folder

ORIGINAL, STRONG, CROPS, JPEG, FLAT = "original", "strong", "crops", "jpeg", "copies"
# Kind of copies -> the folders that may hold them; the first that is there ranks the codes.
KINDS = {STRONG: (STRONG,), CROPS: (CROPS,), JPEG: (JPEG, "jpegqual"), FLAT: (FLAT,)}
NAME = re.compile(r"(\d{4})(\d{2})")  # which picture, and which copy of it; 00 is the original
LAYOUT = (
    "a folder with original/ and some of strong/, crops/<strength>/ and jpeg/<strength>/, or "
    "with the files themselves, XXXX00.jpg for an original and XXXXYY.jpg for its copies"
)
NOTE = (
    "Mean average precision of the copies, each looked for among all originals: 1 for the first "
    "place, 1 / (2 place) for all others, as the set's own evaluation has it; originals as similar "
    "as the true one count as before it. Brackets are 95 % bootstrap intervals over "
    "originals, each with all its copies, and codes are compared with the best draw by draw."
)


class Copydays:
    """Copydays, as the user has it in a folder."""

    def find(self, folder: Path, reader: Reader, resamples: int, seed: int) -> "FoundCopydays":
        """Find originals and copies; see `FieldSet.find`.

        Raises:
            InputError: for all that is wrong with the folder.
        """
        at = f"pictures={folder}"
        if not is_folder(folder):
            raise InputError(f"{at} must be {LAYOUT}.")
        originals, blocks = _files(folder, at)
        problems = [
            f"{at}: {path.relative_to(folder)} must be called by six digits, XXXX00 or XXXXYY."
            for path in [*originals, *(path for paths in blocks.values() for path in paths)]
            if not NAME.fullmatch(path.stem)
        ]
        if problems:
            raise InputError(problems)
        numbers = {_picture(path): i for i, path in enumerate(originals)}
        if len(numbers) < len(originals):
            raise InputError(f"{at}: two originals begin with the same four digits.")
        alone = [p.name for paths in blocks.values() for p in paths if _picture(p) not in numbers]
        if alone:
            problems.append(f"{at}: of some copies the original is not there: {some(alone)}.")
        if len(originals) < 2 or not any(blocks.values()):
            problems.append(f"{at}: two originals and a copy are needed; it must be {LAYOUT}.")
        if problems:
            raise InputError(problems)
        copies = [(name, path) for name, paths in blocks.items() for path in paths]
        items = list_files([*originals, *(path for _, path in copies)], folder, reader)
        own = np.array([numbers[_picture(path)] for _, path in copies])
        queries = {name: np.array([name == block for block, _ in copies]) for name in blocks}
        for kind, names in KINDS.items():
            of_kind = np.array([block.split("/")[0] in names for block, _ in copies])
            if of_kind.any():
                queries[kind] = of_kind
        draws = {
            name: Bootstrap(len(np.unique(own[where])), resamples, (seed, len(originals)))
            for name, where in queries.items()
        }
        return FoundCopydays(items, len(originals), own, queries, draws)


@dataclass(frozen=True)
class FoundCopydays:
    """Copydays, found in a folder; see `FoundSet`.

    Attributes:
        items: pictures: O originals, then Q copies.
        originals: O.
        own: (Q,) the original of each copy.
        queries: block, or kind of copies -> (Q,) which copies are of it.
        draws: the same names -> draws of the originals that have such copies.
    """

    items: Sequence[Item]
    originals: int
    own: NDArray[np.int64]
    queries: Mapping[str, NDArray[np.bool_]]
    draws: Mapping[str, Bootstrap]

    @property
    def title(self) -> str:
        """What page and run are called."""
        return f"copydays: {self.originals} originals, {len(self.own)} copies"

    @property
    def columns(self) -> Sequence[str]:
        """The figures that the leaderboard shows: each kind of copies apart."""
        return [_figure(kind) for kind in KINDS if kind in self.queries]

    @property
    def facts(self) -> dict[str, str]:
        """What the set holds, for people."""
        counts = {name: int(where.sum()) for name, where in self.queries.items()}
        return {"originals": str(self.originals)} | {k: str(count) for k, count in counts.items()}

    @property
    def note(self) -> str:
        """How the leaderboard is read."""
        return NOTE

    def judge(self, code: Code, described: Described) -> dict[str, Figure]:
        """Judge a code; see `FoundSet.judge`."""
        references = code.references(described[: self.originals])
        rank = np.empty(len(self.own), np.int64)
        copies = described[self.originals :]
        for start, similarity in similarities(copies, references, code.queries, code.compare):
            own = self.own[start : start + len(similarity)]
            least = similarity[np.arange(len(own)), own]
            rank[start : start + len(own)] = (similarity >= least[:, None]).sum(1) - 1
        precision = precision_of_one(rank)
        return {
            _figure(name): self._mean(precision[where], self.own[where], self.draws[name])
            for name, where in self.queries.items()
        }

    def _mean(
        self, precision: NDArray[np.float64], own: NDArray[np.int64], draws: Bootstrap
    ) -> Figure:
        """Average over copies; their originals are drawn, for copies of one are much alike."""
        which = np.unique(own, return_inverse=True)[1]
        drawn = (draws.counts @ np.bincount(which, precision)) / (draws.counts @ np.bincount(which))
        return Figure.of(float(precision.mean()), drawn, draws)


def _files(folder: Path, at: str) -> tuple[list[Path], dict[str, list[Path]]]:
    """List originals, and copies by their block: strong, crops/50, jpeg/3, ...

    Raises:
        InputError: if a folder cannot be one of the set's.
    """
    if not is_folder(folder / ORIGINAL):
        files = [path for path in find_files(folder) if path.parent == folder]
        firsts = [path for path in files if path.stem.endswith("00")]
        return firsts, {FLAT: [path for path in files if path not in firsts]}
    known = {name for names in KINDS.values() for name in names} - {FLAT}
    odd = [
        path.name
        for path in sorted(folder.iterdir())
        if path.is_dir() and not path.name.startswith(".") and path.name not in {*known, ORIGINAL}
    ]
    if odd:
        raise InputError(f"{at}: {some(odd)} is no folder of the set; it must be {LAYOUT}.")
    blocks: dict[str, list[Path]] = {}
    for name in sorted(name for name in known if is_folder(folder / name)):
        for path in find_files(folder / name):
            blocks.setdefault(path.parent.relative_to(folder).as_posix(), []).append(path)
    return list(files_by_stem(folder / ORIGINAL, f"{at}: {ORIGINAL}/").values()), blocks


def _picture(path: Path) -> str:
    """Say which picture a file is of."""
    return path.stem[:4]


def _figure(name: str) -> str:
    return f"mAP {name}"
