"""What tests of the watermark share: owners and their signed manifests."""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from latenthash.watermark.keys import Signer
from latenthash.watermark.manifest import Carrier, ContentHash, EditDone, Manifest, Owner, Parent
from latenthash.watermark.registration import thumbnail
from latenthash.watermark.registry import Registry
from latenthash.watermark.signed import Signed, sign

BUNDLE = sha256(b"bundle").hexdigest()
# A thumbnail of 8 px that shows nothing.
GREY = b64encode(thumbnail(np.full((8, 8, 3), 128, np.uint8))).decode()
WHEN = "2026-01-31T12:00:00Z"


def owner(name: str = "Ann") -> Signer:
    """Return the same key for the same name."""
    return Signer(name, Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()))


def content(bits: bytes, bundle: str = BUNDLE) -> ContentHash:
    return ContentHash(kind="code-256", tag="5921", bundle=bundle, bits=bits.hex())


def manifest(signer: Signer, bits: bytes = bytes(32), **more: Any) -> Manifest:
    return Manifest(
        carrier=Carrier(name="tiled", key="0"),
        owner=Owner(name=signer.name, key=signer.public.hex()),
        **{
            "hash": content(bits),
            "thumbnail": GREY,
            "size": [640, 480],
            "created": WHEN,
            **more,
        },
    )


def signed(number: int = 0, parents: tuple[bytes, ...] = (), name: str = "Ann") -> Signed:
    """Sign a manifest whose bits are a number; parents are named in their order."""
    signer = owner(name)
    made = manifest(
        signer,
        number.to_bytes(32),
        parents=[Parent(id=id_.hex(), relation="parentOf", distance=1) for id_ in parents],
        edits=[EditDone(action="c2pa.cropped", parameters={"left": 0.25})] if parents else [],
    )
    return sign(made, signer)


def saved(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@dataclass(frozen=True)
class Book:
    """Where a registry is, and where its key."""

    place: str
    key: Path

    def open(self) -> Registry:
        """Open it for appending; at first it is made."""
        return Registry.open_to_append(self.place, self.key)


def append_many(place: str, key: Path, first: int, count: int) -> list[int]:
    """Append rows one by one, as a process that marks pictures does."""
    registry = Registry.open_to_append(place, key)
    return [registry.append(signed(first + i)) for i in range(count)]
