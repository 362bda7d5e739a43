"""Pictures of a case for the report: the image alone, under the truth, under the prediction, under its errors."""

from pathlib import Path

import cv2
import numpy as np

from seglib.io.images import write_webp
from seglib.io.planes import class_planes
from seglib.io.sample import IGNORE
from seglib.overlays import IGNORED_COLOUR, Palette, coloured, displayable, shown_slice

LARGEST, THUMBNAIL = 480, 160
"""Longest sides in pixels."""
ERRORS = ((0, 114, 178), (240, 228, 66), (213, 94, 0))
"""RGB of true positives, false positives and missed pixels, which also colour-blind readers can tell apart
(Okabe and Ito, Color Universal Design, 2008)."""
OPACITY = 0.65


def write_pictures(folder: Path, image: np.ndarray, truth: np.ndarray, guess: np.ndarray, palette: Palette) -> None:
    """Write `image`, `truth`, `prediction` and `errors` as WebP, no side longer than 480; of a volume one slice."""
    rgb, truth, guess = _shown(image, truth, guess, LARGEST)
    folder.mkdir(parents=True, exist_ok=True)
    write_webp(folder / "image.webp", rgb)
    write_webp(folder / "truth.webp", coloured(rgb, truth, palette))
    write_webp(folder / "prediction.webp", coloured(rgb, guess, palette))
    write_webp(folder / "errors.webp", errors(rgb, truth, guess, palette))


def write_thumbnail(path: Path, image: np.ndarray, truth: np.ndarray, guess: np.ndarray, palette: Palette) -> None:
    """Write the errors as a WebP no side of which is longer than 160."""
    rgb, truth, guess = _shown(image, truth, guess, THUMBNAIL)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_webp(path, errors(rgb, truth, guess, palette))


def errors(rgb: np.ndarray, truth: np.ndarray, guess: np.ndarray, palette: Palette) -> np.ndarray:
    """The picture [height, width, 3] in grey, with what is found, invented and missed in the colours of ERRORS.

    A pixel of one class that is taken for another is missed.
    """
    grey = np.repeat(rgb.mean(2, keepdims=True).astype(np.uint8), 3, axis=2)
    planes = [
        list(class_planes(mask, len(palette.colours), overlapping=palette.overlapping))[1:] for mask in (truth, guess)
    ]
    layers = [
        (np.any([t & g for t, g in zip(*planes, strict=True)], axis=0), ERRORS[0]),
        (np.any([g & ~t for t, g in zip(*planes, strict=True)], axis=0), ERRORS[1]),
        (np.any([t & ~g for t, g in zip(*planes, strict=True)], axis=0), ERRORS[2]),
        (truth == IGNORE, IGNORED_COLOUR),
    ]
    drawn = grey.copy()
    for plane, colour in layers:
        drawn[plane] = (grey[plane] * (1 - OPACITY) + np.array(colour) * OPACITY).astype(np.uint8)
    return drawn


def _shown(
    image: np.ndarray, truth: np.ndarray, guess: np.ndarray, longest: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    image, truth, guess = shown_slice(image, truth, guess)
    rgb = np.ascontiguousarray(displayable(image))
    height, width = truth.shape
    scale = min(1, longest / max(height, width))
    extent = (max(1, round(width * scale)), max(1, round(height * scale)))
    masks = [cv2.resize(mask, extent, interpolation=cv2.INTER_NEAREST_EXACT) for mask in (truth, guess)]
    return cv2.resize(rgb, extent, interpolation=cv2.INTER_AREA), masks[0], masks[1]
