"""The hashes of the field, as conf/peer has them."""

from pathlib import Path

import numpy as np
from hydra.utils import instantiate
from omegaconf import OmegaConf

from latenthash.codes.code import AbsentCode, Code
from latenthash.data.reading import Picture

PEER = Path(__file__).parent.parent / "conf" / "peer"
ALWAYS = ("ahash", "dhash", "phash", "phash_256", "pdq")  # those that need no file
BLANK = Picture("blank", np.zeros((8, 8, 3), np.uint8), "")


def peer_codes(*names: str) -> list[Code | AbsentCode]:
    """Return the codes of files of conf/peer, or why they are absent."""
    hashes = {name: instantiate(OmegaConf.load(PEER / f"{name}.yaml")) for name in names}
    return [code for name, one in hashes.items() for code in one.codes(name, BLANK)]


def network_codes(name: str, file: Path) -> list[Code]:
    """Return the codes of a file of conf/peer that is a network, from its ONNX file."""
    hash_ = instantiate(OmegaConf.merge(OmegaConf.load(PEER / f"{name}.yaml"), {"file": str(file)}))
    return [code for code in hash_.codes(name, BLANK) if isinstance(code, Code)]


def installed(*names: str) -> list[Code]:
    """Return the codes of files of conf/peer whose libraries are here."""
    return [code for code in peer_codes(*names) if isinstance(code, Code)]
