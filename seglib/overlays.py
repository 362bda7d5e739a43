"""Pictures of cases: image, truth and prediction side by side."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from seglib.io.images import write_png
from seglib.io.sample import IGNORE

OPACITY = 0.45
CAPTION = 22
GAP = 4
IGNORED_COLOUR = (128, 128, 128)


def spread(ranked: list[str], number: int) -> list[str]:
    """Pick `number` items evenly from first to last."""
    places = np.linspace(0, len(ranked) - 1, min(number, len(ranked))).round().astype(int)
    return [ranked[int(place)] for place in dict.fromkeys(places)]


def draw(
    path: Path,
    image: np.ndarray,
    truth: np.ndarray,
    guess: np.ndarray,
    colours: Sequence[tuple[int, int, int]],
    caption: str,
) -> None:
    """Write image | truth | prediction as PNG, under a caption line."""
    rgb = np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
    panels = [rgb, _coloured(rgb, truth, colours), _coloured(rgb, guess, colours)]
    gap = np.full((rgb.shape[0], GAP, 3), 255, np.uint8)
    row = np.concatenate([panels[0], gap, panels[1], gap, panels[2]], axis=1)
    head = np.full((CAPTION, row.shape[1], 3), 255, np.uint8)
    cv2.putText(head, caption, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, np.concatenate([head, row]))


def _coloured(rgb: np.ndarray, indices: np.ndarray, colours: Sequence[tuple[int, int, int]]) -> np.ndarray:
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(colours)] = colours
    palette[IGNORE] = IGNORED_COLOUR
    blended = (rgb * (1 - OPACITY) + palette[indices] * OPACITY).astype(np.uint8)
    blended = np.where((indices > 0)[:, :, None], blended, rgb)
    for index in range(1, len(colours)):
        outline, _ = cv2.findContours((indices == index).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(blended, outline, -1, palette[index].tolist(), 1)
    return blended
