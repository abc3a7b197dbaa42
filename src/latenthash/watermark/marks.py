"""Marking pictures and verifying them, as programs and jobs do."""

import os
import secrets
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Literal, TypeAlias

from latenthash.data.reading import Original, Pixels, Reader
from latenthash.errors import InputError
from latenthash.gallery.engines import engine_here
from latenthash.library.code import Code
from latenthash.library.given import GivenPicture, read_given
from latenthash.system.files import Unusable, make_folder
from latenthash.system.paths import path_text
from latenthash.watermark import manifest as manifests
from latenthash.watermark.bindings import Binding, code_distance
from latenthash.watermark.carrier import Carrier
from latenthash.watermark.codec import decode, to_word
from latenthash.watermark.files import WRITTEN, Format, encoded, format_of
from latenthash.watermark.keys import Signer
from latenthash.watermark.lineage import Lineage, trace
from latenthash.watermark.manifest import EditDone, Manifest, Parent
from latenthash.watermark.query import Query
from latenthash.watermark.registration import thumbnail
from latenthash.watermark.registry import Registry
from latenthash.watermark.similarity import psnr, ssim
from latenthash.watermark.verdict import Judge, Verdict

Parents: TypeAlias = Literal["auto", "none"]

NEAR_FPR = 1e-3  # rate of the limit within which a registered picture is looked at
FOREIGN = ("copied", "forged", "unknown")  # the mark is not of this content, or of nobody
CODE = "code-256"  # kind of hash
FOLDER = "marked"  # beside the original, where no folder is named


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
    """

    file: Path
    identity: bytes
    parents: tuple[bytes, ...]
    psnr: float
    ssim: float
    carrier: str


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
        self._bundle = code.bundle.removeprefix("bundle ")
        self._lock = Lock()
        self._judging: tuple[int, Judge] | None = None

    def verify(self, picture: GivenPicture) -> Verdict:
        """Say whose a picture is, and whether its mark is of this content.

        Args:
            picture: a path, the bytes of a file, a PIL image, or (H, W, 3) uint8 RGB.

        Raises:
            InputError: if the picture cannot be read.
        """
        if isinstance(picture, str | os.PathLike):
            return self._verdict(self._original(Path(picture)).picture.pixels)
        return self._verdict(read_given(picture, self._full).pixels)

    def mark(
        self, file: Path, owner: Signer, to: Path | None = None, *, parents: Parents = "auto",
        edits: Sequence[EditDone] = (), kind: Format | None = None, quality: int = 95,
    ) -> Marked:  # fmt: skip
        """Mark a picture, and register it.

        Args:
            file: the picture.
            owner: who signs.
            to: folder of the marked copy; None is `marked` beside the picture.
            parents: `auto` names registered pictures that this one was made of, and takes their
                marks out first; `none` looks for none.
            edits: that led from the parents to this picture.
            kind: of the copy; None is that of the file, or PNG.
            quality: of a JPEG, 1 to 100.

        Raises:
            InputError: if the picture cannot be read or cannot bear a mark, or its copy exists.
        """
        kind = kind or format_of(file)
        target = target_of(file, to, kind)
        refuse_taken(target)
        original = self._original(file)
        pixels = original.picture.pixels
        query = Query(pixels, self._code.hash(pixels))
        if query.packed is None:
            raise InputError(
                f"{path_text(file)} shows no more than one colour and some noise: it has no "
                "content of its own that a mark could be bound to."
            )
        found: tuple[Parent, ...] = ()
        clean = pixels
        if parents == "auto":
            verdict = self._judge().judge(query)
            found, clean = self._parents(verdict, query), self._erased(verdict, pixels)
        signed = manifests.sign(self._manifest(original, query, owner, found, edits), owner)
        data, shown, carrier = self._embedded(file, original, clean, signed.id, kind, quality)
        make_folder(target.parent, "The folder of marked pictures")
        # The row first: a process that is killed leaves no mark that the registry does not know.
        self._registry.append(signed)
        manifests.write_sidecar(signed, manifests.sidecar(target))
        _put(data, target)
        return Marked(
            target, signed.id, tuple(bytes.fromhex(parent.id) for parent in found),
            psnr(pixels, shown), ssim(pixels, shown), carrier.name,
        )  # fmt: skip

    def lineage(self, identity: bytes) -> Lineage:
        """Trace what a registered picture was made of, and what was made of it.

        Raises:
            InputError: if the registry knows no such id.
        """
        if self._registry.get(identity) is None:
            raise InputError(f"The registry knows no id {identity.hex()}; verify=PATH reads ids.")
        return trace(self._registry, identity)

    def _verdict(self, pixels: Pixels) -> Verdict:
        return self._judge().judge(Query(pixels, self._code.hash(pixels)))

    def _judge(self) -> Judge:
        """Look at the registry as it is now; its codes are read again only when it grew."""
        size = len(self._registry)
        with self._lock:
            if self._judging is None or self._judging[0] != size:
                known = self._registry.codes(self._bundle)
                limit = self._code.limits.get(NEAR_FPR, 0)
                judge = Judge(
                    self._registry, self._carriers[0], self._binding, known,
                    engine_here(known), limit,
                )  # fmt: skip
                self._judging = size, judge
            return self._judging[1]

    def _original(self, file: Path) -> Original:
        try:
            return self._reader.original(file)
        except Unusable as error:
            raise InputError(f"{path_text(file)} {error}.") from error

    def _parents(self, verdict: Verdict, query: Query) -> tuple[Parent, ...]:
        """Name the registered pictures that one was made of: its mark's, or its content's."""
        rows = [] if verdict.row is None or verdict.status in FOREIGN else [verdict.row]
        rows += [row for row in verdict.conflicts if row not in rows]
        return tuple(
            Parent(
                id=row.id.hex(),
                relation="parentOf",
                distance=code_distance(query, row.signed.manifest),
            )
            for row in rows
            if row.signed is not None
        )

    def _erased(self, verdict: Verdict, pixels: Pixels) -> Pixels:
        """Take out a mark that was read, whosever it is: what was added would add up."""
        if verdict.way in ("", "content"):
            return pixels
        reading = verdict.reading
        assert verdict.identity is not None
        word = to_word(verdict.identity)
        return self._carriers[0].erase(pixels, word, reading.attempt.geometry)

    def _manifest(
        self, original: Original, query: Query, owner: Signer, parents: Sequence[Parent],
        edits: Sequence[EditDone],
    ) -> Manifest:  # fmt: skip
        height, width = original.picture.pixels.shape[:2]
        carrier, key = self._carriers[0].name.split("/")
        return Manifest(
            carrier=manifests.Carrier(name=carrier, key=key),
            owner=manifests.Owner(name=owner.name, key=owner.public.hex()),
            hash=manifests.ContentHash(
                kind=CODE,
                tag=self._code.tag.hex(),
                bundle=self._bundle,
                bits=query.hash.packed.hex(),
            ),
            thumbnail=b64encode(thumbnail(original.picture.pixels)).decode(),
            size=[width, height],
            parents=list(parents),
            edits=list(edits),
        )

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


def target_of(file: Path, to: Path | None, kind: Format) -> Path:
    """Return where the marked copy of a file is written."""
    folder = file.parent / FOLDER if to is None else to
    return folder / f"{file.stem}{WRITTEN[kind][0]}"


def refuse_taken(target: Path) -> None:
    """Refuse to write where anything is.

    Raises:
        InputError: if there is.
    """
    if os.path.lexists(target):
        raise InputError(f"{path_text(target)} exists: give another folder with to=DIR.")


def _put(data: bytes, target: Path) -> None:
    """Write a file whole or not at all, and never over another."""
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        aside.write_bytes(data)
        os.link(aside, target)
    except FileExistsError:
        refuse_taken(target)
        raise
    except OSError:  # a disk without links, such as a memory card
        refuse_taken(target)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
