"""Pictures as the bytes of image files."""

import cv2
import numpy as np


def as_png(pixels: np.ndarray) -> bytes:
    """Encode uint8 grey [height, width], RGB [height, width, 3] or RGBA [height, width, 4], without loss."""
    return _encoded(".png", pixels, [])


def as_jpeg(pixels: np.ndarray) -> bytes:
    """Encode uint8 RGB [height, width, 3], small and not exact."""
    return _encoded(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])


def _encoded(suffix: str, pixels: np.ndarray, options: list[int]) -> bytes:
    if pixels.ndim == 3:
        pixels = pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]
    done, content = cv2.imencode(suffix, pixels, options)
    assert done
    return content.tobytes()
