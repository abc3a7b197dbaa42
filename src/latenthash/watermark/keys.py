"""Keys that sign manifests and rows of a registry: Ed25519 (RFC 8032), kept as PEM files."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from latenthash.errors import InputError
from latenthash.system.files import Unusable, read_bounded

MOST_BYTES = 2**14  # of a PEM file; ours have 120 and a name
LONGEST_NAME = 120  # letters
PUBLIC, SIGNATURE = 32, 64  # bytes
OWNER = "Owner: "  # begins the line before the key; readers of PEM pass over it (RFC 7468, 5.2)
BOUNDARY = "-----"  # of the parts of a PEM file
MAKE = "make a key with keygen=FILE.pem"


@dataclass(frozen=True)
class Signer:
    """A private key and whose it is.

    Attributes:
        name: of the owner, as manifests state it.
        private: signs; `repr` does not show it.
    """

    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    def sign(self, tag: bytes, *parts: bytes) -> bytes:
        """Sign what `message` makes of a tag and parts, 64 bytes."""
        return self.private.sign(message(tag, *parts))


def message(tag: bytes, *parts: bytes) -> bytes:
    """Join what is signed or digested.

    Args:
        tag: says what the parts are, so that no signature of one kind of thing holds for another.
        parts: where one ends and the next begins counts too.
    """
    return b"".join(len(part).to_bytes(8) + part for part in (b"latenthash " + tag, *parts))


def is_signed(public: bytes, signature: bytes, tag: bytes, *parts: bytes) -> bool:
    """Say whether the holder of a key signed parts under a tag."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message(tag, *parts))
    except (InvalidSignature, ValueError):
        return False
    return True


def is_name(text: str) -> bool:
    """Say whether a text can be an owner's name: short, and it steers no terminal."""
    return (
        0 < len(text) <= LONGEST_NAME
        and text.isprintable()
        and text == text.strip()
        and BOUNDARY not in text
    )


def make_key(path: Path, name: str | None = None) -> Signer:
    """Make a key and write it into a file that its user alone may read.

    Args:
        path: of the PEM file (PKCS 8, RFC 8410), which appears only when it is whole.
        name: of the owner, kept in the file; None takes the file's name without its ending.

    Raises:
        InputError: if there is something at the path, it cannot be written, or the name is none.
    """
    owner = path.stem if name is None else name
    if not is_name(owner):
        raise InputError(
            f"The owner's name {owner[:LONGEST_NAME]!r} cannot be used: give 1 to {LONGEST_NAME} "
            'letters on one line, as in name="Ann Smith".'
        )
    private = Ed25519PrivateKey.generate()
    block = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with _writing(path):
        _write_new(path, f"{OWNER}{owner}\n".encode() + block)
    return Signer(owner, private)


def read_key(path: Path) -> Signer:
    """Read a key; one without an owner's name is called as its file, without the ending.

    Raises:
        InputError: if it is no Ed25519 private key in PEM that can be read without a passphrase.
    """
    try:
        data = read_bounded(path, MOST_BYTES)
    except Unusable as error:
        raise InputError(f"The key {path} {error}; {MAKE}, or name the one you have.") from error
    try:
        private = serialization.load_pem_private_key(data, None)
    except TypeError as error:  # cryptography's word for it
        raise InputError(
            f"The key {path} is locked by a passphrase: unlock a copy of it with "
            "`openssl pkey -in FILE -out COPY`, and keep that one where nobody else reads it."
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"The key {path} is no private key in PEM; {MAKE}.") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise InputError(f"The key {path} is of another kind than Ed25519; {MAKE}.")
    first = data.split(b"\n", 1)[0].decode(errors="replace").rstrip("\r")
    name = first.removeprefix(OWNER) if first.startswith(OWNER) else path.stem
    if not is_name(name):
        raise InputError(
            f'The key {path} must begin with the line "{OWNER}NAME", of 1 to {LONGEST_NAME} '
            "letters, or have a name that can be an owner's."
        )
    return Signer(name, private)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Refuse in words what hinders a key from being written."""
    try:
        yield
    except FileExistsError as error:
        raise InputError(
            f"{path} exists already, and a key is never written over: whoever loses it can sign "
            "nothing more in its owner's name. Name another file."
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"The key {path} cannot be written ({reason}); name another.") from error


def _write_new(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 aside and link it into place, where nothing may be yet."""
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(aside)  # unlike a rename, it never replaces what is there
    finally:
        aside.unlink()
