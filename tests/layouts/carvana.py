"""Carvana's training images and masks, as the competition's archives unpack."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.layouts import disc, save

CARS = ("0ed6904e1004", "1ae8a68a40e4", "fff9b3a5373f", "00087a6bd4dc")
VIEWS = (1, 5, 16)


def build(root: Path) -> dict[str, object]:
    """Three views of each of four cars; the masks are GIF with a palette of black and white."""
    for car in CARS:
        for view in VIEWS:
            image, mask = disc(int(car[:5], 16) + view)
            save(root / "train" / f"{car}_{view:02d}.jpg", image)
            save_palette(root / "train_masks" / f"{car}_{view:02d}_mask.gif", mask)
    return {}


def save_palette(path: Path, mask: np.ndarray) -> None:
    """Write a mask of palette indices."""
    path.parent.mkdir(parents=True, exist_ok=True)
    indexed = Image.fromarray(mask).convert("P")
    indexed.putpalette([0, 0, 0, 255, 255, 255, 128, 128, 128][: 3 * (int(mask.max()) + 1)])
    indexed.save(path)
