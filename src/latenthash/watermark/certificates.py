"""Certificates of an owner's key, without which C2PA takes none."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from latenthash.watermark.keys import Signer

YEARS = timedelta(days=3650)
LONGEST_CN = 64  # letters of a name in a certificate (RFC 5280, appendix A)


@dataclass(frozen=True)
class Chain:
    """Certificates of an owner's key.

    Attributes:
        pem: that of the key, then that of who issued it.
        anchor: that of who issued it: whoever trusts the owner adds it to their trust anchors.
    """

    pem: str
    anchor: str


def issue(signer: Signer) -> Chain:
    """Issue certificates for an owner's key, for ten years.

    C2PA takes no key without a certificate of another one. That other key signs this once and is
    gone: nobody can issue more under its anchor, which is given away with each chain and belongs
    to this owner alone. It says nothing about who the owner is.
    """
    authority = Ed25519PrivateKey.generate()
    issuer, subject = _name(f"{signer.name} (issuer)"), _name(signer.name)
    anchor = (
        _certificate(issuer, issuer, authority)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(issuing=True), critical=True)
        .sign(authority, None)
    )
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])  # C2PA asks for one
    own = (
        _certificate(subject, issuer, signer.private)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(issuing=False), critical=True)
        .add_extension(purposes, critical=False)
        .add_extension(identifier, critical=False)
        .sign(authority, None)
    )
    above = anchor.public_bytes(Encoding.PEM).decode()
    return Chain(own.public_bytes(Encoding.PEM).decode() + above, above)


def _name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "latenthash"),
            x509.NameAttribute(NameOID.COMMON_NAME, text[:LONGEST_CN]),
        ]
    )


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: Ed25519PrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks differ
        .not_valid_after(now + YEARS)
        .add_extension(identifier, critical=False)
    )


def _usage(issuing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issuing, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=issuing, crl_sign=issuing,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
