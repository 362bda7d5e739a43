"""Image files in and out, through OpenCV."""

from importlib.resources.abc import Traversable
from pathlib import Path

import cv2
import numpy as np

from seglib.errors import SegError
from seglib.io.archive import read_bytes

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def read_image(file: Traversable, channels: int = 3) -> np.ndarray:
    """Decode an image file: uint8 [height, width, channels], RGB where channels is 3.

    Raises SegError where the file cannot be decoded or has more than 8 bits a channel.
    """
    flags = cv2.IMREAD_COLOR_RGB if channels == 3 else cv2.IMREAD_GRAYSCALE
    pixels = _decode(file, flags)
    return pixels if channels == 3 else pixels[:, :, None]


def read_grey(file: Traversable) -> np.ndarray:
    """Decode an image file as grey values: uint8 [height, width]."""
    return _decode(file, cv2.IMREAD_GRAYSCALE)


def _decode(file: Traversable, flags: int) -> np.ndarray:
    content = read_bytes(file)
    if _is_truncated(content):
        raise SegError(f"{file}: ends in mid-image ({len(content):,} bytes); replace or remove it")
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags | cv2.IMREAD_ANYDEPTH)
    except cv2.error as error:
        raise SegError(f"{file}: cannot be decoded: {str(error).strip().splitlines()[-1]}") from None
    if pixels is None:
        raise SegError(f"{file}: not a readable image ({len(content):,} bytes); replace or remove it")
    if pixels.dtype != np.uint8:
        raise SegError(f"{file}: has {pixels.dtype} values; save it with 8 bits a channel")
    return pixels


def _is_truncated(content: bytes) -> bool:
    """Whether a JPEG lacks its end-of-image marker, or a PNG its IEND; OpenCV reads both in silence."""
    if content.startswith(b"\xff\xd8"):
        return content.rfind(b"\xff\xd9") < content.rfind(b"\xff\xda")
    if content.startswith(b"\x89PNG"):
        return content.rfind(b"IEND") < 0
    return not content


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 RGB [height, width, 3] or grey [height, width] as PNG."""
    bgr = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    done, content = cv2.imencode(".png", bgr)
    assert done
    path.write_bytes(content.tobytes())
