"""Hard negatives: pictures that differ and are easily taken for each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latenthash.benchmark.groups import Labels
from latenthash.benchmark.judging import Half, Judgement, pairs
from latenthash.benchmark.leaderboard import DECISIVE, HardPairs
from latenthash.benchmark.setting import Setting
from latenthash.codes.code import Code, Described
from latenthash.codes.describe import Item
from latenthash.codes.peers import FunctionHash
from latenthash.codes.pictures import quarters, stereo
from latenthash.codes.similarity import NO_PAIR, Bootstrap, Rate
from latenthash.data.edits.suite import SuiteEdit
from latenthash.data.reading import Picture, Pixels, Reader

OTHER = "phash-256"  # the code under which pairs are the nearest
QUARTERS, STEREO = "quarters of one picture", "halves of a stereo pair"
NEAREST = 6  # pairs shown
LONGEST = 28  # characters of a name that a figure has room for
DRAWS = 2  # the part of the seed that is neither calibration's nor the test's


@dataclass(frozen=True)
class Parts:
    """Parts of pictures, described.

    Attributes:
        described: key of a source -> (N, 1, D).
        labels: (N,) which picture each is a part of.
    """

    described: Mapping[str, Described]
    labels: Labels


@dataclass(frozen=True)
class Alike:
    """Two pictures that a code holds to be much alike.

    Attributes:
        similarity: 1 is equal.
        edit: of the picture.
        picture: its name.
        other: the other's name.
        query: the edited picture, (H, W, 3).
        reference: the other, (H, W, 3).
    """

    similarity: float
    edit: str
    picture: str
    other: str
    query: Pixels
    reference: Pixels

    @property
    def label(self) -> str:
        """What a figure has room for."""
        names = (self.edit, self.picture, self.other)
        ends = [name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}" for name in names]
        return "\n".join([f"{self.similarity:.3f}", *ends])


def other_code(example: Picture) -> Code:
    """Return the code that says which pictures are nearly the same, as conf/peer has it.

    Args:
        example: any picture.
    """
    phash = FunctionHash(
        "latenthash.codes.classical.phash_256", "hamming", 256, "imagehash", version=None
    )
    (code,) = phash.codes("phash_256", example)
    assert isinstance(code, Code)
    return code


def hard_pictures(
    items: Sequence[Item], test: NDArray[np.int64], reader: Reader
) -> dict[str, list[tuple[Item, int]]]:
    """List pictures that are parts of one: kind -> each of them, and which one it is of.

    Args:
        items: P pictures of the benchmark.
        test: numbers of those that test.
        reader: how files are decoded.
    """
    return {QUARTERS: quarters([items[i] for i in test]), STEREO: stereo(reader)}


def hard_negatives(
    setting: Setting,
    judgements: Sequence[Judgement],
    described: Mapping[str, Described],
    parts: Mapping[str, Parts],
) -> dict[str, HardPairs]:
    """Return the share of pairs of each kind that each code calls the same at the decisive rate.

    Args:
        setting: of the benchmark; quarters and nearest pairs are of the pictures that test.
        judgements: of its codes.
        described: key of a source -> (P, 1 + E, D).
        parts: kind -> what the sources say of pictures that are parts of one.

    Returns:
        kind -> its pairs.
    """
    test = setting.test

    def within(plain: Mapping[str, Described], labels: Labels) -> HardPairs:
        sizes = np.bincount(labels)
        draws = Bootstrap(int((sizes > 1).sum()), len(test.bootstrap.counts), (setting.seed, DRAWS))
        rates = [accepted(j, plain[j.code.source.key][:, 0], labels, draws) for j in judgements]
        return HardPairs(int((sizes * (sizes - 1)).sum()) // 2, rates)

    other = setting.other
    nearest = pairs(other, described[other.source.key], test).impostors.argmax(2)
    rates = [nearest_under(j, described[j.code.source.key], test, nearest) for j in judgements]
    found = {f"nearest under {OTHER}": HardPairs(nearest.size, rates)}
    found |= {kind: within(of.described, of.labels) for kind, of in parts.items()}
    if (np.bincount(setting.group) > 1).any():
        found["pictures of one group"] = within(described, setting.group)
    return found


def nearest_impostors(
    judgement: Judgement,
    described: Described,
    items: Sequence[Item],
    test: Half,
    edits: Sequence[SuiteEdit],
) -> list[Alike]:
    """Find the pairs of different pictures that a code holds to be most alike.

    Args:
        judgement: of the code.
        described: (P, 1 + E, D) of its source.
        items: P pictures.
        test: the half whose pictures are compared.
        edits: E edits of the suite.
    """
    impostors = pairs(judgement.code, described, test).impostors
    # The likeliest edit of each pair alone, or one pair would fill the figure.
    likeliest, similarity = impostors.argmax(1), impostors.max(1)
    own, other = np.indices(similarity.shape)
    order = np.lexsort([x.ravel() for x in (other, likeliest, own, -similarity)])
    found = []
    for number, reference in zip(*np.unravel_index(order[:NEAREST], similarity.shape), strict=True):
        if similarity[number, reference] == NO_PAIR:
            break
        item, against = items[test.numbers[number]], items[test.numbers[reference]]
        edit = edits[likeliest[number, reference]]
        picture = item.read()
        found.append(
            Alike(
                judgement.code.shown(float(similarity[number, reference])),
                edit.name,
                item.name,
                against.name,
                edit.apply(picture.pixels, picture.digest),
                against.read().pixels,
            )
        )
    return found


def alike_table(found: Sequence[Alike]) -> pd.DataFrame:
    """Lay out what the figure of pairs shows, a row each."""
    return pd.DataFrame(
        [(f"{a.similarity:.4f}", a.edit, a.picture, a.other) for a in found],
        columns=["similarity", "edit", "of", "taken for"],
    )


def accepted(
    judgement: Judgement, described: Described, group: Labels, bootstrap: Bootstrap
) -> Rate:
    """Return the share of pairs within a group that a code calls the same at the decisive rate.

    Where it depends on which of the two is the query, a pair counts half for each.

    Args:
        judgement: of the code, with its threshold.
        described: (N, D) of its source, the pictures unedited.
        group: (N,).
        bootstrap: draws of the groups that have pairs.
    """
    code = judgement.code
    similarity = code.similarity(described, described)
    called = similarity >= judgement.points[DECISIVE].threshold
    within = group[:, None] == group
    np.fill_diagonal(within, False)
    kept = np.bincount(group) > 1
    pair = np.bincount(group, within.sum(1))[kept]
    wrong = np.bincount(group, (called & within).sum(1))[kept]
    drawn = (bootstrap.counts @ wrong) / (bootstrap.counts @ pair)
    return bootstrap.rate_of(float(wrong.sum() / pair.sum()), drawn)


def nearest_under(judgement: Judgement, described: Described, test: Half, nearest: Labels) -> Rate:
    """Return the share of test queries that a code takes for what is nearest under another code.

    Args:
        judgement: of the code, with its threshold at the decisive rate.
        described: (P, 1 + E, D) of its source, of all pictures.
        test: the half that tests, of T pictures.
        nearest: (T, E) which reference of that half is the nearest under the other code.
    """
    code = judgement.code
    rows = described[test.numbers]
    references = code.references(rows[:, 0])
    limit = judgement.points[DECISIVE].threshold
    called = [
        code.compare(code.queries(row[1:]), references)[np.arange(len(near)), near] >= limit
        for row, near in zip(rows, nearest, strict=True)
    ]
    return test.bootstrap.rate(np.mean(called, axis=1))
