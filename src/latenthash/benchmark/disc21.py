"""DISC21, the set of the Image Similarity Challenge (Douze et al. 2021, arXiv:2106.09672)."""

import csv
import io
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latenthash.benchmark.field_sets import Figure, files_by_stem, some
from latenthash.codes.code import Code, Described
from latenthash.codes.describe import Item
from latenthash.codes.pictures import list_files
from latenthash.codes.similarity import Bootstrap, Similarities
from latenthash.data.reading import Reader
from latenthash.errors import InputError, collect
from latenthash.metrics.retrieval import (
    average_precision,
    count_reaching,
    normalised,
    recall_at_precision,
)
from latenthash.system.files import Unusable, read_bounded
from latenthash.system.paths import exists, is_folder

log = logging.getLogger(__name__)

QUERIES, REFERENCES, BACKGROUND = "queries", "references", "train"
HEADER = ["query_id", "reference_id"]
LAYOUT = (
    "a folder with queries/, references/ and one CSV (query_id,reference_id), and train/ for score "
    "normalisation"
)
MOST_BYTES = 2**28  # of the CSV: millions of rows
CELLS = 2**24  # similarities at once
PRECISION = 0.9  # at which recall is told, as in the challenge
NEAREST = 3  # pictures of the background that a query's scores are normalised by (SSCD)
MICRO, RECALL, NORMALISED = "micro AP", "recall at P90", "normalised"
NOTE = (
    "Micro average precision and the recall at 90 % precision of all pairs of a query and a "
    "reference in one order; equally similar pairs are in the worst order. 'Normalised': less the "
    f"mean similarity of the query to its {NEAREST} nearest pictures of train/ (Pizzi et al. 2022, "
    "equation 8). Brackets are 95 % bootstrap intervals over queries, and codes are compared with "
    "the best draw by draw."
)
NO_BACKGROUND = " Without train/, no score is normalised."


class DISC21:
    """DISC21, as the user has it in a folder."""

    def find(self, folder: Path, reader: Reader, resamples: int, seed: int) -> "FoundDISC21":
        """Find its pictures and the ground truth; see `FieldSet.find`.

        Queries that the CSV names without a reference have none. Those that it does not name have
        none either, unless it names some without: then it says which queries are judged.

        Raises:
            InputError: for all that is wrong with the folder.
        """
        at = f"pictures={folder}"
        if not is_folder(folder):
            raise InputError(f"{at} must be {LAYOUT}.")
        background = folder / BACKGROUND
        queries, references, train, rows = collect(
            partial(files_by_stem, folder / QUERIES, f"{at}: {QUERIES}/"),
            partial(files_by_stem, folder / REFERENCES, f"{at}: {REFERENCES}/"),
            partial(files_by_stem, background, f"{at}: {BACKGROUND}/")
            if exists(background)
            else dict,
            partial(_ground_truth, folder),
        )
        if train and len(train) < NEAREST:
            raise InputError(f"{at}: {BACKGROUND}/ needs at least {NEAREST} pictures.")
        _refuse_unknown(at, rows, queries, references)
        if any(not reference for _, reference in rows):
            kept = dict.fromkeys(query for query, _ in rows)
            if left := len(queries) - len(kept):
                log.warning("Queries that the CSV does not name are left out: %d.", left)
            queries = {query: queries[query] for query in kept}
        files = [*queries.values(), *references.values(), *train.values()]
        items = list_files(files, folder, reader)
        places = {query: i for i, query in enumerate(queries)}
        numbers = {reference: i for i, reference in enumerate(references)}
        pairs = [(places[query], numbers[reference]) for query, reference in rows if reference]
        return FoundDISC21(
            items, len(queries), len(references), np.array(pairs),
            Bootstrap(len(queries), resamples, (seed,)),
        )  # fmt: skip


@dataclass(frozen=True)
class FoundDISC21:
    """DISC21, found in a folder; see `FoundSet`.

    Attributes:
        items: pictures: Q queries, then references, then the background.
        queries: Q.
        references: number of references.
        pairs: (N, 2) query and reference of each true pair.
        bootstrap: draws of the queries.
    """

    items: Sequence[Item]
    queries: int
    references: int
    pairs: NDArray[np.int64]
    bootstrap: Bootstrap

    @property
    def title(self) -> str:
        """What page and run are called."""
        return f"disc21: {self.queries} queries, {self.references} references"

    @property
    def columns(self) -> Sequence[str]:
        """The figures that the leaderboard shows."""
        plain = [MICRO, RECALL]
        return [*plain, *(f"{n}, {NORMALISED}" for n in plain)] if self._background else plain

    @property
    def facts(self) -> dict[str, str]:
        """What the set holds, for people."""
        return {
            "queries": str(self.queries),
            "references": str(self.references),
            "true pairs": str(len(self.pairs)),
            "train": str(self._background),
        }

    @property
    def note(self) -> str:
        """How the leaderboard is read."""
        return NOTE + ("" if self._background else NO_BACKGROUND)

    @property
    def _background(self) -> int:
        return len(self.items) - self.queries - self.references

    def judge(self, code: Code, described: Described) -> dict[str, Figure]:
        """Judge a code; see `FoundSet.judge`."""
        query, reference = self.pairs.T
        scores = np.empty((len(self.columns) // 2, len(query)), np.float32)
        for block, similarities in self._blocks(code, described):
            inside = np.flatnonzero((query >= block.start) & (query < block.stop))
            for row, similarity in zip(scores, similarities, strict=True):
                row[inside] = similarity[query[inside] - block.start, reference[inside]]
        order = np.argsort(scores, axis=1, kind="stable")
        limits = np.take_along_axis(scores, order, 1)
        draws = np.vstack([np.ones(self.queries, np.int64), self.bootstrap.counts])
        false = np.zeros((len(scores), len(draws), len(query)))
        for block, similarities in self._blocks(code, described):
            inside = np.flatnonzero((query >= block.start) & (query < block.stop))
            drawn = draws[:, block].astype(np.float64)
            for number, similarity in enumerate(similarities):
                similarity[query[inside] - block.start, reference[inside]] = -np.inf
                false[number] += drawn @ count_reaching(similarity, limits[number])
        found: dict[str, Figure] = {}
        for number, ascending in enumerate(order):
            true = draws[:, query[ascending[::-1]]].astype(np.float64)
            above = false[number][:, ::-1]
            measured = {
                MICRO: average_precision(true, above),
                RECALL: recall_at_precision(true, above, PRECISION),
            }
            found |= {
                f"{name}, {NORMALISED}" if number else name: Figure.of(
                    float(values[0]), values[1:], self.bootstrap, len(np.unique(query))
                )
                for name, values in measured.items()
            }
        return found

    def _blocks(
        self, code: Code, described: Described
    ) -> Iterator[tuple[slice, list[Similarities]]]:
        """Compare some queries at a time with all references.

        Yields:
            which queries, and (B, references) similarities: plain ones, then normalised ones where
            there is a background.
        """
        end = self.queries + self.references
        references = code.references(described[self.queries : end])
        background = code.references(described[end:]) if self._background else None
        step = max(1, CELLS // (len(described) - self.queries))
        for start in range(0, self.queries, step):
            block = slice(start, min(start + step, self.queries))
            vectors = code.queries(described[block])
            # A copy, for true pairs are taken out of it.
            similarities = [np.array(code.compare(vectors, references))]
            if background is not None:
                near = code.compare(vectors, background)
                similarities.append(normalised(similarities[0], near, NEAREST))
            yield block, similarities


def _ground_truth(folder: Path) -> list[tuple[str, str]]:
    """Read the pairs of the folder's CSV: query and reference, which is empty where there is none.

    Raises:
        InputError: if there is not one such CSV.
    """
    tables = sorted(path for path in folder.glob("*.csv") if not path.name.startswith("."))
    if len(tables) != 1:
        names = f": it has {some([path.name for path in tables])}" if tables else ""
        raise InputError(f"pictures={folder} must have one CSV, {','.join(HEADER)}{names}.")
    (path,) = tables
    try:
        text = read_bounded(path, MOST_BYTES).decode("utf-8-sig")
        table = csv.reader(io.StringIO(text, newline=""))
        rows = [(table.line_num, [cell.strip() for cell in row]) for row in table if row]
    except Unusable as error:
        raise InputError(f"{path} {error}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error
    if rows and rows[0][1] == HEADER:  # the challenge's own reader takes it with and without
        rows = rows[1:]
    if odd := [str(line) for line, row in rows if len(row) != len(HEADER) or not row[0]]:
        raise InputError(f"{path} must have rows {','.join(HEADER)}; not so line {some(odd)}.")
    pairs = [(row[0], row[1]) for _, row in rows]
    if not any(reference for _, reference in pairs):
        raise InputError(f"{path} names no pair of a query and its reference.")
    if len(set(pairs)) < len(pairs):
        twice = [",".join(pair) for pair, count in Counter(pairs).items() if count > 1]
        raise InputError(f"{path} names pairs twice: {some(twice)}.")
    return pairs


def _refuse_unknown(
    at: str,
    rows: Sequence[tuple[str, str]],
    queries: dict[str, Path],
    references: dict[str, Path],
) -> None:
    """Refuse ids that no file has.

    Raises:
        InputError: for those of queries and of references.
    """
    named = {
        QUERIES: [query for query, _ in rows if query not in queries],
        REFERENCES: [one for _, one in rows if one and one not in references],
    }
    problems = [
        f"{at}: its CSV names pictures that {where}/ lacks: {some(list(dict.fromkeys(names)))}."
        for where, names in named.items()
        if names
    ]
    if problems:
        raise InputError(problems)
