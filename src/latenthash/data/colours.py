"""From what Pillow decodes to RGB of 8 bits: depth, colour keys, profiles, transparency."""

import io
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, TiffImagePlugin
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from latenthash.system.files import Unusable

DEEP_GREY = ("I", "I;16", "I;16B", "I;16L", "I;16N")  # Pillow's modes for more than 8 bits
GREY = ("1", "L", "LA")
PNG_BITS = {"1": 1, "L;2": 2, "L;4": 4, "I;16B": 16, "RGB;16B": 16}  # of what Pillow finds stored
FULL_RANGE = ("PPM", "JPEG2000")  # Pillow stretches their grey values to 16 bits
MAX_SAMPLE_VALUE = 281  # a TIFF's tag
DEPTHS = {2**bits - 1: bits for bits in range(9, 16)}  # largest value -> bits, of 9 to 15
SAVE_AS = "save it as 8 or 16 bits"


def stored_bits(image: Image.Image) -> int:
    """Say how many bits the values have in the file of a picture that is not loaded yet.

    Raises:
        Unusable: nothing says which of its values is white, or Pillow reads them wrongly.
    """
    if isinstance(image, TiffImageFile):
        return _tiff_bits(image)
    if isinstance(image, PngImageFile):
        return PNG_BITS.get(str(image.tile[0].args), 8) if image.tile else 8
    deep = image.mode in DEEP_GREY
    if image.mode == "F" or (deep and image.format not in FULL_RANGE):
        raise Unusable(f"holds values of unknown range; {SAVE_AS}")
    return 16 if deep else 8


def loaded_bits(image: Image.Image) -> int:
    """Say how many bits the values of a loaded picture have, whose file may be gone.

    Raises:
        Unusable: nothing says which of its values is white.
    """
    if isinstance(image, TiffImageFile):
        return _tiff_bits(image)
    if image.mode == "F":
        raise Unusable(f"holds values of unknown range; {SAVE_AS}")
    return 16 if image.mode in DEEP_GREY else 8


def rgb(
    image: Image.Image,
    bits: int,
    file: BinaryIO,
    background: tuple[int, int, int],
    remarks: list[str],
) -> Image.Image:
    """Turn a loaded picture into RGB.

    Args:
        image: as Pillow decodes it.
        bits: of the values, from `stored_bits`.
        file: where it was read from.
        background: 0..255, behind transparent pixels.
        remarks: what had to be left out is added here.

    Raises:
        Unusable: some values have more bits.
    """
    profile = image.info.get("icc_profile")
    image = _keyed(image, bits, file)
    if image.mode in DEEP_GREY:
        image = _eight_bits(image, bits)
    elif image.mode == "La":  # Pillow has no other way from it
        image = image.convert("LA")
    grey, alpha = image.mode in GREY, None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
    if image.mode != "CMYK":
        image = image.convert("L" if grey else "RGB")
    if profile:
        image = _to_srgb(image, profile, remarks)
    image = image.convert("RGB")
    if alpha is not None:
        # After the profile, which does not apply to the background.
        canvas = Image.new("RGB", image.size, tuple(background))  # a list, from YAML
        canvas.paste(image, mask=alpha)
        return canvas
    return image


def rgb_profile(image: Image.Image) -> bytes | None:
    """Return the colour profile of a picture; None where it has none for RGB that can be read."""
    profile = image.info.get("icc_profile")
    if not profile:
        return None
    try:
        space = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space
    except (ImageCms.PyCMSError, OSError):
        return None
    return profile if space == "RGB " else None


def _tiff_bits(image: TiffImageFile) -> int:
    tags = image.tag_v2
    bits = max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    if set(tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))) != {1}:
        raise Unusable(f"holds signed or floating-point values, of unknown range; {SAVE_AS}")
    if bits > 16:
        raise Unusable(f"holds values of {bits} bits; {SAVE_AS}")
    # Pillow takes the bytes of such channels for pixels.
    apart = tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 2
    if bits > 8 and apart and tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1) > 1:
        raise Unusable(
            f"holds channels of {bits} bits one after the other; save it with channels "
            "interleaved, or as 8 bits"
        )
    # A camera's depth, in values of 16 bits. Any other largest value is that of the picture, and
    # says nothing of what is white; so it may be by chance up to 8 bits.
    depths = {DEPTHS.get(top, bits) for top in tags.get(MAX_SAMPLE_VALUE, ())} or {bits}
    depth = min(bits, *depths)
    if depth < bits and image.mode not in DEEP_GREY:  # Pillow keeps the upper 8 of 16 bits
        raise Unusable(f"holds colours of {depth} bits in values of {bits}; {SAVE_AS}")
    return int(depth)


def _keyed(image: Image.Image, bits: int, file: BinaryIO) -> Image.Image:
    """Read a PNG's colour key, which stands for transparent, in the bits that it is stored in."""
    key = image.info.get("transparency")
    if image.format != "PNG" or key is None or bits == 8 or image.mode == "P":
        return image
    if image.mode == "RGB":
        image = image.copy()
        del image.info["transparency"]
        values = np.asarray(image).astype(np.uint16) << 8 | _low_bytes(file)
        image.putalpha(_opaque((values != key).any(-1)))
    elif image.mode in DEEP_GREY:
        alpha = _opaque(np.asarray(image) != key)
        image = _eight_bits(image, bits)
        image.putalpha(alpha)
    elif image.mode == "L":  # Pillow stretches the values, not the key
        top = 2**bits - 1
        image.info["transparency"] = (key & top) * 255 // top
    return image


def _low_bytes(file: BinaryIO) -> NDArray[np.uint8]:
    """Read the lower halves (H, W, 3) of a PNG's 16 bits, of which Pillow gives the upper ones."""
    file.seek(0)
    with Image.open(file, formats=["PNG"]) as image:
        # As if the file had the lower byte first.
        image.tile = [tile._replace(args="RGB;16L") for tile in image.tile]
        return np.asarray(image)


def _opaque(mask: NDArray[np.bool_]) -> Image.Image:
    return Image.fromarray(np.where(mask, 255, 0).astype(np.uint8))


def _eight_bits(image: Image.Image, bits: int) -> Image.Image:
    # Pillow's own conversion clips at 255, which turns a 16-bit picture white.
    top = 2**bits - 1
    values = np.asarray(image).astype(np.uint32)
    if values.max() > top:
        raise Unusable(f"holds values over {top}, which its header names as white; {SAVE_AS}")
    values = (values * 255 + top // 2) // top
    if _white_is_zero(image):
        values = 255 - values
    return Image.fromarray(values.astype(np.uint8))


def _white_is_zero(image: Image.Image) -> bool:
    """Say whether a TIFF's grey values are darkness; Pillow heeds that up to 8 bits alone."""
    photometric = TiffImagePlugin.PHOTOMETRIC_INTERPRETATION
    # 0, also where the tag is missing.
    return isinstance(image, TiffImageFile) and not image.tag_v2.get(photometric, 0)


def _to_srgb(image: Image.Image, profile: bytes, remarks: list[str]) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if image.mode == "L" and source.profile.xcolor_space == "RGB ":
            image = image.convert("RGB")
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError) as error:
        remarks.append(f"a colour profile that is damaged or of another kind was left out: {error}")
        return image
    assert converted is not None  # None is returned only for inPlace=True
    return converted
