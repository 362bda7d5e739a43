"""Cityscapes' images and fine labels, as the authors' two archives unpack side by side."""

from pathlib import Path

import numpy as np

from tests.layouts import disc, save

CITIES = {"train": ("aachen", "bochum", "bremen"), "val": ("frankfurt", "lindau"), "test": ("berlin",)}
LICENCE = "This dataset is made freely available to academic and non-academic entities for non-commercial purposes."


def build(root: Path) -> dict[str, object]:
    """Two frames of each of six cities with all 34 label ids; the labels of the test side are empty."""
    for side, cities in CITIES.items():
        for city in cities:
            for frame in (19, 20):
                image, mask = disc(frame + sum(map(ord, city)))
                labels = annotation(mask) if side != "test" else mask * 0
                name = f"{city}_000000_{frame:06d}"
                save(root / "leftImg8bit" / side / city / f"{name}_leftImg8bit.png", image)
                save(root / "gtFine" / side / city / f"{name}_gtFine_labelIds.png", labels)
                save(root / "gtFine" / side / city / f"{name}_gtFine_instanceIds.png", labels)
                save(root / "gtFine" / side / city / f"{name}_gtFine_color.png", image)
                (root / "gtFine" / side / city / f"{name}_gtFine_polygons.json").write_text("{}")
    (root / "license.txt").write_text(LICENCE)
    return {}


def annotation(mask: np.ndarray) -> np.ndarray:
    """A car before stripes of all 34 label ids."""
    stripes = np.minimum(np.arange(mask.shape[1]), 33).astype(np.uint8)
    return np.where(mask == 1, np.uint8(26), np.broadcast_to(stripes, mask.shape)).astype(np.uint8)
