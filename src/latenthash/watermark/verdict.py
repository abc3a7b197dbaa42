"""The verdict: whose a picture is, whether its mark is of this content, and who came before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from latenthash.gallery.engines import Engine
from latenthash.watermark.bindings import Agreement, Binding, registered
from latenthash.watermark.carrier import Carrier
from latenthash.watermark.codec import Reading, decode, known
from latenthash.watermark.conflicts import near, root, unrelated
from latenthash.watermark.manifest import Manifest
from latenthash.watermark.query import Query
from latenthash.watermark.registration import Registration
from latenthash.watermark.registry import Known, Registry
from latenthash.watermark.rows import Row

Status: TypeAlias = Literal[
    "verified", "altered", "unconfirmed", "copied", "forged", "unknown", "stripped", "none"
]
Way: TypeAlias = Literal["read", "known id", "registered", "content", ""]

MEANINGS: Mapping[Status, str] = {
    "verified": "This is the picture that {owner} registered on {added}.",
    "altered": (
        "The mark is of {owner}'s picture of {added}, and parts of the picture lie where they did, "
        "but as a whole it looks different: it was changed strongly, or shows more beside it."
    ),
    "unconfirmed": (
        "The mark is of {owner}'s picture of {added}, and the picture looks like it, but its "
        "details could not be laid on those of the original: compare them by eye."
    ),
    "copied": (
        "The mark is of {owner}'s picture of {added}, and this is not that picture: the mark was "
        "copied from it, or the content is changed beyond recognition."
    ),
    "forged": "The registry's row of this mark {fault}: it proves nothing.",
    "unknown": "There is a mark, {id}, and the registry knows no such id.",
    "stripped": (
        "There is no mark that can be read, and this is the picture that {owner} registered on "
        "{added}: an unmarked copy, or one whose mark was removed."
    ),
    "none": "There is no mark that can be read, and the registry holds no such picture.",
}
OVERWRITTEN = (
    "There is a mark, {id}, that the registry does not know, on the picture that {owner} "
    "registered on {added}: somebody marked a copy of it."
)
# What a binding looks at -> how the sentence says it; both, hash and pixels, need no word.
ALONE: Mapping[str, str] = {
    "code": "by its hash",
    "registration": "by its pixels",
    "phash": "by its pHash",
    "centroid": "by its centroid",
    "identity": "by nothing but its mark",
}
STANDS_OUT = 5.0  # of a known id among few, in standard deviations


@dataclass(frozen=True)
class Verdict:
    """What is found of a picture.

    Attributes:
        status: see `MEANINGS`.
        identity: 8 bytes of the mark that was read, or of the registered picture that was found;
            None where there is neither.
        way: how it was found: `read` by itself, as one of the `known id`s that the hash suggests,
            `registered` onto the original first, or by its `content` alone.
        row: of the registry.
        fault: what is wrong with the row; None where nothing is.
        agreement: of the picture with the row's content.
        conflicts: registered pictures that show the same and are no kin of the row, those added
            first first: earlier ones where a mark was found, and later ones where only the
            content was.
        reading: of the mark.
        root: the first of the registered pictures that the row says it was made of; None where it
            names none.
        binding: name of what compared the picture with the row.
    """

    status: Status
    identity: bytes | None
    way: Way
    row: Row | None
    fault: str | None
    agreement: Agreement | None
    conflicts: tuple[Row, ...]
    reading: Reading
    root: Row | None = None
    binding: str = "code_registration"

    @property
    def sentence(self) -> str:
        """What it means, for people; conflicts included."""
        words = {"owner": "", "added": "", "id": "", "fault": self.fault or ""}
        read = self.reading.identity if self.status == "stripped" else self.identity
        if read is not None:
            words["id"] = read.hex()
        if self.row is not None:
            words |= {"owner": owner(self.row), "added": self.row.added}
        overwritten = self.status == "stripped" and read is not None
        said = (OVERWRITTEN if overwritten else MEANINGS[self.status]).format(**words)
        if self.agreement is not None and self.binding in ALONE:
            said += f" It was compared {ALONE[self.binding]} alone."
        if self.root is not None:
            said += (
                f" It was made from a picture that {owner(self.root)} registered on "
                f"{self.root.added} ({self.root.id.hex()}), as its manifest says."
            )
        if self.conflicts and self.row is not None:
            first = self.conflicts[0]
            before = first.seq < self.row.seq
            said += (
                f" But {owner(first)} registered the same content "
                f"{'before' if before else 'later'}, on {first.added} ({first.id.hex()}), and "
                f"{'it is not named' if before else 'does not name this one'} as a parent."
            )
        return said


class Judge:
    """Looks pictures up in a registry, as it was when this was made.

    Args:
        registry: open for reading.
        carrier: of the marks.
        binding: decides whether a picture is the registered one.
        known: the registry's codes of the bundle that hashes the pictures.
        engine: that searches them.
        limit: bits within which a registered picture is a candidate.
    """

    def __init__(
        self, registry: Registry, carrier: Carrier, binding: Binding, known: Known,
        engine: Engine, limit: int,
    ) -> None:  # fmt: skip
        self._registry = registry
        self._carrier = carrier
        self._binding = binding
        self._known = known
        self._engine = engine
        self._limit = limit

    def judge(self, query: Query) -> Verdict:
        """Judge a picture."""
        reading = decode(self._carrier.read(query.pixels))
        sight = _Sight(query, near(self._registry, self._known, self._engine, query, self._limit))
        way: Way = "read"
        unknown = reading.identity
        row = None if unknown is None else self._registry.get(unknown)
        if row is None:  # nothing was read, or a stranger's mark, or, by rare chance, a wrong word
            row, way, reading = self._aided(reading, sight)
        if row is not None:
            return self._of_mark(row, way, reading, sight)
        matching = [one for one in sight.candidates if sight.registered(one).agrees]
        if matching:
            first, *later = matching
            agreement = self._binding.compare(query, _manifest(first))
            return Verdict(
                "stripped", first.id, "content", first, None, agreement,
                unrelated(self._registry, first, later), reading,
                root(self._registry, first), self._binding.name,
            )  # fmt: skip
        if unknown is not None:
            return Verdict("unknown", unknown, "read", None, None, None, (), reading)
        return Verdict("none", None, "", None, None, None, (), reading)

    def _aided(self, reading: Reading, sight: "_Sight") -> tuple[Row | None, Way, Reading]:
        """Look for the marks of the pictures that this one looks like."""
        rows = sight.candidates
        if not rows:
            return None, "", reading
        scores = known(reading.attempts, [row.id for row in rows])
        if scores.max() > STANDS_OUT:
            return rows[int(scores.argmax())], "known id", reading
        for row in rows:
            homography = sight.registered(row).homography
            if not sight.registered(row).agrees or homography is None:
                continue
            width, height = _manifest(row).size
            through = decode(
                self._carrier.read_through(sight.query.pixels, homography, (width, height))
            )
            if through.identity == row.id or known(through.attempts, [row.id])[0] > STANDS_OUT:
                return row, "registered", through
        return None, "", reading

    def _of_mark(self, row: Row, way: Way, reading: Reading, sight: "_Sight") -> Verdict:
        fault = self._registry.fault(row)
        if fault is not None or row.signed is None:
            return Verdict("forged", row.id, way, row, fault, None, (), reading)
        agreement = self._binding.compare(sight.query, row.signed.manifest)
        earlier = [
            one for one in sight.candidates if one.seq < row.seq and sight.registered(one).agrees
        ]
        conflicts = unrelated(self._registry, row, earlier)
        return Verdict(
            agreement.standing, row.id, way, row, None, agreement, conflicts, reading,
            root(self._registry, row), self._binding.name,
        )  # fmt: skip


class _Sight:
    """A picture and the registered ones that it looks like, each laid on it once."""

    def __init__(self, query: Query, candidates: Sequence[Row]) -> None:
        self.query = query
        self.candidates = candidates
        self._registered: dict[int, Registration] = {}

    def registered(self, row: Row) -> Registration:
        if row.seq not in self._registered:
            self._registered[row.seq] = registered(self.query, _manifest(row))
        return self._registered[row.seq]


def _manifest(row: Row) -> Manifest:
    """Return the manifest of a row that is sound."""
    assert row.signed is not None
    return row.signed.manifest


def owner(row: Row) -> str:
    """Name who signed a row, with the beginning of the key: anybody may take any name."""
    signed = row.signed
    if signed is None:
        return "somebody"
    return f"{signed.manifest.owner.name} (key {signed.manifest.owner.key[:8]})"
