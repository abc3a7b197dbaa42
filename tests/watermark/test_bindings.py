"""Bindings: what each takes for the registered picture, by values worked out by hand."""

from base64 import b64encode
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.data import astronaut

from latenthash.data.reading import Picture, Pixels
from latenthash.errors import InputError
from latenthash.library.code import Code
from latenthash.library.hashes import Hash
from latenthash.watermark.bindings import (
    Binding,
    CodeBinding,
    CodeRegistrationBinding,
    Enrolling,
    IdentityBinding,
    PHashBinding,
    RegistrationBinding,
)
from latenthash.watermark.centroid import CentroidBinding
from latenthash.watermark.manifest import Enrolled, Manifest
from latenthash.watermark.query import Query
from latenthash.watermark.registration import thumbnail
from marks import BUNDLE, content, manifest, owner

TAG = bytes.fromhex("5921")
SHOWN = np.ascontiguousarray(astronaut())
OTHER = np.ascontiguousarray(SHOWN[:, ::-1][:300, :300])


def registered(enrolled: Enrolled | None = None) -> Manifest:
    """Register the picture with a code of zeros."""
    hash_ = content(bytes(32)).model_copy(update={"enrolled": enrolled})
    jpeg = b64encode(thumbnail(SHOWN)).decode()
    return manifest(owner(), hash=hash_, thumbnail=jpeg, size=[512, 512])


def query(pixels: Pixels, ones: int = 0, floats: NDArray[np.float32] | None = None) -> Query:
    """Ask for a picture whose code has so many ones."""
    bits = np.arange(256) < ones
    return Query(pixels, Hash(TAG, np.packbits(bits).tobytes(), floats))


@pytest.mark.parametrize(("ones", "standing"), [(77, "verified"), (78, "copied")])
def test_code_counts_bits(ones: int, standing: str) -> None:
    found = CodeBinding(77).compare(query(SHOWN, ones), registered())
    assert (found.standing, found.distance) == (standing, ones)


def test_code_of_another_network_or_of_no_detail_agrees_with_none() -> None:
    foreign = Query(SHOWN, Hash(b"\0\0", bytes(32)))
    assert CodeBinding(256).compare(foreign, registered()).standing == "copied"
    empty = Query(SHOWN, Hash(TAG, b""))
    assert CodeBinding(256).compare(empty, registered()).standing == "copied"


def test_identity_agrees_with_all() -> None:
    assert IdentityBinding().compare(query(255 - OTHER, 256), registered()).standing == "verified"


def test_phash_is_of_the_thumbnail() -> None:
    binding = PHashBinding(12)
    assert binding.compare(query(SHOWN), registered()).standing == "verified"
    # In a negative, all but the mean changes its sign.
    assert binding.compare(query(255 - SHOWN), registered()).standing == "copied"
    assert PHashBinding(64).compare(query(255 - SHOWN), registered()).standing == "verified"


def test_registration_and_code_each_have_a_say() -> None:
    both, alone = CodeRegistrationBinding(77), RegistrationBinding()
    away = np.random.default_rng(0).integers(0, 256, SHOWN.shape, np.uint8)
    assert both.compare(query(SHOWN, 77), registered()).standing == "verified"
    assert both.compare(query(SHOWN, 78), registered()).standing == "altered"
    assert both.compare(query(away, 77), registered()).standing == "unconfirmed"
    assert both.compare(query(away, 78), registered()).standing == "copied"
    assert alone.compare(query(SHOWN, 78), registered()).standing == "verified"


class Given:
    """A code whose floats are given, one after the other."""

    bundle = f"bundle {BUNDLE}"

    def __init__(self, rows: NDArray[np.float32]) -> None:
        self.rows = iter(rows)

    def hash(self, view: Pixels, *, floats: bool) -> Hash:
        """Hash whatever it is."""
        return Hash(TAG, bytes(32), next(self.rows))


def test_centroid_is_the_mean_and_the_radius_the_quantile_of_other_views() -> None:
    train = np.tile(np.float32([[3, 0], [5, 0]]), (10, 1))  # mean (4, 0)
    calibration = np.float32([[4, i] for i in range(20)])  # 0, 1, ... 19 away
    binding = CentroidBinding({}, 20, 0.1)
    code = cast(Code, Given(np.concatenate([train, calibration])))
    enrolled = binding.enrol(Picture("", SHOWN, "digest"), code)
    assert enrolled.centroid == [4.0, 0.0]
    assert enrolled.radius == 18  # the 19th of 20: ceil(21 x .9)
    assert enrolled.bundle == BUNDLE

    def standing(*floats: float) -> str:
        asked = query(OTHER, 0, np.array(floats, np.float32))
        return binding.compare(asked, registered(enrolled)).standing

    assert standing(4, 17.9) == standing(-13.9, 0) == "verified"
    assert standing(4, 18.1) == standing(16.8, 12.8) == "copied"


def test_centroid_asks_for_what_was_not_registered() -> None:
    binding = CentroidBinding({}, 20, 0.1)
    with pytest.raises(InputError, match="mark it anew with binding=centroid"):
        binding.compare(query(SHOWN, 0, np.zeros(2, np.float32)), registered())
    with pytest.raises(InputError, match="too few"):
        CentroidBinding({}, 18, 0.05)


def test_only_the_centroid_enrols() -> None:
    bindings: list[Binding] = [CentroidBinding({}, 20, 0.1), CodeBinding(77), IdentityBinding()]
    assert [isinstance(one, Enrolling) for one in bindings] == [True, False, False]
