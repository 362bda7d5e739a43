"""One picture of several validation cases, for a board that watches the training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from seglib.io.resize import resize_image, resize_mask
from seglib.overlays import Palette, coloured, displayable, shown_slice

if TYPE_CHECKING:
    from torch import Tensor

    Pixels = np.ndarray | Tensor

CASES = 4
SIDE = 256
GAP = 4
WHITE = 255


def panel(
    images: "Sequence[Pixels]", masks: "Sequence[Pixels]", guesses: "Sequence[Pixels]", palette: Palette
) -> np.ndarray:
    """Draw the first four cases, at least one, each as a row of input | truth | prediction.

    images: raw, [channels, height, width] or [channels, depth, height, width]; masks, guesses: mask values,
    uint8, the same without channels; all on the CPU. Of volumes the slice with most foreground is shown.
    Returns RGB, uint8 [height, width, 3].
    """
    cases = list(zip(images, masks, guesses, strict=True))[:CASES]
    rows = [_cells(np.asarray(image), np.asarray(truth), np.asarray(guess), palette) for image, truth, guess in cases]
    height, width = (max(row[0].shape[axis] for row in rows) for axis in (0, 1))
    padded = [np.concatenate([_padded(cell, height, width) for cell in row], axis=1) for row in rows]
    return np.concatenate(padded)[:-GAP, :-GAP]


def _cells(image: np.ndarray, truth: np.ndarray, guess: np.ndarray, palette: Palette) -> list[np.ndarray]:
    image, truth, guess = shown_slice(np.moveaxis(image, 0, -1), truth, guess)
    scale = min(1.0, SIDE / max(truth.shape))
    shape = tuple(max(1, round(side * scale)) for side in truth.shape)
    rgb = resize_image(displayable(image), shape)
    return [rgb, *(coloured(rgb, resize_mask(mask, shape), palette) for mask in (truth, guess))]


def _padded(cell: np.ndarray, height: int, width: int) -> np.ndarray:
    missing = [(0, height + GAP - cell.shape[0]), (0, width + GAP - cell.shape[1]), (0, 0)]
    return np.pad(cell, missing, constant_values=WHITE)
