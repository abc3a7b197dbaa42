"""A code that was loaded: hashes of any pictures, and whether two are of one."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
import torch

from latenthash.cache import DiskCache
from latenthash.codes.code import Vectors, printed_code, width
from latenthash.codes.latent import Latent
from latenthash.codes.work import complete, work_of
from latenthash.data.detail import has_detail
from latenthash.data.reading import Picture, Reader
from latenthash.errors import InputError
from latenthash.hashing.hasher import Hasher
from latenthash.hashing.printable_code import MEASURED
from latenthash.library.given import GivenPicture, PathLike, read_given
from latenthash.library.hashes import Hash, Refusal
from latenthash.models.interface import Hastened

if TYPE_CHECKING:  # it takes a second to import, and only figures need it
    from matplotlib.figure import Figure

    from latenthash.codes.stream import DescribedFile
    from latenthash.data.sources import Unread

File = TypeVar("File", bound=PathLike)
Again: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...]]

if hasattr(os, "register_at_fork"):
    # OpenMP's threads are not there in a forked child, which would wait for them for ever.
    os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))


class Code:
    """A code: it gives any picture a hash, with no training.

    Threads may share it. Another process gets it by pickling, which hands on where it was loaded
    from and not its weights, or by forking.

    Args:
        latent: the network, as a source of codes.
        reader: how files are decoded.
        again: what loads the same code in another process, and its arguments; None for one that
            cannot be pickled.

    Attributes:
        tag: 2 bytes that name the network, as in its hashes.
        bundle: names all that decides the codes, more exactly than the tag.
        limits: false-positive rate -> most bits in which two hashes of one picture differ, as
            measured on photographs; empty for codes that were not measured.
    """

    def __init__(self, latent: Latent, reader: Reader, again: Again | None = None) -> None:
        self._latent = latent
        self._reader = reader
        self._again = again
        self._code = printed_code(latent)
        self.tag = latent.tag
        self.bundle = latent.key
        self.limits: Mapping[float, int] = MEASURED.get(self.tag.hex(), {})

    @property
    def hasher(self) -> Hasher:
        """Features and model, for who needs gradients of them."""
        return self._latent.hasher

    def hash(self, picture: GivenPicture, *, floats: bool = False) -> Hash:
        """Hash a picture.

        Args:
            picture: a path, the bytes of a file, a PIL image, or (H, W, 3) uint8 RGB.
            floats: whether the hash holds the numbers behind its bits, too.

        Raises:
            InputError: if the picture cannot be read.
        """
        return self._hash_read(read_given(picture, self._reader), floats)

    def hash_many(
        self, files: Iterable[File], *, floats: bool = False
    ) -> Iterator[tuple[File, Hash | Refusal]]:
        """Hash picture files on all cores, in their order.

        No more of them are held than what is under way, however many there are.

        Args:
            files: paths, which may be made as they are asked for.
            floats: whether hashes hold the numbers behind their bits, too.

        Yields:
            each path as it was given, and its hash, or why it has none.

        Raises:
            InputError: if files are one path, or hold what is no path.
        """
        if isinstance(files, str | bytes | os.PathLike):
            raise InputError(f"hash_many takes several paths, and not one: give [{files!r}].")
        if not isinstance(files, Iterable):
            raise InputError(f"hash_many takes paths, and not {files!r}.")
        return self._hash_many(files, floats)

    def read_many(
        self, paths: Iterable[Path], cluster: str | None = None
    ) -> "Iterator[tuple[DescribedFile | Unread, bytes | None]]":
        """Read picture files, in their order, as a gallery keeps them.

        Args:
            paths: of the files.
            cluster: address of a Ray cluster that reads them; None reads on all cores here.

        Yields:
            what was found of each file, or why it cannot be read; and its bits, 32 bytes, or None
            where it shows no detail.

        Raises:
            InputError: if there is no such cluster.
        """
        if cluster is not None:
            from latenthash.library.on_ray import read_on_ray

            yield from read_on_ray(paths, self._reader, self._latent, cluster)
            return
        from latenthash.codes.stream import DescribedFile, describe_files

        for found in describe_files(paths, None, self._reader, self._latent):
            bits = None
            if isinstance(found, DescribedFile) and found.described is not None:
                bits = self._code.bits(found.described[None]).tobytes()
            yield found, bits

    def same(self, first: Hash, second: Hash, *, fpr: float = 1e-4) -> bool:
        """Say whether two hashes are of one picture.

        Args:
            first: a hash of this code.
            second: another.
            fpr: false-positive rate, one of `limits`.

        Raises:
            InputError: if the rate was not measured, or a hash is not of this code.
        """
        for one in (first, second):
            if not isinstance(one, Hash):
                raise InputError(f"same takes hashes, which hash and Hash.parse give, not {one!r}.")
            if one.tag != self.tag:
                raise InputError(
                    f"A hash of the network {one.tag.hex()} is not one of this code, "
                    f"{self.tag.hex()}. Make both hashes by this code."
                )
        if fpr not in self.limits:
            rates = ", ".join(f"{rate:g}" for rate in self.limits)
            raise InputError(
                f"fpr={fpr} is not a rate that this code was measured at: "
                + (f"give one of {rates}." if rates else "there is none, so compare `a - b`.")
            )
        return first - second <= self.limits[fpr]

    def explain(self, first: GivenPicture, second: GivenPicture) -> "Figure":
        """Draw two pictures as the network sees them, the bits that differ, and the limits.

        Raises:
            InputError: if a picture cannot be read.
        """
        from latenthash.report.explain_codes import explain_codes

        a, b = (read_given(picture, self._reader) for picture in (first, second))
        views = [work_of(self._latent)([picture.pixels])[0] for picture in (a, b)]
        hashes = [self._hash_read(picture, floats=False) for picture in (a, b)]
        return explain_codes(
            (a.name or "first", b.name or "second"),
            views,
            [one.bits if one.detail else None for one in hashes],
            self.limits,
        )

    def hasten(self, cache: DiskCache) -> None:
        """Take seconds now, and less time for every picture from now on, where that is possible.

        Args:
            cache: where what was made for it is kept.
        """
        if isinstance(self._latent.hasher.model, Hastened):
            self._latent.hasher.model.hasten(cache)

    def __reduce__(self) -> Again:
        if self._again is None:
            raise TypeError("a code that was not made by latenthash.load cannot be pickled")
        return self._again

    def _hash_many(
        self, files: Iterable[File], floats: bool
    ) -> Iterator[tuple[File, Hash | Refusal]]:
        # Here, for joblib takes time to import, and one picture needs no other processes.
        from latenthash.codes.stream import DescribedFile, describe_files

        given: deque[File] = deque()

        def paths() -> Iterator[Path]:
            for file in files:
                try:
                    path = Path(file)
                except TypeError as error:
                    raise InputError(f"hash_many takes paths, and not {file!r}.") from error
                given.append(file)
                yield path

        for found in describe_files(paths(), None, self._reader, self._latent):
            file = given.popleft()
            if isinstance(found, DescribedFile):
                yield file, self._hash(found.described, found.remarks, floats)
            else:
                yield file, Refusal(file, found.reason)

    def _hash_read(self, picture: Picture, floats: bool) -> Hash:
        described = None
        if has_detail(picture.pixels):
            (described,) = complete(self._latent, work_of(self._latent)([picture.pixels]))
        return self._hash(described, picture.remarks, floats)

    def _hash(self, described: Vectors | None, remarks: tuple[str, ...], floats: bool) -> Hash:
        """Make a hash of what the network says of a picture; None where it has no detail."""
        if described is None:
            return Hash(self.tag, b"", None, remarks)
        (row,) = self._code.bits(described[None])
        numbers = None
        if floats:
            numbers = np.array(described[: width(self._latent)], np.float32)
            numbers.setflags(write=False)
        return Hash(self.tag, row.tobytes(), numbers, remarks)
