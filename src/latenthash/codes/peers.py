"""Peers: hashes beside ours, of the field or of the user, each a function of a picture.

Processes of workers import this, so it does without torch.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pkgutil import resolve_name
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from latenthash.codes.code import (
    AbsentCode,
    Code,
    Described,
    HashError,
    Kind,
    Source,
    minus_l1,
    plain_bits,
    signs,
)
from latenthash.data.reading import Picture, Pixels
from latenthash.errors import InputError
from latenthash.hashing.projections import unit
from latenthash.options.kinds import is_ours
from latenthash.system.files import Unusable, code_digest

Distance: TypeAlias = Literal["hamming", "cosine", "l1"]

EXTRA = "pip install 'latenthash[peers]'"
# Distribution -> how to get it, where that is not plain.
WAYS = {
    "pdqhash": EXTRA,
    "opencv-contrib-python-headless": (
        "pip install opencv-contrib-python-headless in place of opencv-python-headless"
    ),
}
LONGEST = 200  # letters of what a function says of its failure


class Peer:
    """A hash that a function computes.

    Args:
        key: names function and version; kept hashes are found by it.
        function: dotted path of a function, or of a class without arguments that makes one:
            picture (H, W, 3) uint8 -> numbers of any shape. A path, for workers get it.
        bits: whether the numbers are 0 and 1, or booleans.
        dimensions: numbers of a hash.
    """

    side: int | None = None
    trim = False

    def __init__(self, key: str, function: str, bits: bool, dimensions: int) -> None:
        self.key = key
        self.function = function
        self.kind: Kind = np.int8 if bits else np.float32
        self.dimensions = dimensions

    def describe(self, views: Sequence[Pixels]) -> Described:
        """Hash pictures: bits as -1 and 1, or floats, (N, D).

        Raises:
            HashError: if the function raises, or gives something else than D such numbers.
        """
        return np.stack([self._hash(picture) for picture in views])

    def _hash(self, picture: Pixels) -> Described:
        numbers = call(self.key, self.function, picture)
        problem = self._odd(numbers)
        if problem:
            raise HashError({self.key: problem})
        return signs(numbers) if self.kind is np.int8 else numbers

    def _odd(self, numbers: NDArray[np.float32]) -> str:
        """Say what is wrong with a hash; nothing where all is well."""
        if len(numbers) != self.dimensions:
            return f"gave {len(numbers)} numbers in place of {self.dimensions}"
        if not np.isfinite(numbers).all():
            return "gave NaN or an infinite number"
        if self.kind is np.int8 and not np.isin(numbers, (0, 1)).all():
            return "gave other numbers than 0 and 1, the bits of distance=hamming"
        return ""


class Peers:
    """Peers as one source, that says side by side what each of them says.

    Args:
        peers: at least one, of bits.
    """

    side: int | None = None
    trim = False
    kind: Kind = np.int8

    def __init__(self, peers: Sequence[Peer]) -> None:
        self.peers = peers
        self.key = str([peer.key for peer in peers])
        self.dimensions = sum(peer.dimensions for peer in peers)

    def describe(self, views: Sequence[Pixels]) -> Described:
        """Hash pictures, to bits (N, B) as -1 and 1.

        Raises:
            HashError: if one of them does.
        """
        return np.hstack([peer.describe(views) for peer in self.peers])


class FunctionHash:
    """What conf/peer says of a hash that a function computes.

    Args:
        function: see `Peer`.
        distance: hamming for bits, cosine or l1 for floats.
        length: numbers of a hash; None takes that of the first picture.
        library: the distribution that computes it, which must be installed; None where there is
            none.
        version: stated by whoever changes what the function gives. None is the library's, or else
            the digest of the file that the function is in.
    """

    def __init__(
        self,
        function: str,
        distance: Distance,
        length: int | None,
        library: str | None,
        version: str | int | float | None,
    ) -> None:
        self.function = function
        self.distance = distance
        self.length = length
        self.library = library
        self.version = version

    def codes(self, name: str, example: Picture) -> list[Code | AbsentCode]:
        """Return the code, or why it is absent.

        Args:
            name: of the peer in the config.
            example: a picture that tells how long a hash is.

        Raises:
            InputError: if the function of a user cannot be had.
        """
        own = not is_ours(self.function)
        if own:
            find_function(name, self.function)
        try:
            state = self._state()
        except PackageNotFoundError:
            way = WAYS.get(str(self.library), f"pip install {self.library}")
            if own:
                raise InputError(f"peers.{name}.library={self.library} is not installed.") from None
            return [AbsentCode(self._called(name, self.length), f"not installed: {way}")]
        made_by = self.function if own or self.library is None else self.library
        length = self.length
        if length is None:
            try:
                length = len(call(name, self.function, example.pixels))
            except HashError as error:
                return [AbsentCode(name, f"{error.faults[name]}, of {example.name}")]
            if not length:
                return [AbsentCode(name, f"gave no number, of {example.name}")]
        called = self._called(name, length)
        key = (
            f"{called} {made_by} {state}" if self._bits else f"{called} {length} {made_by} {state}"
        )
        return [self._code(called, Peer(key, self.function, self._bits, length))]

    @property
    def _bits(self) -> bool:
        return self.distance == "hamming"

    def _code(self, called: str, peer: Peer) -> Code:
        if self._bits:
            return plain_bits(called, peer)
        size = 4 * peer.dimensions
        if self.distance == "cosine":
            return Code(called, peer, size, unit, unit, 1.0)
        return Code(called, peer, size, _unchanged, _unchanged, 0.0, minus_l1)

    def _called(self, name: str, length: int | None) -> str:
        """Name the code: phash of 64 bits and phash_256 are phash-64 and phash-256."""
        if length is None:
            return name
        return f"{name.removesuffix(f'_{length}')}-{length if self._bits else 'float'}"

    def _state(self) -> str:
        """Name what else the hash depends on.

        Raises:
            PackageNotFoundError: if the library is not installed.
        """
        installed = [] if self.library is None else [version(self.library)]
        if self.version is not None:
            return " ".join([*installed, str(self.version)])
        return " ".join(installed if is_ours(self.function) else [*installed, _file(self.function)])


def find_function(name: str, function: str) -> Callable[[Pixels], Any]:
    """Import the function of a peer; of a class, make one.

    Raises:
        InputError: if that is not possible.
    """
    at = f"peers.{name}.function={function}"
    try:
        found = _function(function)
    except (Exception, SystemExit) as error:  # importing runs code, which may raise anything
        raise InputError(
            f"{at} cannot be imported: {_short(error)}. Give the dotted path of a function, or of "
            "a class that takes no arguments, in a package that Python finds (PYTHONPATH)."
        ) from error
    if not callable(found):
        raise InputError(f"{at} is no function, nor a class whose objects can be called.")
    return found


def call(key: str, function: str, picture: Pixels) -> NDArray[np.float32]:
    """Call a function by its dotted path; return what it gives as one row of floats.

    Raises:
        HashError: under the key, if it raises, or gives something else than numbers.
    """
    try:
        # A copy: what a function does to its picture is not seen by the next.
        given = _function(function)(np.array(picture))
        held = getattr(given, "hash", None)  # an object of imagehash's kind holds its bits there
        numbers = np.asarray(held if isinstance(held, np.ndarray) else given)
    except (Exception, SystemExit) as error:  # it is not ours
        raise HashError({key: f"raised {_short(error)}"}) from error
    if numbers.dtype.kind not in "biuf":
        raise HashError({key: f"gave {type(given).__name__} in place of numbers"})
    with np.errstate(over="ignore"):  # what is too large for a float is infinite
        return numbers.ravel().astype(np.float32)


def together(sources: Sequence[Source]) -> list[Source]:
    """Return sources, each once, and all peers of the field among them as one."""
    different = {source.key: source for source in sources}.values()
    joined = [s for s in different if isinstance(s, Peer) and is_ours(s.function)]
    keys = {peer.key for peer in joined}
    others = [source for source in different if source.key not in keys]
    return [*others, Peers(joined)] if joined else others


def own_functions(sources: Sequence[Source]) -> list[str]:
    """List the functions of users among sources, by their dotted paths."""
    return [s.function for s in sources if isinstance(s, Peer) and not is_ours(s.function)]


def parts(source: Source, described: Described) -> dict[str, Described]:
    """Split descriptions (P, R, D) by the keys of the sources that are part of one."""
    if not isinstance(source, Peers):
        return {source.key: described}
    ends = np.cumsum([peer.dimensions for peer in source.peers])
    split = np.split(described, ends[:-1], axis=2)
    return {peer.key: part for peer, part in zip(source.peers, split, strict=True)}


@cache  # one a process
def _function(path: str) -> Callable[[Pixels], Any]:
    found = resolve_name(path)
    made: Callable[[Pixels], Any] = found() if isinstance(found, type) else found
    return made


def _file(function: str) -> str:
    """Digest the file of the module that a function is of.

    Raises:
        InputError: if it is in no file.
    """
    try:
        return code_digest(_function(function))
    except Unusable as error:
        raise InputError(
            f"{function} is in no file that can be read: say by peers.NAME.version=1 which version "
            "of it this is."
        ) from error


def _short(error: BaseException) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _unchanged(described: Described) -> Described:
    return described
