"""What an image file says of itself before any pixel is decoded; through Pillow and tifffile."""

import io
import struct
import warnings
from typing import NamedTuple

from seglib.errors import SegError
from seglib.io.tiff import is_tiff, read_sizes

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
"""Pillow's names of what is read besides TIFF, told by the content alone."""
ANIMATED = ("PNG", "GIF", "WEBP")
"""Where a second picture is another frame; in a JPEG file it is a preview or a map of brightness."""
DAMAGE = (OSError, EOFError, SyntaxError, ValueError, RuntimeError, struct.error)
MAGIC_BYTES = 16


class PictureHeader(NamedTuple):
    """Pixels as they are stored, and whether the file holds more than one picture."""

    height: int
    width: int
    several: bool


def read_picture_header(content: bytes, where: object) -> PictureHeader:
    """Read the header of an image file; `where` names it in messages.

    Raises SegError where it is damaged, or of no format that is read.
    """
    if is_tiff(content):
        sizes = read_sizes(content, where)
        return PictureHeader(*sizes[0], several=len(sizes) > 1)
    from PIL import Image

    Image.init()
    kind = next((name for name in FORMATS if Image.OPEN[name][1](content[:MAGIC_BYTES])), None)  # pyright: ignore
    if kind is None:
        known = ", ".join((*FORMATS, "TIFF"))
        raise SegError(f"{where}: not a readable image ({len(content):,} bytes), nor of any of the formats {known}")
    try:
        # Image.open would refuse what is large by a limit of its own, and not say how large it is
        with warnings.catch_warnings(action="ignore"), Image.OPEN[kind][0](io.BytesIO(content), "") as image:
            several = kind in ANIMATED and getattr(image, "is_animated", False)
            return PictureHeader(image.height, image.width, several)
    except (*DAMAGE, Image.DecompressionBombError) as error:
        raise SegError(
            f"{where}: not a readable image ({len(content):,} bytes, {error}); replace or remove it"
        ) from None
