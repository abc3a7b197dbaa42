"""Hard negatives: pictures that differ and are easily taken for each other."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latenthash import InputError
from latenthash.benchmark.codes import Described, Pixels
from latenthash.benchmark.hashing import Item, describe
from latenthash.benchmark.judging import Judgement, pairs
from latenthash.benchmark.leaderboard import DECISIVE
from latenthash.benchmark.pictures import quarters, stereo
from latenthash.cache import DiskCache
from latenthash.data.reading import Reader
from latenthash.data.suite import Suite, SuiteEdit

Labels = NDArray[np.int64]

OTHER = "phash-256"  # the code under which pairs are the nearest
NEAREST = 6  # pairs shown


def hard_negatives(
    judgements: Sequence[Judgement],
    described: Mapping[str, Described],
    items: Sequence[Item],
    grouped: Sequence[tuple[Item, int]],
    suite: Suite,
    cache: DiskCache,
    reader: Reader,
) -> pd.DataFrame:
    """Give the share of pairs of each kind that each code calls the same, a row a code.

    Args:
        judgements: of the codes, `OTHER` among them.
        described: identity of a source -> (P, 1 + E, D), the test pictures.
        items: the test pictures.
        grouped: from `groups`; may be empty.
        suite: whose name descriptions are kept under.
        cache: where they are kept.
        reader: how pictures are decoded.
    """
    sources = [judgement.code.source for judgement in judgements]
    kinds: dict[str, Sequence[tuple[Item, int]]] = {
        "quarters of one picture": quarters(items),
        "halves of a stereo pair": stereo(reader),
    }
    if grouped:
        kinds["pictures of one group"] = grouped
    columns: dict[str, list[object]] = {"code": [j.code.name for j in judgements]}
    other = next(judgement for judgement in judgements if judgement.code.name == OTHER)
    likest = pairs(other.code, described[other.code.source.identity]).impostors.argmax(1)
    nearest = [
        nearest_under(j, described[j.code.source.identity], likest, DECISIVE) for j in judgements
    ]
    columns[f"nearest under {OTHER}"] = [wrong / count for count, wrong in nearest]
    for kind, members in kinds.items():
        plain = describe([item for item, _ in members], [], suite, sources, cache, reader)
        group = np.array([number for _, number in members])
        counts = [
            accepted(j, plain[j.code.source.identity][:, 0], group, DECISIVE) for j in judgements
        ]
        columns[f"{kind} ({counts[0][0]} pairs)"] = [wrong / count for count, wrong in counts]
    return pd.DataFrame(columns)


def nearest_impostors(
    judgement: Judgement,
    described: Described,
    items: Sequence[Item],
    edits: Sequence[SuiteEdit],
) -> list[tuple[str, Pixels, Pixels]]:
    """Find the pairs of different pictures that a code holds to be most alike.

    Args:
        judgement: of the code.
        described: (P, 1 + E, D) of its source, the test pictures.
        items: the test pictures.
        edits: E edits of the suite.

    Returns:
        similarity and edit in words, the edited picture, and the other one, (H, W, 3) each.
    """
    impostors = pairs(judgement.code, described).impostors.reshape(len(items), len(edits), -1)
    # The likeliest edit of each pair alone, or one pair would fill the figure.
    likeliest, similarity = impostors.argmax(1), impostors.max(1)
    own, column = np.indices(similarity.shape)
    found = []
    for pair in np.lexsort([x.ravel() for x in (column, likeliest, own, -similarity)])[:NEAREST]:
        number, other = divmod(int(pair), similarity.shape[1])
        edit = edits[likeliest[number, other]]
        picture = items[number].read()
        label = f"{similarity[number, other] / judgement.code.span:.3f}\n{edit.name}"
        edited = edit.apply(picture.pixels, picture.digest)
        found.append((label, edited, items[other + (other >= number)].read().pixels))
    return found


def groups(path: Path, items: Sequence[Item]) -> list[tuple[Item, int]]:
    """Read which pictures are nearly the same and yet different.

    Args:
        path: CSV with the columns file and group; files relative to the CSV, or as given to
            pictures=.
        items: the pictures of the benchmark.

    Raises:
        InputError: if the file cannot be used.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"groups={path} cannot be read: {error}.") from error
    if not rows or not {"file", "group"} <= set(rows[0]):
        raise InputError(f"groups={path} must be a CSV with the columns file and group.")
    known = {Path(item.name).resolve(): item for item in items}
    problems: list[str] = []
    found: list[tuple[Item, int]] = []
    numbers: dict[str, int] = {}
    for line, row in enumerate(rows, start=2):
        name, group = row["file"], row["group"]
        item = known.get((path.parent / name).resolve()) or known.get(Path(name).resolve())
        if item is None:
            problems.append(f"groups={path}, line {line}: {name} is not one of pictures=.")
            continue
        if any(item is other for other, _ in found):
            problems.append(f"groups={path}, line {line}: {name} is there twice.")
            continue
        found.append((item, numbers.setdefault(group, len(numbers))))
    counts = np.bincount([number for _, number in found]) if found else np.zeros(0)
    if not problems and not (counts >= 2).any():
        problems.append(
            f"groups={path}: no group has two pictures, so there is nothing to compare."
        )
    if problems:
        raise InputError(problems)
    return found


def accepted(
    judgement: Judgement, described: Described, group: Labels, fpr: float
) -> tuple[int, int]:
    """Count pairs of different pictures within a group, and those that a code calls the same.

    Args:
        judgement: of the code, with its threshold.
        described: (N, D) of its source, the pictures unedited.
        group: (N,).
        fpr: at which the threshold was set.
    """
    code = judgement.code
    similarity = code.queries(described) @ code.references(described).T
    within = (group[:, None] == group[None]) & ~np.eye(len(group), dtype=bool)
    return int(within.sum()), int((similarity[within] >= judgement.verdicts[fpr].threshold).sum())


def nearest_under(
    judgement: Judgement, described: Described, nearest: Labels, fpr: float
) -> tuple[int, int]:
    """Count the test queries that a code takes for what is nearest to them under another code.

    Args:
        judgement: of the code, with its threshold.
        described: (P, 1 + E, D) of its source, the test pictures.
        nearest: (Q,) which impostor of each query is the nearest under the other code.
        fpr: at which the threshold was set.
    """
    impostors = pairs(judgement.code, described).impostors
    similarity = impostors[np.arange(len(nearest)), nearest]
    return len(nearest), int((similarity >= judgement.verdicts[fpr].threshold).sum())
