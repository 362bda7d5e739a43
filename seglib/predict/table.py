"""`cases.csv`: how much of each image a class covers, and in how many parts."""

import csv
import io
import math
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np

from seglib.checkpoint import Card
from seglib.io.planes import class_planes
from seglib.predict.files import write_atomically
from seglib.predict.objects import count_objects

Row = tuple[str | int | float, ...]
CASES_HEADER: Row = ("id", "class", "pixels", "area_mm2", "volume_ml", "share", "components")
FAILED_HEADER: Row = ("id", "reason")
DIGITS = 6
"""Behind the point."""


def class_rows(name: str, mask: np.ndarray, spacing: tuple[float, ...] | None, card: Card) -> list[Row]:
    """A row for each foreground class of a mask, mask values uint8 [*shape]; `spacing` in mm, where it is known.

    `pixels` are voxels in a volume, `share` is that of the whole image, `components` are the parts that hang together
    over sides, edges and corners. There is an area for images, a volume in ml for volumes, and neither without
    spacing.
    """
    rows: list[Row] = []
    planes = class_planes(mask, len(card.classes), overlapping=card.overlapping)
    for label, plane in islice(zip(card.classes, planes, strict=True), 1, None):
        pixels = int(np.count_nonzero(plane))
        extent = round(pixels * math.prod(spacing) / (1 if mask.ndim == 2 else 1000), DIGITS) if spacing else ""
        extents = (extent, "") if mask.ndim == 2 else ("", extent)
        rows.append((name, label, pixels, *extents, round(pixels / mask.size, DIGITS), count_objects(plane)))
    return rows


def write_table(path: Path, header: Row, rows: Iterable[Row]) -> None:
    """Write a CSV file, at once or not at all."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    write_atomically(path, text.getvalue().encode())
