"""What a benchmark judges, and by what."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from latenthash.benchmark.groups import Labels
from latenthash.benchmark.judging import Half
from latenthash.cache import DiskCache
from latenthash.codes.code import AbsentCode, Code, Described
from latenthash.codes.describe import Item, describe
from latenthash.codes.given import GivenCodes
from latenthash.data.edits.suite import Suite, SuiteEdit
from latenthash.data.reading import Reader
from latenthash.errors import JobError
from latenthash.system.paths import without_folders

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Setting:
    """What a benchmark judges, and by what.

    Attributes:
        run: id of the run whose bundle is judged.
        seen: says that pictures flatter the bundle's codes, for it was fitted on them; else empty.
        codes: to be judged.
        other: the code that says which pictures are nearly the same, judged or not.
        absent: those that cannot be judged here.
        suite: of edits.
        edits: E of the suite.
        items: P pictures.
        group: (P,); pictures of one group are nearly the same.
        calibration: the half of the pictures that sets thresholds.
        test: the half that gives the figures.
        fprs: false-positive rates, the largest first.
        gallery_size: number of pictures among which a query is looked up.
        seed: of the draws.
        reader: how pictures are decoded.
        cache: where descriptions are kept.
    """

    run: str
    seen: str
    codes: Sequence[Code]
    other: Code
    absent: Sequence[AbsentCode]
    suite: Suite
    edits: Sequence[SuiteEdit]
    items: Sequence[Item]
    group: Labels
    calibration: Half
    test: Half
    fprs: Sequence[float]
    gallery_size: float
    seed: int
    reader: Reader
    cache: DiskCache

    @property
    def title(self) -> str:
        """What page and run are called."""
        return f"{self.suite.version}: {len(self.items)} pictures, {len(self.edits)} edits"

    def describe(self, items: Sequence[Item], edits: Sequence[SuiteEdit]) -> dict[str, Described]:
        """Describe pictures as they are and under edits, for all codes; see `codes.describe`."""
        sources = [code.source for code in (*self.codes, self.other)]
        given = {s.key: s.of(items, edits) for s in sources if isinstance(s, GivenCodes)}
        asked = [source for source in sources if source.key not in given]
        return given | describe(items, edits, self.suite, asked, self.cache, self.reader)

    def without(self, faults: Mapping[str, str]) -> "Setting":
        """Leave out codes that failed, and say so.

        Args:
            faults: key of a source -> what it did.

        Raises:
            JobError: if the code that nothing can be judged without is among them.
        """
        if did := faults.get(self.other.source.key):
            raise JobError(f"{self.other.name} {did}: without it nothing can be judged.")
        codes, left_out = leave_out(self.codes, faults)
        return replace(self, codes=codes, absent=[*left_out, *self.absent])


def leave_out(
    codes: Sequence[Code], faults: Mapping[str, str]
) -> tuple[list[Code], list[AbsentCode]]:
    """Leave out codes that failed, and say so.

    Args:
        codes: to be judged.
        faults: key of a source -> what it did.

    Returns:
        those that did not fail, and those that did.
    """
    left_out = [
        AbsentCode(code.name, without_folders(faults[code.source.key]))
        for code in codes
        if code.source.key in faults
    ]
    for code in left_out:
        log.warning("Left out: %s %s.", code.name, code.reason)
    return [code for code in codes if code.source.key not in faults], left_out
