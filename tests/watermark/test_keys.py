"""Keys: made once, read with distrust, and of one kind."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from latenthash.errors import InputError
from latenthash.watermark.keys import is_signed, make_key, message, read_key
from marks import owner, saved

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
OPEN = serialization.NoEncryption()
ANY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = ANY.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
BLOCK = ANY.private_bytes(PEM, PKCS8, OPEN)
ODD = {
    "public key": (PUBLIC, "is no private key in PEM"),
    "text": (b"hello", "is no private key in PEM"),
    "cut": (BLOCK[:60], "is no private key in PEM"),
    "nothing": (b"", r"is empty \(0 bytes\)"),
    "large": (bytes(2**15), "over the limit of 16,384"),
    "locked": (
        ANY.private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"x")),
        "is locked by a passphrase",
    ),
    "elliptic": (
        generate_private_key(SECP256R1()).private_bytes(PEM, PKCS8, OPEN),
        "is of another kind than Ed25519",
    ),
    "steering name": (b"Owner: a\x1b[2J\n" + BLOCK, 'must begin with the line "Owner: NAME"'),
    "long name": (b"Owner: " + b"a" * 121 + b"\n" + BLOCK, "of 1 to 120 letters"),
}


def test_key_is_made_once_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "me.pem"
    made = make_key(path, "Ann Müller")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    read = read_key(path)
    assert (read.name, read.public) == ("Ann Müller", made.public)
    before = path.read_bytes()
    with pytest.raises(InputError, match="a key is never written over"):
        make_key(path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["me.pem"]


def test_key_is_called_as_its_file_where_no_name_is_given(tmp_path: Path) -> None:
    assert make_key(tmp_path / "ann.pem").name == "ann"
    assert read_key(saved(tmp_path / "bob.pem", BLOCK)).name == "bob"


def test_link_that_leads_nowhere_is_no_place_for_a_key(tmp_path: Path) -> None:
    (tmp_path / "me.pem").symlink_to(tmp_path / "gone")
    with pytest.raises(InputError, match="exists already"):
        make_key(tmp_path / "me.pem")


@pytest.mark.parametrize("name", ["", " a", "a\nb", "a\u202eb", "a" * 121, "-----BEGIN"])
def test_name_that_steers_or_breaks_the_file_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="owner's name"):
        make_key(tmp_path / "me.pem", name)
    assert not list(tmp_path.iterdir())


def test_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be written \(No such file"):
        make_key(tmp_path / "gone" / "me.pem")


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_key_is_refused(odd: str, tmp_path: Path) -> None:
    data, sentence = ODD[odd]
    with pytest.raises(InputError, match=sentence):
        read_key(saved(tmp_path / "me.pem", data))


def test_signature_holds_for_its_key_tag_and_parts_alone() -> None:
    ann = owner("Ann")
    signature = ann.sign(b"tag", b"ab", b"c")
    assert is_signed(ann.public, signature, b"tag", b"ab", b"c")
    assert not is_signed(ann.public, signature, b"tag", b"a", b"bc")
    assert not is_signed(ann.public, signature, b"other", b"ab", b"c")
    assert not is_signed(owner("Bob").public, signature, b"tag", b"ab", b"c")
    assert not is_signed(ann.public[:31], signature, b"tag", b"ab", b"c")
    assert not is_signed(ann.public, signature[:-1], b"tag", b"ab", b"c")


def test_message_is_its_parts_with_their_lengths() -> None:
    assert message(b"t", b"ab") == (
        b"\0\0\0\0\0\0\0\x0clatenthash t" + b"\0\0\0\0\0\0\0\x02ab"
    )  # written by hand
