"""What is known of each file of a gallery."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Entries:
    """The newest row of each file of a gallery, in the order of files; removed ones are left out.

    There may be millions, so texts are made when they are asked for.

    Attributes:
        files: N names, relative to the gallery's root, with / between folders.
        codes: (N, 32) packed bits; zeros where there is none.
        usable: (N,) whether a file has a code of its own: it was read, and shows enough detail.
        sha256: (N,) S32, the digests of the files' bytes; empty where one could not be read.
        errors: N texts, the end of a sentence that begins with the file; empty where it was read.
        tag: 2 bytes that name the network of the codes.
        bundle: digest of the bundle that made the codes.
        root: the folder within which files are named; absolute.
    """

    files: Sequence[str]
    codes: NDArray[np.uint8]
    usable: NDArray[np.bool_]
    sha256: NDArray[np.bytes_]
    errors: Sequence[str]
    tag: bytes
    bundle: str
    root: str

    def __len__(self) -> int:
        return len(self.codes)
