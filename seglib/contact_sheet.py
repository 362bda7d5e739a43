"""One picture of many samples: each image beside the same image with its mask coloured."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from seglib.io.images import write_png
from seglib.overlays import Palette, coloured, displayable

TILE = 128
LINE = 14
GAP = 2
COLUMNS = 6


@dataclass(frozen=True)
class Tile:
    """A sample on the sheet, with what is to be said of it."""

    name: str
    note: str
    image: np.ndarray
    mask: np.ndarray


def draw_sheet(path: Path, tiles: Sequence[Tile], palette: Palette) -> None:
    """Write the tiles row by row as PNG, each under its name and its note."""
    drawn = [_tile(tile, palette) for tile in tiles]
    drawn += [np.full_like(drawn[0], 255)] * (-len(drawn) % min(COLUMNS, len(drawn)))
    columns = min(COLUMNS, len(drawn))
    rows = [np.concatenate(drawn[start : start + columns], axis=1) for start in range(0, len(drawn), columns)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, np.concatenate(rows))


def _tile(tile: Tile, palette: Palette) -> np.ndarray:
    rgb = displayable(tile.image)
    panels = [_fitted(rgb), _fitted(coloured(rgb, tile.mask, palette))]
    gap = np.full((TILE, GAP, 3), 255, np.uint8)
    row = np.concatenate([panels[0], gap, panels[1]], axis=1)
    head = np.full((2 * LINE + 4, row.shape[1], 3), 255, np.uint8)
    for line, (text, colour) in enumerate([(tile.name, (0, 0, 0)), (tile.note, (176, 32, 32))]):
        place = (3, LINE * (line + 1) - 2)
        cv2.putText(head, _shortened(text), place, cv2.FONT_HERSHEY_SIMPLEX, 0.38, colour, 1, cv2.LINE_AA)
    framed = np.concatenate([head, row])
    return np.pad(framed, ((2, 6), (4, 4), (0, 0)), constant_values=255)


def _fitted(rgb: np.ndarray) -> np.ndarray:
    """The picture in the middle of a square tile."""
    height, width = rgb.shape[:2]
    scale = TILE / max(height, width)
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(rgb, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    tile = np.full((TILE, TILE, 3), 235, np.uint8)
    top, left = (TILE - shape[1]) // 2, (TILE - shape[0]) // 2
    tile[top : top + shape[1], left : left + shape[0]] = small
    return tile


def _shortened(text: str, most: int = 38) -> str:
    plain = text.encode("ascii", "replace").decode()
    return plain if len(plain) <= most else f"{plain[: most - 14]}...{plain[-11:]}"
