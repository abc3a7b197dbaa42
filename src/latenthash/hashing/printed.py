"""What all printed hashes have in common: their letters, and how what was not printed is refused.

A printed hash is words of letters and digits, joined by "-". The first names the version.
"""

import base64
import binascii
import re

from latenthash.errors import InputError

VERSIONS = {  # word by which a printed hash begins -> how it reads
    "LH1": "LH1-<model>-<text>-<check>",
    "LH2": "LH2-<60 letters>",
}
LONGEST_SHOWN = 24  # letters of a text that a refusal shows


def version_of(text: str) -> str:
    """Return the version of a printed hash.

    Raises:
        InputError: if it is none, or of a version that is not known here.
    """
    version = _words(text)[0]
    if version in VERSIONS:
        return version
    if re.fullmatch("LH[0-9]+", version):
        raise InputError(
            f"The hash {_shown(text)} is of version {version}, and this latenthash reads "
            f"{' and '.join(VERSIONS)}: read it with the version that printed it."
        )
    raise InputError(
        f"{_shown(text)} is not a printable hash: it must read {' or '.join(VERSIONS.values())}. "
        "Copy it whole, from LH to the last letter."
    )


def split(text: str, version: str) -> list[str]:
    """Split a printed hash of this version into its other words, in capitals, without white space.

    Raises:
        InputError: if it is no such hash.
    """
    found = version_of(text)
    if found != version:
        raise InputError(f"The hash {_shown(text)} is of version {found}; give one of {version}.")
    words = _words(text)
    if len(words) != VERSIONS[version].count("-") + 1 or not text.isascii():
        raise InputError(
            f"{_shown(text)} is not a printable hash: it must read {VERSIONS[version]}. Copy it "
            "whole, from LH to the last letter."
        )
    return words[1:]


def mistyped(text: str) -> InputError:
    """Return the refusal of a hash whose check does not fit its letters."""
    return InputError(
        f"The hash {_shown(text)} is not as it was printed: letters are missing, mistyped or out "
        "of order. Copy it again."
    )


def not_ours(text: str, why: str) -> InputError:
    """Return the refusal of a hash whose letters fit its check, but that nothing here printed."""
    return InputError(f"The hash {_shown(text)} was not made by latenthash: {why}")


def encode(payload: bytes) -> str:
    """Write bytes as letters and digits (base32 of RFC 4648), five bits each."""
    return base64.b32encode(payload).decode().rstrip("=")


def decode(text: str) -> bytes | None:
    """Return the bytes that are written as text; None when no bytes are."""
    try:
        payload = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        return None
    # The last letter has bits to spare: only one of the letters that read alike was printed.
    return payload if encode(payload) == text else None


def _words(text: str) -> list[str]:
    return "".join(text.split()).upper().split("-")


def _shown(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
