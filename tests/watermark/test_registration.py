"""Registration: edited copies lie where they were put, and other pictures lie nowhere."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from latenthash.data.reading import Pixels
from latenthash.data.samples.sets import embedded
from latenthash.data.samples.sushi import render_sushi
from latenthash.errors import InputError
from latenthash.watermark import registration
from latenthash.watermark.points import features, order_of
from latenthash.watermark.registration import Reference, thumbnail

GIRL: Pixels = data.astronaut()
SIDE = 512
TURNED = np.array([[-1.0, 0, SIDE - 1], [0, 1, 0], [0, 0, 1]])  # left and right
CORNERS = np.array([[40.0, 40], [470, 40], [470, 470], [40, 470], [256, 256]])


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    ok, file = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert ok
    return np.ascontiguousarray(cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1])


def warped(matrix: NDArray[np.float64], size: tuple[int, int] = (SIDE, SIDE)) -> Pixels:
    return np.asarray(cv2.warpPerspective(GIRL, matrix, size), np.uint8)


def rotation(degrees: float, scale: float = 1.0) -> NDArray[np.float64]:
    return np.vstack([cv2.getRotationMatrix2D((255.5, 255.5), degrees, scale), [0, 0, 1]])


def shift(x: float, y: float) -> NDArray[np.float64]:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


# In a picture of half the size, the middle of the first pixel lies at .5 px of the whole.
HALF = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]])
TILT = cv2.getPerspectiveTransform(
    np.array([[0, 0], [511, 0], [511, 511], [0, 511]], np.float32),
    np.array([[20, 35], [500, 5], [480, 500], [5, 480]], np.float32),
)
EDITS: dict[str, tuple[Pixels, NDArray[np.float64], bool, bool]] = {
    # pixels, homography, mirrored, negative
    "as it is": (GIRL, np.eye(3), False, False),
    "rotation": (warped(rotation(30)), rotation(30), False, False),
    "upside down": (np.ascontiguousarray(GIRL[::-1, ::-1]), rotation(180), False, False),
    "crop": (np.ascontiguousarray(GIRL[60:360, 100:420]), shift(-100, -60), False, False),
    "jpeg": (jpeg(GIRL, 15), np.eye(3), False, False),
    "half size": (cv2.resize(GIRL, (256, 256), interpolation=cv2.INTER_AREA), HALF, False, False),
    "perspective": (warped(TILT), TILT, False, False),
    "mirror": (np.ascontiguousarray(GIRL[:, ::-1]), TURNED, True, False),
    "mirror, turned": (np.ascontiguousarray(GIRL[::-1]), rotation(180) @ TURNED, True, False),
    "negative": (255 - GIRL, np.eye(3), False, True),
    "negative mirror": (255 - np.ascontiguousarray(GIRL[:, ::-1]), TURNED, True, True),
    "brighter": (cv2.convertScaleAbs(GIRL, alpha=0.7, beta=60), np.eye(3), False, False),
}


def moved(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    ends = np.c_[CORNERS, np.ones(len(CORNERS))] @ matrix.T
    return ends[:, :2] / ends[:, 2:]


@pytest.fixture(scope="module")
def girl() -> Reference:
    return Reference(thumbnail(GIRL), (SIDE, SIDE))


@pytest.mark.parametrize("name", EDITS)
def test_edited_copy_lies_where_it_was_put(name: str, girl: Reference) -> None:
    pixels, matrix, mirrored, negative = EDITS[name]
    found = girl.register(pixels)
    assert found.agrees
    assert (found.mirrored, found.negative) == (mirrored, negative)
    assert found.homography is not None
    assert np.abs(moved(found.homography) - moved(matrix)).max() < 1.0


def test_the_same_picture_always_gives_the_same(girl: Reference) -> None:
    pixels = EDITS["rotation"][0]
    first = girl.register(pixels)
    cv2.setRNGSeed(7)  # the state that OpenCV shares
    np.testing.assert_array_equal(girl.register(pixels).homography, first.homography)
    again = Reference(thumbnail(GIRL), (SIDE, SIDE)).register(features(pixels))
    np.testing.assert_array_equal(again.homography, first.homography)
    assert (again.inliers, again.ncc) == (first.inliers, first.ncc)


def test_large_pictures_are_counted_in_their_own_pixels() -> None:
    wide = cv2.resize(GIRL, (1536, 1024), interpolation=cv2.INTER_CUBIC)
    found = Reference(thumbnail(wide), (1536, 1024)).register(wide)
    assert found.homography is not None
    ends = moved(found.homography)
    assert np.abs(ends - CORNERS).max() < 1.5  # a thumbnail's pixel has 4.8 of these


def test_other_pictures_are_not_taken(girl: Reference) -> None:
    for picture in [*embedded("photos_a"), *embedded("photos_b")]:
        assert not girl.register(picture.pixels).agrees, picture.name


def test_pictures_without_detail_are_not_taken(girl: Reference) -> None:
    plain = np.full((300, 300, 3), 128, np.uint8)
    assert girl.register(plain) == registration.NOTHING
    assert Reference(thumbnail(plain), (300, 300)).register(plain) == registration.NOTHING
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    assert not girl.register(noise).agrees


def test_plates_that_are_alike_are_told_apart() -> None:
    plates = [render_sushi(i) for i in range(3)]
    looked = [features(plate) for plate in plates]
    for i, plate in enumerate(plates):
        reference = Reference(thumbnail(plate), plate.shape[1::-1])
        assert [reference.register(query).agrees for query in looked] == [
            j == i for j in range(len(plates))
        ]


def test_descriptors_of_a_mirror_image_are_those_in_another_order() -> None:
    whole, turned = (features(EDITS[name][0]) for name in ("as it is", "mirror"))
    side = whole.grey.shape[1]
    back = turned.points * [-1, 1] + [side - 1, 0]
    gaps = np.linalg.norm(whole.points[:, None] - back[None], axis=2)
    near = gaps.argmin(1)
    same = gaps[np.arange(len(near)), near] < 0.25
    assert same.mean() > 0.5
    expected = whole.descriptors[same][:, order_of(True, False)]
    likeness = (expected * turned.descriptors[near[same]]).sum(1)
    assert np.median(likeness) > 0.99


def test_thumbnail_is_a_small_jpeg() -> None:
    file = thumbnail(np.ascontiguousarray(GIRL[:300]))
    assert file.startswith(b"\xff\xd8")
    decoded = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (188, 320, 3)


def png(pixels: Pixels) -> bytes:
    ok, file = cv2.imencode(".png", pixels)
    assert ok
    return file.tobytes()


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"", "is no JPEG, or damaged"),
        (b"hello", "is no JPEG, or damaged"),
        (thumbnail(GIRL)[:900], "is no JPEG, or damaged"),
        (png(GIRL[:100, :100]), "is no JPEG, or damaged"),
        (cv2.imencode(".jpg", GIRL)[1].tobytes(), "is larger than 320 px"),
    ],
    ids=["empty", "text", "cut", "png", "large"],
)
def test_hostile_thumbnail_is_refused(file: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Reference(file, (SIDE, SIDE))
