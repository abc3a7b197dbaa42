"""What a manifest says of a picture that is to be marked."""

from base64 import b64encode
from collections.abc import Sequence

from latenthash.data.reading import Picture
from latenthash.library.code import Code
from latenthash.library.hashes import Hash
from latenthash.watermark.bindings import Binding, Enrolling
from latenthash.watermark.carrier import Carrier
from latenthash.watermark.keys import Signer
from latenthash.watermark.manifest import Carrier as Carried
from latenthash.watermark.manifest import ContentHash, EditDone, Manifest, Owner
from latenthash.watermark.registration import thumbnail

KIND = "code-256"  # of the hash


def bundle_of(code: Code) -> str:
    """Return the digest of a code's bundle, as manifests and registries have it."""
    return code.bundle.removeprefix("bundle ")


def described(
    picture: Picture, hash_: Hash, code: Code, carrier: Carrier, bindings: Sequence[Binding],
    owner: Signer, edits: Sequence[EditDone] = (),
) -> Manifest:  # fmt: skip
    """Describe a picture, without parents.

    Args:
        picture: before it is marked.
        hash_: of the picture, by the code.
        code: that hashed it.
        carrier: that will mark it.
        bindings: what the first of them that enrols needs of the picture is kept, too.
        owner: who will sign.
        edits: that led to the picture.

    Raises:
        InputError: if the picture does not give what a binding needs.
    """
    height, width = picture.pixels.shape[:2]
    name, key = carrier.name.split("/")
    enrolling = next((one for one in bindings if isinstance(one, Enrolling)), None)
    return Manifest(
        carrier=Carried(name=name, key=key),
        owner=Owner(name=owner.name, key=owner.public.hex()),
        hash=ContentHash(
            kind=KIND,
            tag=code.tag.hex(),
            bundle=bundle_of(code),
            bits=hash_.packed.hex(),
            enrolled=None if enrolling is None else enrolling.enrol(picture, code),
        ),
        thumbnail=b64encode(thumbnail(picture.pixels)).decode(),
        size=[width, height],
        edits=list(edits),
    )
