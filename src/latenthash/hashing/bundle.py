"""The bundle: the folder that a run leaves behind, enough to hash and match pictures anywhere.

hash.json holds the hash, what it was made with and the digests of the two other files;
weights.safetensors the weights of features and model; config.yaml how to build them.
"""

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_weights
from safetensors.torch import save as save_weights
from torch import Tensor

from latenthash import __version__
from latenthash.errors import InputError, refuse_existing
from latenthash.hashing.enrolled import Hash
from latenthash.hashing.printable import PrintableHash
from latenthash.options.checking import find_problems
from latenthash.options.moved import DROPPED_WEIGHTS
from latenthash.options.roots import HashFile
from latenthash.system.files import Unusable, read_bounded

FORMAT = 2  # raised whenever older readers would misread a bundle
HASH, WEIGHTS, CONFIG = "hash.json", "weights.safetensors", "config.yaml"
MOST_NODES, MOST_ENTRIES = 1000, 10**6  # of the JSON; what is read of it takes more memory
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
WHOLE = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)
LIMITS = {HASH: 2**26, WEIGHTS: 2**31, CONFIG: 2**20}  # bytes; ours have a hundredth of it


@dataclass(frozen=True)
class Bundle:
    """What a run leaves behind.

    Attributes:
        hash: centroid and radius; None for a code and for digits, which belong to no picture.
        weights: state of features and model.
        config: YAML of the resolved config.
        run_id: MLflow's id of the run that made it.
        pictures: role -> digest of the pictures it was made from.
        provenance: what else decides the features, such as the digest of weights that are too
            large to be part of every bundle.
        printable: the Signal's printable hash; None where there is none, and in older bundles.
        fitted: digests of the pictures that features or model were fitted on; empty in older
            bundles.
        packages: of others, whose classes the config names: it is opened only where the user
            trusts them.
    """

    hash: Hash | None
    weights: Mapping[str, Tensor]
    config: str
    run_id: str
    pictures: Mapping[str, str]
    provenance: Mapping[str, str]
    printable: PrintableHash | None = None
    fitted: Sequence[str] = ()
    packages: Sequence[str] = ()

    def save(self, folder: Path) -> None:
        """Write the three files into a folder that appears only when it is whole.

        Raises:
            InputError: if there is a folder of that name.
        """
        refuse_existing(folder)
        files = {
            WEIGHTS: save_weights({k: v.cpu().contiguous() for k, v in self.weights.items()}),
            CONFIG: self.config.encode(),
        }
        values: dict[str, Any] = {
            "format": FORMAT,
            "latenthash": __version__,
            **_hash_values(self.hash),
            **({} if self.printable is None else {"printable": str(self.printable)}),
            "run_id": self.run_id,
            "pictures": dict(self.pictures),
            "identity": dict(self.provenance),  # format 2's word for it
            "fitted": sorted(self.fitted),
            **({"packages": sorted(self.packages)} if self.packages else {}),
            "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        }
        values["digest"] = _digest(values)
        files[HASH] = json.dumps(values, indent=2).encode()
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            whole = Path(temporary, folder.name)
            whole.mkdir()
            for name, data in files.items():
                (whole / name).write_bytes(data)
            whole.rename(folder)

    @classmethod
    def load(cls, folder: Path) -> "Bundle":
        """Read a bundle.

        Raises:
            InputError: if it is incomplete, altered, or of a version this one cannot read.
        """
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder; a bundle is a folder with {HASH}.")
        missing = [name for name in (HASH, WEIGHTS, CONFIG) if not (folder / name).exists()]
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            raise InputError(
                f"The bundle {folder} is incomplete: {', '.join(missing)} {verb} missing."
            )
        files = {name: _read(folder, name) for name in (HASH, WEIGHTS, CONFIG)}
        values = _read_values(folder / HASH, files.pop(HASH))
        for name, data in files.items():
            if hashlib.sha256(data).hexdigest() != values["files"][name]:
                raise InputError(
                    f"The bundle {folder} was altered: {name} is not the file that {HASH} "
                    "was written with. Use an untouched copy."
                )
        try:
            loaded = load_weights(files[WEIGHTS])
            weights = {name: t for name, t in loaded.items() if name not in DROPPED_WEIGHTS}
            if odd := [name[:64] for name, tensor in weights.items() if not _is_usable(tensor)]:
                raise ValueError(f"weights that are no finite numbers: {', '.join(odd[:4])}")
            return cls(
                None if values.get("code") is True else Hash.from_json(values),
                weights,
                files[CONFIG].decode(),
                values["run_id"],
                values["pictures"],
                values["identity"],
                PrintableHash.parse(values["printable"]) if "printable" in values else None,
                values.get("fitted", []),
                values.get("packages", []),
            )
        except (SafetensorError, ValueError, KeyError) as error:  # KeyError: dtype torch lacks
            raise InputError(f"The bundle {folder} cannot be read: {error}.") from error


def _read(folder: Path, name: str) -> bytes:
    try:
        return read_bounded(folder / name, LIMITS[name])
    except Unusable as error:
        raise InputError(
            f"{name} of the bundle {folder} {error}. Use an untouched copy of one that train.py "
            "wrote."
        ) from error


def _is_usable(tensor: Tensor) -> bool:
    """Say whether a tensor holds finite numbers of a kind that networks have."""
    if tensor.dtype in FLOATS:
        return bool(tensor.float().isfinite().all())  # networks compute with these
    return tensor.dtype in WHOLE


def _hash_values(hash_: Hash | None) -> dict[str, Any]:
    if hash_ is None:
        return {"code": True}
    return {"k": len(hash_.centroid), **hash_.to_json()}


def _read_values(path: Path, data: bytes) -> dict[str, Any]:
    if data.count(b"[") + data.count(b"{") > MOST_NODES or data.count(b",") > MOST_ENTRIES:
        raise InputError(f"{path} holds more values than the {HASH} of any bundle.")
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}.") from error
    if not isinstance(values, dict) or "format" not in values:
        raise InputError(f"{path} is not the {HASH} of a bundle: it names no format.")
    if values["format"] != FORMAT:
        raise InputError(
            f"{path} has format {values['format']}, written by latenthash "
            f"{values.get('latenthash')}; latenthash {__version__} reads format {FORMAT}. "
            "Use the version that wrote it, or train again."
        )
    digest = values.pop("digest", None)
    if digest != _digest(values):
        raise InputError(f"{path} was altered after it was written. Use an untouched copy.")
    if problems := find_problems(HashFile, values):
        raise InputError([f"{path}: {sentence}" for sentence in problems])
    if values.get("code") is not True and values.get("k") != len(values.get("centroid", [])):
        raise InputError(f"{path}: k={values.get('k')} must be the size of the centroid.")
    return values


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
