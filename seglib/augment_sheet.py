"""One picture of what training sees: samples as the cache has them, then as they are augmented epoch by epoch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from seglib.errors import SegError
from seglib.io.images import write_png
from seglib.io.resize import resize_image, resize_mask
from seglib.loading import CachedSamples
from seglib.overlays import Palette, coloured, displayable, shown_slice, spread
from seglib.paths import CACHE, INDEX, SPLIT
from seglib.training_setup import Setup

SHEET = Path("reports/augment.png")
SIDE = 192
GAP = 4
WHITE = 255


def write_sheet(params: Mapping[str, Any], samples: int, draws: int) -> list[str]:
    """Write `reports/augment.png` of so many training samples, and of each the epochs 1 to `draws`.

    Returns the ids, a row each. Raises SegError before cache and split are there.
    """
    if samples < 1 or draws < 1:
        raise SegError(f"seg augment: --samples {samples} --draws {draws}: both must be at least 1")
    if absent := [str(path) for path in (INDEX, CACHE, SPLIT) if not path.exists()]:
        raise SegError(f"seg augment: {', '.join(absent)} not found; run `dvc repro split` first")
    setup = Setup(params, INDEX, CACHE, SPLIT)
    side, dataset = setup.training_side(), setup.card.dataset
    palette = Palette([tuple(entry["colour"]) for entry in dataset["classes"]], dataset["overlapping"])
    chosen = spread(list(side.ids), samples)
    SHEET.parent.mkdir(parents=True, exist_ok=True)
    write_png(SHEET, sheet(side, [side.ids.index(name) for name in chosen], draws, palette))
    return chosen


def sheet(samples: CachedSamples, places: Sequence[int], draws: int, palette: Palette) -> np.ndarray:
    """Draw a row for each place: the stored sample, then what epochs 1 to `draws` make of it, masks coloured.

    Of volumes the slice with most foreground is shown. Returns RGB, uint8 [height, width, 3].
    """
    stored = CachedSamples(samples.cache, samples.ids)
    rows = [
        [stored[place], *(samples[epoch, place] for epoch in range(1, draws + 1))]
        for place in places
    ]  # fmt: skip
    cells = [[_cell(image, mask, palette) for image, mask in row] for row in rows]
    return np.concatenate([np.concatenate(row, axis=1) for row in cells])[:-GAP, :-GAP]


def _cell(image: Tensor, mask: Tensor, palette: Palette) -> np.ndarray:
    """The picture in the middle of a square, with a gap on the right and below."""
    plane, labels, _ = shown_slice(np.moveaxis(image.numpy(), 0, -1), mask.numpy(), mask.numpy())
    scale = SIDE / max(labels.shape)
    shape = tuple(max(1, round(side * scale)) for side in labels.shape)
    rgb = coloured(resize_image(displayable(plane), shape), resize_mask(labels, shape), palette)
    cell = np.full((SIDE + GAP, SIDE + GAP, 3), WHITE, np.uint8)
    top, left = (SIDE - shape[0]) // 2, (SIDE - shape[1]) // 2
    cell[top : top + shape[0], left : left + shape[1]] = rgb
    return cell
