"""Image files in and out: OpenCV reads them, tifffile and Pillow what that cannot."""

import io
import struct
from importlib.resources.abc import Traversable
from pathlib import Path

import cv2
import numpy as np

from seglib.errors import SegError
from seglib.io.archive import read_bytes
from seglib.io.tiff import ORIENTATION, Bands, is_tiff, read_bands, read_planes
from seglib.io.volumes import narrowed

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif")


class BandsError(SegError):
    """An image file of another number of bands than is wanted."""

    found: int


def read_image(file: Traversable, channels: int = 3) -> np.ndarray:
    """Decode an image file: uint8, uint16, int16 or float32 [height, width, channels], RGB where channels is 3.

    One channel turns colours to grey, three repeat grey; any other number is the file's own bands. An
    alpha channel is dropped. Raises SegError where the file cannot be decoded or has other bands.
    """
    return decode_image(read_bytes(file), channels, file)


def decode_image(content: bytes, channels: int, where: object) -> np.ndarray:
    """Decode the bytes of an image file as `read_image` does; `where` names them in messages."""
    if is_tiff(content):
        return _decode_tiff(content, channels, read_bands(content, where), where)
    if channels not in (1, 3):
        _check_upright(content, where)
        pixels = _decode(content, cv2.IMREAD_UNCHANGED, where)
        return _ordered(_checked(np.atleast_3d(pixels), channels, where))
    flags = cv2.IMREAD_COLOR_RGB if channels == 3 else cv2.IMREAD_GRAYSCALE
    return np.atleast_3d(_decode(content, flags | cv2.IMREAD_ANYDEPTH, where))


def read_grey(file: Traversable) -> np.ndarray:
    """Decode an image file as grey values: uint8 [height, width].

    Raises SegError where the file cannot be decoded or has more than 8 bits a channel.
    """
    content = read_bytes(file)
    pixels = _decode(content, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH, file)
    _check_alpha(content, file)
    if pixels.dtype != np.uint8:
        raise SegError(f"{file}: has {pixels.dtype} values; save it with 8 bits a channel")
    return pixels


def read_indices(file: Traversable) -> np.ndarray:
    """Decode a mask whose pixels are indices, of a palette or plain: uint8 [height, width].

    A palette's colours are not looked at; a black-and-white image gives 0 and 1. Raises SegError where
    the file cannot be decoded, or holds colours without a palette.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    damage = (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError, struct.error)
    try:
        with Image.open(io.BytesIO(read_bytes(file))) as image:
            if image.mode not in ("P", "L", "1"):
                raise SegError(f"{file}: is a {image.mode} image; its mask must hold one index a pixel")
            return np.asarray(ImageOps.exif_transpose(image), dtype=np.uint8)
    except damage as error:
        raise SegError(f"{file}: not a readable image ({error}); replace or remove it") from None


def read_values(file: Traversable) -> np.ndarray:
    """Decode a mask whose grey values stand for classes: uint8 [height, width].

    A palette of greys gives these greys, one of colours its indices; 16-bit and float files must hold
    whole numbers up to 255. Raises SegError where they do not, or the file is in colour or says by its
    transparency what its colours do not.
    """
    content = read_bytes(file)
    if content[:4] == b"GIF8" or (content[:4] == b"\x89PNG" and content[25:26] == b"\x03"):
        return _palette_values(file)
    if is_tiff(content) and read_bands(content, file).palette:
        return _whole_bytes(read_planes(content, file)[:, :, 0], file)
    if content[:2] == b"\xff\xd8":
        return read_grey(file)
    pixels = decode_image(content, 3, file)
    _check_alpha(content, file)
    if not (pixels == pixels[:, :, :1]).all():
        raise SegError(f"{file}: the mask is in colour; declare colour: [r, g, b] for each class instead of value")
    return _whole_bytes(pixels[:, :, 0], file)


def read_colours(file: Traversable) -> np.ndarray:
    """Decode a mask whose colours stand for classes: uint8 RGB [height, width, 3].

    Raises SegError where the file cannot be decoded, has more than 8 bits a channel, or says by its
    transparency what its colours do not.
    """
    content = read_bytes(file)
    pixels = decode_image(content, 3, file)
    _check_alpha(content, file)
    if pixels.dtype != np.uint8:
        raise SegError(f"{file}: has {pixels.dtype} values; save it with 8 bits a channel")
    return pixels


def _check_alpha(content: bytes, file: Traversable) -> None:
    """Whether a mask's pixels of one colour differ in their transparency, which then is the real mask."""
    if content[:2] == b"\xff\xd8" or (content[:4] == b"\x89PNG" and content[25:26] not in (b"\x04", b"\x06")):
        return
    bands = read_bands(content, file) if is_tiff(content) else None
    if bands and bands.number == bands.visible:
        return
    is_grey_tiff = bands is not None and bands.visible == 1  # OpenCV drops its alpha
    pixels = read_planes(content, file) if is_grey_tiff else _decode(content, cv2.IMREAD_UNCHANGED, file)
    pixels = np.atleast_3d(pixels)
    alpha = pixels[:, :, -1]
    if pixels.shape[2] not in (2, 4) or (alpha == alpha[0, 0]).all():
        return
    kinds = np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)
    if len(np.unique(kinds[:, :-1], axis=0)) < len(kinds):
        raise SegError(
            f"{file}: the mask has an alpha channel that tells apart pixels of one colour; "
            "save the mask without transparency, its classes as values or colours"
        )


def _check_upright(content: bytes, where: object) -> None:
    """For files whose channels OpenCV reads without regard to their orientation."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content)) as image:
            orientation = image.getexif().get(ORIENTATION, 1)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError, struct.error):
        return
    if orientation != 1:
        raise SegError(f"{where}: is stored turned (EXIF orientation {orientation}); save it upright")


def _palette_values(file: Traversable) -> np.ndarray:
    from PIL import Image

    indices = read_indices(file)
    with Image.open(io.BytesIO(read_bytes(file))) as image:
        entries = image.getpalette("RGB") if image.mode == "P" else None
    if entries is None:
        return indices
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(entries) // 3] = np.array(entries, np.uint8).reshape(-1, 3)
    is_grey = (palette == palette[:, :1]).all()
    return palette[indices, 0] if is_grey else indices


def _whole_bytes(values: np.ndarray, file: Traversable) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        whole = values.astype(np.uint8)
    if (odd := whole != values).any():
        raise SegError(
            f"{file}: mask values such as {values[odd][0]} ({values.dtype}); save whole numbers from 0 to 255"
        )
    return whole


def _decode_tiff(content: bytes, channels: int, bands: Bands, where: object) -> np.ndarray:
    if bands.number == channels and (bands.plain or channels not in (1, 3)):
        return narrowed(read_planes(content, where), where)
    if bands.plain or bands.visible not in (1, 3) or channels not in (1, 3):
        raise _other_bands(bands.number, channels, where)
    pixels = np.atleast_3d(_decode(content, cv2.IMREAD_UNCHANGED, where))
    pixels = _ordered(pixels[:, :, : 3 if pixels.shape[2] > 2 else 1])
    if pixels.shape[2] == channels:
        return narrowed(pixels, where)
    if channels == 3:
        return narrowed(np.repeat(pixels, 3, axis=2), where)
    computed = pixels if str(pixels.dtype) in ("uint8", "uint16", "float32") else pixels.astype(np.float32)
    try:
        return narrowed(np.atleast_3d(cv2.cvtColor(computed, cv2.COLOR_RGB2GRAY)), where)
    except cv2.error as error:
        raise SegError(f"{where}: cannot be made grey: {last_line(error)}; cut it up") from None


def _checked(pixels: np.ndarray, channels: int, where: object) -> np.ndarray:
    if pixels.shape[2] != channels:
        raise _other_bands(pixels.shape[2], channels, where)
    return pixels


def _other_bands(found: int, channels: int, where: object) -> BandsError:
    error = BandsError(f"{where}: has {found} bands, but channels: {channels} is declared; declare channels: {found}")
    error.found = found
    return error


def _ordered(pixels: np.ndarray) -> np.ndarray:
    """OpenCV's blue, green, red as red, green, blue; an alpha channel stays behind."""
    if pixels.shape[2] < 3:
        return pixels
    return np.ascontiguousarray(pixels[:, :, [2, 1, 0, *range(3, pixels.shape[2])]])


def _decode(content: bytes, flags: int, where: object) -> np.ndarray:
    if _is_truncated(content):
        raise SegError(f"{where}: ends in mid-image ({len(content):,} bytes); replace or remove it")
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        raise SegError(f"{where}: cannot be decoded: {last_line(error)}") from None
    if pixels is None:
        raise SegError(f"{where}: not a readable image ({len(content):,} bytes); replace or remove it")
    return pixels


def last_line(error: cv2.error) -> str:
    """What OpenCV has to say, without the way through its source."""
    return str(error).strip().splitlines()[-1]


def _is_truncated(content: bytes) -> bool:
    """Whether a JPEG lacks its end-of-image marker, or the chunks of a PNG do not lead to its IEND.

    OpenCV reads such files in silence, or without end.
    """
    if content.startswith(b"\xff\xd8"):
        return content.rfind(b"\xff\xd9") < content.rfind(b"\xff\xda")
    if content.startswith(b"\x89PNG"):
        return not _ends_as_png(content)
    return not content


def _ends_as_png(content: bytes) -> bool:
    at = 8
    while len(head := content[at : at + 8]) == 8:
        if head[4:] == b"IEND":
            return True
        at += 12 + int.from_bytes(head[:4], "big")
    return False


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 RGB [height, width, 3] or grey [height, width] as PNG."""
    _write(path, ".png", pixels, [])


def write_webp(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 RGB [height, width, 3] as WebP, which is small and not exact."""
    _write(path, ".webp", pixels, [cv2.IMWRITE_WEBP_QUALITY, 85])


def _write(path: Path, suffix: str, pixels: np.ndarray, options: list[int]) -> None:
    bgr = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    done, content = cv2.imencode(suffix, bgr, options)
    assert done
    path.write_bytes(content.tobytes())
