"""C2PA: a picture's manifest in the form that other programs read, and back (Content Credentials).

A C2PA manifest stands in the file's metadata, which any program may drop. Its two soft bindings,
the mark's id and the code of the picture, lead back to it from pixels alone.
"""

import io
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from latenthash import __version__
from latenthash.errors import InputError
from latenthash.watermark.certificates import Chain
from latenthash.watermark.keys import Signer
from latenthash.watermark.signed import Signed

FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "TIFF": "image/tiff"}
PREFIX = "org.latenthash."  # of the names of soft bindings, which C2PA lists
SOFT, ACTIONS = "c2pa.soft-binding", "c2pa.actions.v2"
MARKED = "c2pa.watermarked.bound"
ORIGINAL = "original"  # title of a parent that bears no mark
# A thumbnail of the original would give away the picture without its mark.
SMALL = {"builder": {"thumbnail": {"enabled": False}}}
VERIFY = {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False}


@dataclass(frozen=True)
class Credentials:
    """What a picture's C2PA manifest says, and how far it can be believed.

    Attributes:
        state: Invalid: picture or manifest were altered. Valid: they are as they were signed, by
            somebody whom nothing vouches for. Trusted: by somebody who is vouched for by one of
            the anchors that were given.
        problems: C2PA's codes of what does not hold.
        bindings: name of a soft binding, such as org.latenthash.tiled -> its bytes.
        parents: titles of the pictures it was made of.
        actions: that were done, by C2PA's names.
    """

    state: str
    problems: tuple[str, ...]
    bindings: Mapping[str, bytes]
    parents: tuple[str, ...]
    actions: tuple[str, ...]


def attach(
    picture: bytes,
    kind: str,
    signed: Signed,
    signer: Signer,
    chain: Chain,
    parent: tuple[bytes, str],
) -> bytes:
    """Put a manifest of C2PA into a marked picture's file; its pixels stay as they are.

    Args:
        picture: the file.
        kind: as Pillow calls it: PNG, JPEG, WEBP or TIFF.
        signed: what the mark commits to.
        signer: signs; the private key stays in this process's memory.
        chain: of the signer's key.
        parent: file and kind of the picture it was made of, with C2PA's manifest or without: the
            original that was marked, or the earlier marked picture that this one is an edit of.

    Raises:
        InputError: if c2pa-python is not there, or does not take the file.
    """
    c2pa = _library()
    manifest = signed.manifest
    done = [*(edit.action for edit in manifest.edits), MARKED]
    definition = {
        "claim_generator_info": [{"name": "latenthash", "version": __version__}],
        "title": signed.id.hex(),
        "format": _format(kind),
        "assertions": [
            # The library itself adds c2pa.opened, of the parent.
            {"label": ACTIONS, "data": {"actions": [{"action": action} for action in done]}},
            _binding(manifest.carrier.name, signed.id),
            _binding(manifest.hash.kind, bytes.fromhex(manifest.hash.bits)),
        ],
    }
    made = io.BytesIO()
    try:
        with (
            c2pa.Signer.from_callback(
                signer.private.sign, c2pa.C2paSigningAlg.ED25519, chain.pem
            ) as sealing,
            c2pa.Context(c2pa.Settings.from_dict(SMALL)) as context,
            c2pa.Builder(definition, context=context) as builder,
        ):
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
            title = manifest.parents[0].id if manifest.parents else ORIGINAL
            of = {"title": title, "relationship": "parentOf"}
            builder.add_ingredient(json.dumps(of), _format(parent[1]), io.BytesIO(parent[0]))
            builder.sign(sealing, _format(kind), io.BytesIO(picture), made)
    except c2pa.C2paError as error:
        raise InputError(f"C2PA cannot be put into this {kind} file: {error}.") from error
    return made.getvalue()


def read(picture: bytes, kind: str, anchors: str = "") -> Credentials | None:
    """Read a picture's manifest of C2PA; nothing is fetched from anywhere.

    Args:
        picture: the file, which is not trusted.
        kind: as Pillow calls it.
        anchors: certificates in PEM of those who are trusted to vouch for signers.

    Returns:
        None where there is none, as in a picture that another program saved.

    Raises:
        InputError: if c2pa-python is not there, or the manifest cannot be read.
    """
    c2pa = _library()
    settings: dict[str, Any] = {"verify": VERIFY}
    if anchors:
        settings["trust"] = {"user_anchors": anchors}
    try:
        with (
            c2pa.Context(c2pa.Settings.from_dict(settings)) as context,
            c2pa.Reader(_format(kind), io.BytesIO(picture), context=context) as reader,
        ):
            store = json.loads(reader.json())
    except c2pa.C2paError.ManifestNotFound:
        return None
    except (c2pa.C2paError, ValueError) as error:
        raise InputError(f"The C2PA manifest cannot be read: {error}.") from error
    return _credentials(store)


def _credentials(store: Any) -> Credentials:
    """Take what is asked for out of a store whose every part a stranger may have written."""
    active = _part(_part(store, "manifests"), str(_part(store, "active_manifest")))
    bindings: dict[str, bytes] = {}
    actions: list[str] = []
    for assertion in _list(active, "assertions"):
        label, data = str(_part(assertion, "label")), _part(assertion, "data")
        if label.startswith(SOFT):
            for block in _list(data, "blocks")[:1]:
                value = _decoded(_part(block, "value"))
                if value is not None:
                    bindings[str(_part(data, "alg"))] = value
        elif label.startswith("c2pa.actions"):
            actions += [str(_part(one, "action")) for one in _list(data, "actions")]
    parents = [
        str(_part(one, "title"))
        for one in _list(active, "ingredients")
        if _part(one, "relationship") == "parentOf"
    ]
    problems = [str(_part(one, "code")) for one in _list(store, "validation_status")]
    state = str(_part(store, "validation_state"))
    return Credentials(state, tuple(problems), bindings, tuple(parents), tuple(actions))


def _part(values: Any, key: str) -> Any:
    return values.get(key) if isinstance(values, dict) else None


def _list(values: Any, key: str) -> list[Any]:
    found = _part(values, key)
    return found if isinstance(found, list) else []


def _decoded(value: object) -> bytes | None:
    try:
        return b64decode(value, validate=True) if isinstance(value, str) else None
    except ValueError:
        return None


def _binding(name: str, value: bytes) -> dict[str, Any]:
    block = {"scope": {}, "value": b64encode(value).decode()}
    return {"label": SOFT, "data": {"alg": f"{PREFIX}{name}", "blocks": [block]}}


def _format(kind: str) -> str:
    if kind not in FORMATS:
        raise InputError(
            f"C2PA is written into {', '.join(FORMATS)} alone, and this is {kind}: choose another "
            "format, or leave C2PA out."
        )
    return FORMATS[kind]


def _library() -> ModuleType:
    try:
        import c2pa
    except ModuleNotFoundError as error:
        raise InputError(
            "C2PA needs c2pa-python: pip install 'latenthash[c2pa]', or leave C2PA out."
        ) from error
    module: ModuleType = c2pa
    return module
