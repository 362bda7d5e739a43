"""The training folders of the Data Science Bowl 2018, as the competition's archive unpacks."""

from hashlib import sha256
from pathlib import Path

import numpy as np

from tests.layouts import disc, save

SIZES = ((40, 48), (48, 40), (52, 52))


def build(root: Path) -> dict[str, object]:
    """Nine opaque RGBA images of three sizes, each with two or three nuclei."""
    for i in range(9):
        height, width = SIZES[i % 3]
        case = sha256(str(i).encode()).hexdigest()
        folder = root / "stage1_train" / case
        image, _ = disc(i, height, width)
        save(folder / "images" / f"{case}.png", np.dstack([image, np.full((height, width), 255, np.uint8)]))
        for nucleus in range(2 + i % 2):
            name = sha256(f"{i}/{nucleus}".encode()).hexdigest()
            save(folder / "masks" / f"{name}.png", disc(i + nucleus, height, width)[1] * 255)
    return {}
