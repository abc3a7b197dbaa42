"""Marking pictures and verifying them, as programs and jobs do."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal, TypeAlias

from latenthash.data.reading import Original, Pixels, Reader
from latenthash.errors import InputError
from latenthash.gallery.engines import engine_here
from latenthash.library.code import Code
from latenthash.library.given import GivenPicture, PathLike, read_given
from latenthash.system.files import Unusable, make_folder
from latenthash.system.paths import exists, path_text
from latenthash.watermark.bindings import (
    Binding,
    CodeRegistrationBinding,
    code_distance,
)
from latenthash.watermark.carrier import Carrier
from latenthash.watermark.codec import decode, known, to_word
from latenthash.watermark.conflicts import earlier, measured_limit
from latenthash.watermark.describing import bundle_of, described
from latenthash.watermark.files import Format, encoded, format_of
from latenthash.watermark.keys import Signer, read_key
from latenthash.watermark.lineage import Lineage
from latenthash.watermark.manifest import EditDone, Manifest, Parent
from latenthash.watermark.query import Query
from latenthash.watermark.registration import read_thumbnail, thumbnail
from latenthash.watermark.registry import Known, Registry
from latenthash.watermark.signed import Signed, read_sidecar, sidecar, sign, write_sidecar
from latenthash.watermark.similarity import psnr, ssim
from latenthash.watermark.tiled import Tiled
from latenthash.watermark.tracing import trace
from latenthash.watermark.verdict import Judge, Verdict
from latenthash.watermark.writing import claimed, put, refuse_long, refuse_taken, target_of

if TYPE_CHECKING:  # it takes a second to import, and only figures need it
    from matplotlib.figure import Figure

Parents: TypeAlias = Literal["auto", "none"]

FOREIGN = ("copied", "forged", "unknown")  # the mark is not of this content, or of nobody
MAX_PIXELS = 89_478_485  # as in conf/reader
WHITE = (255, 255, 255)  # behind transparent pixels
# As in conf/carrier: the key, and dB and SSIM of a usual mark and of a strong one.
KEY = "latenthash"
USUAL, STRONG = (40.6, 0.97), (38.0, 0.95)
SAME = 8  # bits in which codes of one picture differ, computed on two machines
ALIKE = 40.0  # dB, of thumbnails of one picture that two versions of a library made
CHANGING = {"created", "parents"}  # what a manifest of the same picture says anew each time


@dataclass(frozen=True)
class Marked:
    """A picture that was marked.

    Attributes:
        file: the marked copy; its manifest stands beside it.
        identity: 8 bytes, that the mark carries.
        parents: registered pictures that it was made of.
        psnr: dB, of the copy against the picture that was given.
        ssim: of the same.
        carrier: that hid the mark: a stronger one where the first could not be read back.
        remarks: what of the picture's file the copy lacks, or looked odd.
    """

    file: Path
    identity: bytes
    parents: tuple[bytes, ...]
    psnr: float
    ssim: float
    carrier: str
    remarks: tuple[str, ...] = ()


class Marks:
    """A registry of marked pictures.

    Args:
        registry: of manifests.
        code: that hashes pictures.
        carriers: the one that marks, and stronger ones for pictures in which it cannot be read
            back; all read each other's marks.
        binding: decides whether a picture is the registered one.
        reader: how files are decoded.
    """

    def __init__(
        self, registry: Registry, code: Code, carriers: Sequence[Carrier], binding: Binding,
        reader: Reader,
    ) -> None:  # fmt: skip
        self._registry = registry
        self._code = code
        self._carriers = carriers
        self._binding = binding
        self._reader = reader
        self._full = replace(reader, working_size=reader.max_pixels)  # reduces nothing
        self._bundle = bundle_of(code)
        self._lock = Lock()
        self._codes: Known | None = None
        self._judging: tuple[int, Judge] | None = None

    @classmethod
    def open(
        cls, registry: PathLike, code: Code, *, key: PathLike | None = None, append: bool = False
    ) -> "Marks":
        """Open a registry of marked pictures.

        Args:
            registry: a file, or the URI of a PostgreSQL database.
            code: what hashes pictures, such as `latenthash.load("code")`.
            key: file of the registry's own key, which signs its rows; None is the one beside it.
            append: whether pictures are marked: registry and key are made where there are none.

        Raises:
            InputError: if it cannot be used, or the code's limits were not measured.
        """
        if not isinstance(code, Code):
            raise InputError(f'code is what latenthash.load("code") gives, and not {code!r}.')
        limit = measured_limit(code)
        place = os.fspath(registry)
        if append:
            opened = Registry.open_to_append(place, None if key is None else Path(key))
        else:
            opened = Registry.open(place)
        carriers = [Tiled(KEY, *strength) for strength in (USUAL, STRONG)]
        binding = CodeRegistrationBinding(limit)
        return cls(opened, code, carriers, binding, Reader(512, MAX_PIXELS, WHITE))

    def verify(self, picture: GivenPicture) -> Verdict:
        """Say whose a picture is, and whether its mark is of this content.

        Args:
            picture: a path, the bytes of a file, a PIL image, or (H, W, 3) uint8 RGB.

        Raises:
            InputError: if the picture cannot be read.
        """
        return self._verdict(self._pixels(picture))

    def explain(self, picture: GivenPicture) -> "Figure":
        """Draw a picture, the registered one laid on it, and what the verdict rests on.

        Raises:
            InputError: if the picture cannot be read.
        """
        from latenthash.watermark.explaining import explain

        pixels = self._pixels(picture)
        name = path_text(Path(Path(picture).name)) if isinstance(picture, str | os.PathLike) else ""
        return explain(name, pixels, self._verdict(pixels), self._registry, self._code.limits)

    def mark(
        self, file: PathLike, owner: Signer | PathLike, to: PathLike | None = None, *,
        parents: Parents = "auto", edits: Sequence[EditDone] = (), kind: Format | None = None,
        quality: int = 98,
    ) -> Marked:  # fmt: skip
        """Mark a picture, and register it.

        A process that is killed leaves no mark without its row, and no file that is not whole;
        asked again, it goes on where it was.

        Args:
            file: the picture.
            owner: who signs, or the file of the key.
            to: folder of the marked copy; None is `marked` beside the picture.
            parents: `auto` names registered pictures that this one was made of, and takes their
                marks out first; `none` looks for none.
            edits: that led from the parents to this picture.
            kind: of the copy; None is that of the file, or PNG.
            quality: of a JPEG, 1 to 100.

        Raises:
            InputError: if the picture cannot be read or cannot bear a mark, or its copy exists.
        """
        file, signer = Path(file), _signer(owner)
        kind = kind or format_of(file)
        target = target_of(file, None if to is None else Path(to), kind)
        refuse_long(sidecar(target))  # the longest of the names that are written
        refuse_taken(target)
        original = self._original(file)
        make_folder(target.parent, "The folder of marked pictures")
        with claimed(target):
            refuse_taken(target)
            return self._mark(file, original, signer, target, parents, edits, kind, quality)

    def marked_before(
        self, file: PathLike, owner: Signer | PathLike, to: PathLike | None = None, *,
        kind: Format | None = None,
    ) -> bytes | None:  # fmt: skip
        """Return the id by which `mark` marked this picture before, with these arguments.

        Returns:
            None where its copy is not there, or is of another picture, owner or registry.

        Raises:
            InputError: if the picture or the key cannot be read.
        """
        file = Path(file)
        target = target_of(file, None if to is None else Path(to), kind or format_of(file))
        if not (exists(target) and exists(sidecar(target))):
            return None
        try:
            signed = read_sidecar(sidecar(target))
        except InputError:  # damaged, or of another program
            return None
        row = self._registry.get(signed.id)
        if row is None or row.manifest != signed.text or self._registry.fault(row) is not None:
            return None
        pixels, manifest = self._pixels(file), signed.manifest
        owned = manifest.owner.key == _signer(owner).public.hex()
        if not owned or manifest.size != [*pixels.shape[1::-1]]:
            return None
        shown, now = (read_thumbnail(one) for one in (manifest.jpeg, thumbnail(pixels)))
        if shown.shape != now.shape or psnr(shown, now) < ALIKE:
            return None
        away = code_distance(self._query(pixels), manifest)
        return signed.id if away is not None and away <= SAME else None

    def _mark(
        self, file: Path, original: Original, owner: Signer, target: Path, parents: Parents,
        edits: Sequence[EditDone], kind: Format, quality: int,
    ) -> Marked:  # fmt: skip
        pixels = original.picture.pixels
        query = self._query(pixels)
        if query.packed is None:
            raise InputError(
                f"{path_text(file)} shows no more than one colour and some noise: it has no "
                "content of its own that a mark could be bound to."
            )
        beside = sidecar(target)
        manifest = described(
            original.picture, query.hash, self._code, self._carriers[0], [self._binding], owner,
            edits,
        )  # fmt: skip
        signed = _begun(beside, manifest)
        clean = pixels
        if parents == "auto":
            verdict = self._judge().judge(query)
            clean = self._erased(verdict, pixels)
            if signed is None:
                named = self._parents(verdict, query)
                manifest = manifest.model_copy(update={"parents": named})
        begun, signed = signed is not None, signed or sign(manifest, owner)
        data, shown, carrier = self._embedded(file, original, clean, signed.id, kind, quality)
        # In this order: killed between, the next try finds the manifest, and goes on with it; and
        # there is never a mark that the registry does not know.
        if not begun:
            write_sidecar(signed, beside)
        self._registry.append(signed)
        put(data, target)
        return Marked(
            target, signed.id,
            tuple(bytes.fromhex(parent.id) for parent in signed.manifest.parents),
            psnr(pixels, shown), ssim(pixels, shown), carrier.name, original.picture.remarks,
        )  # fmt: skip

    def lineage(self, identity: bytes) -> Lineage:
        """Trace what a registered picture was made of, and what was made of it.

        Raises:
            InputError: if the registry knows no such id.
        """
        row = self._registry.get(identity)
        if row is None:
            raise InputError(f"The registry knows no id {identity.hex()}; verify=PATH reads ids.")
        return trace(self._registry, identity, [one.id for one in earlier(self._registry, row)])

    def _pixels(self, picture: GivenPicture) -> Pixels:
        if isinstance(picture, str | os.PathLike):
            return self._original(Path(picture)).picture.pixels
        return read_given(picture, self._full).pixels

    def _verdict(self, pixels: Pixels) -> Verdict:
        return self._judge().judge(self._query(pixels))

    def _query(self, pixels: Pixels) -> Query:
        """Hash a picture; the numbers behind the bits are what a centroid is compared with."""
        return Query(pixels, self._code.hash(pixels, floats=True))

    def _judge(self) -> Judge:
        """Look at the registry as it is now; of its codes, those that are new are read."""
        size = self._registry.head().seq
        with self._lock:
            if self._judging is None or self._judging[0] != size:
                self._codes = codes = self._registry.codes(self._bundle, self._codes)
                judge = Judge(
                    self._registry, self._carriers[0], self._binding, codes,
                    engine_here(codes), measured_limit(self._code),
                )  # fmt: skip
                self._judging = size, judge
            return self._judging[1]

    def _original(self, file: Path) -> Original:
        try:
            return self._reader.original(file)
        except Unusable as error:
            raise InputError(f"{path_text(file)} {error}.") from error

    def _parents(self, verdict: Verdict, query: Query) -> list[Parent]:
        """Name the registered pictures that one was made of: its mark's, or its content's."""
        rows = [] if verdict.row is None or verdict.status in FOREIGN else [verdict.row]
        rows += [row for row in verdict.conflicts if row not in rows]
        return [
            Parent(
                id=row.id.hex(),
                relation="parentOf",
                distance=code_distance(query, row.signed.manifest),
            )
            for row in rows
            if row.signed is not None
        ]

    def _erased(self, verdict: Verdict, pixels: Pixels) -> Pixels:
        """Take out a mark that was read, whosever it is: what was added would add up."""
        reading = verdict.reading
        identity = reading.identity if verdict.way in ("", "content") else verdict.identity
        if identity is None:
            return pixels
        # The place where it is seen best, which need not be the one where it was decoded.
        best = max(reading.attempts, key=lambda one: float(known([one], [identity])[0]))
        return self._carriers[0].erase(pixels, to_word(identity), best.geometry)

    def _embedded(
        self, file: Path, original: Original, clean: Pixels, identity: bytes, kind: Format,
        quality: int,
    ) -> tuple[bytes, Pixels, Carrier]:  # fmt: skip
        """Mark a picture by the first carrier whose mark is read in the file that is written.

        Returns:
            the file, its pixels, and the carrier.
        """
        word = to_word(identity)
        for carrier in self._carriers:
            data = encoded(original, carrier.embed(clean, word), kind, quality)
            shown = self._full.read_bytes(data).pixels
            if decode(carrier.read(shown)).identity == identity:
                return data, shown, carrier
        raise InputError(
            f"{path_text(file)} cannot bear a mark: it could not be read back, even at its "
            "strongest. Give a larger copy, or one with less fine texture; a JPEG may be given a "
            "higher quality=."
        )


def _signer(owner: Signer | PathLike) -> Signer:
    return owner if isinstance(owner, Signer) else read_key(Path(owner))


def _begun(beside: Path, manifest: Manifest) -> Signed | None:
    """Return the manifest of a try that was interrupted.

    Raises:
        InputError: if what is there does not say the same of the picture: another's is kept.
    """
    if not exists(beside):
        return None
    try:
        before = read_sidecar(beside)
    except InputError:  # of another program, or damaged
        before = None
    if before is not None:
        said, says = (one.model_dump(exclude=CHANGING) for one in (before.manifest, manifest))
        if said == says:
            return before
    raise InputError(
        f"{path_text(beside)} is of another picture or owner, or of other edits: move it away, or "
        "give another folder with to=DIR."
    )
