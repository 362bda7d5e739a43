"""Pictures of cases: image, truth and prediction side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from seglib.io.images import write_png
from seglib.io.planes import class_planes
from seglib.io.sample import IGNORE

OPACITY = 0.45
CAPTION = 22
GAP = 4
IGNORED_COLOUR = (128, 128, 128)


@dataclass(frozen=True)
class Palette:
    """RGB colours of the classes, and whether these overlap."""

    colours: Sequence[tuple[int, int, int]]
    overlapping: bool = False


def spread(ranked: list[str], number: int) -> list[str]:
    """Pick `number` items evenly from first to last."""
    places = np.linspace(0, len(ranked) - 1, min(number, len(ranked))).round().astype(int)
    return [ranked[int(place)] for place in dict.fromkeys(places)]


def draw(path: Path, image: np.ndarray, truth: np.ndarray, guess: np.ndarray, palette: Palette, caption: str) -> None:
    """Write image | truth | prediction as PNG, under a caption line; of a volume one slice.

    image: [height, width, channels] or [depth, height, width, channels]; masks: the same without channels.
    """
    image, truth, guess = shown_slice(image, truth, guess)
    rgb = displayable(image)
    panels = [rgb, coloured(rgb, truth, palette), coloured(rgb, guess, palette)]
    gap = np.full((rgb.shape[0], GAP, 3), 255, np.uint8)
    row = np.concatenate([panels[0], gap, panels[1], gap, panels[2]], axis=1)
    head = np.full((CAPTION, row.shape[1], 3), 255, np.uint8)
    cv2.putText(head, caption, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, np.concatenate([head, row]))


def shown_slice(image: np.ndarray, truth: np.ndarray, guess: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut a volume, and its masks, to the slice in which these together show most foreground.

    Where they show none it is the middle one. A plane stays as it is.
    """
    if truth.ndim == 2:
        return image, truth, guess
    foreground = [(mask > 0) & (mask != IGNORE) for mask in (truth, guess)]
    pixels = (foreground[0] | foreground[1]).sum((1, 2))
    place = int(pixels.argmax()) if pixels.any() else len(pixels) // 2
    return image[place], truth[place], guess[place]


def displayable(image: np.ndarray) -> np.ndarray:
    """Any image [height, width, channels] as uint8 RGB; what has no 8 bits is stretched to its own range."""
    shown = image if image.dtype == np.uint8 else _stretched(image)
    return shown[..., :3] if shown.shape[2] >= 3 else np.repeat(shown[..., :1], 3, axis=2)


def coloured(rgb: np.ndarray, mask: np.ndarray, palette: Palette) -> np.ndarray:
    """The picture under the mask's classes, each with its outline; ignored pixels are grey."""
    blended = rgb.copy()
    planes = list(class_planes(mask, len(palette.colours), overlapping=palette.overlapping))[1:]
    layers = [(mask == IGNORE, IGNORED_COLOUR), *zip(planes, palette.colours[1:], strict=True)]
    for plane, colour in layers:
        blended[plane] = (blended[plane] * (1 - OPACITY) + np.array(colour) * OPACITY).astype(np.uint8)
    for plane, colour in layers[1:]:
        outline, _ = cv2.findContours(plane.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(blended, outline, -1, tuple(map(int, colour)), 1)
    return blended


def _stretched(image: np.ndarray) -> np.ndarray:
    low, high = float(image.min()), float(image.max())
    return ((image.astype(np.float32) - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)
