"""What a benchmark judges, and by what."""

from collections.abc import Sequence
from dataclasses import dataclass

from latenthash.benchmark.groups import Labels
from latenthash.benchmark.judging import Half
from latenthash.cache import DiskCache
from latenthash.codes.code import AbsentCode, Code, Described
from latenthash.codes.describe import Item, describe
from latenthash.data.edits.suite import Suite, SuiteEdit
from latenthash.data.reading import Reader


@dataclass(frozen=True)
class Setting:
    """What a benchmark judges, and by what.

    Attributes:
        run: id of the run whose bundle is judged.
        seen: says that pictures flatter the bundle's codes, for it was fitted on them; else empty.
        codes: to be judged, pHash among them.
        absent: those that cannot be judged here.
        suite: of edits.
        edits: E of the suite.
        items: P pictures.
        group: (P,); pictures of one group are nearly the same.
        calibration: the half of the pictures that sets thresholds.
        test: the half that gives the figures.
        fprs: false-positive rates, the largest first.
        gallery: number of pictures among which a query is looked up.
        seed: of the draws.
        reader: how pictures are decoded.
        cache: where descriptions are kept.
    """

    run: str
    seen: str
    codes: Sequence[Code]
    absent: Sequence[AbsentCode]
    suite: Suite
    edits: Sequence[SuiteEdit]
    items: Sequence[Item]
    group: Labels
    calibration: Half
    test: Half
    fprs: Sequence[float]
    gallery: float
    seed: int
    reader: Reader
    cache: DiskCache

    @property
    def title(self) -> str:
        """What page and run are called."""
        return f"{self.suite.version}: {len(self.items)} pictures, {len(self.edits)} edits"

    def describe(self, items: Sequence[Item], edits: Sequence[SuiteEdit]) -> dict[str, Described]:
        """Describe pictures as they are and under edits, for all codes; see `codes.describe`."""
        sources = [code.source for code in self.codes]
        return describe(items, edits, self.suite, sources, self.cache, self.reader)
