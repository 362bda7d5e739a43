"""Class masks as PNG files that any viewer shows in the colours of the classes; through Pillow."""

import io
from collections.abc import Sequence

import numpy as np


def palette_png(mask: np.ndarray, colours: Sequence[tuple[int, int, int]]) -> bytes:
    """Encode uint8 [height, width], whose values are the places of their RGB colours in `colours`.

    Equal content gives equal bytes.
    """
    from PIL import Image

    image = Image.fromarray(mask)
    image.putpalette([part for colour in colours for part in colour])
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()
