"""COCO's own layout, and those of CVAT and Roboflow."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as runs

from tests.layouts import disc, save

CATEGORIES = [
    {"id": 18, "name": "dog", "supercategory": "animal"},
    {"id": 3, "name": "car", "supercategory": "vehicle"},
]


def build(root: Path) -> dict[str, object]:
    """Ten images in `train2017` and `val2017`, their instances in `annotations`, beside captions."""
    for side, first, number in (("train2017", 0, 7), ("val2017", 7, 3)):
        names = [f"{i:012d}.jpg" for i in range(first, first + number)]
        for i, name in enumerate(names):
            save(root / side / name, disc(first + i)[0])
        write(root / "annotations" / f"instances_{side}.json", names, instances(first, number))
        (root / "annotations" / f"captions_{side}.json").write_text('{"images": [], "annotations": []}')
    return {}


def build_roboflow(root: Path) -> dict[str, object]:
    """Images beside the annotation file of each side, each twice, with the empty category of the project."""
    for side, first in (("train", 0), ("valid", 3), ("test", 6)):
        names = [f"photo{first + i}_jpg.rf.{copy}.jpg" for i in range(3) for copy in ("0a1b", "2c3d")]
        for i, name in enumerate(names):
            save(root / side / name, disc(first * 2 + i)[0])
        categories = [
            {"id": 0, "name": "pets", "supercategory": "none"},
            {"id": 3, "name": "car", "supercategory": "pets"},
        ]
        found = [dict(one, category_id=3) for one in instances(first * 2, 6)]
        write(root / side / "_annotations.coco.json", names, found, categories)
    return {}


def instances(first: int, number: int) -> list[dict[str, Any]]:
    """The disc of each image as polygon, compressed or uncompressed mask; the last image has a crowd."""
    found: list[dict[str, Any]] = []
    for i in range(number):
        mask = disc(first + i)[1]
        category = (3, 18)[i % 2]
        outline = (polygon, compressed, uncompressed)[i % 3](mask)
        found.append({"id": i + 1, "image_id": i, "category_id": category, "segmentation": outline, "iscrowd": 0})
    crowd = np.zeros((40, 48), np.uint8)
    crowd[:, :4] = 1
    found.append(
        {"id": 99, "image_id": number - 1, "category_id": 3, "segmentation": uncompressed(crowd), "iscrowd": 1}
    )
    return found


def polygon(mask: np.ndarray) -> list[list[float]]:
    """The outlines of a mask."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [contour.ravel().astype(float).tolist() for contour in contours]


def compressed(mask: np.ndarray) -> dict[str, Any]:
    """A mask as COCO's results have it."""
    stored: Any = runs.encode(np.asfortranarray(mask))
    return {"size": list(mask.shape), "counts": stored["counts"].decode()}


def uncompressed(mask: np.ndarray) -> dict[str, Any]:
    """A mask as COCO's crowds have it: run lengths column by column, the first one of zeros."""
    values = mask.ravel(order="F")
    ends = np.flatnonzero(np.diff(values)) + 1
    counts = np.diff([0, *ends.tolist(), values.size]).tolist()
    return {"size": list(mask.shape), "counts": ([0] if values[0] else []) + counts}


def write(
    file: Path, names: list[str], annotations: list[dict[str, Any]], categories: list[dict[str, Any]] | None = None
) -> None:
    """Write an annotation file of images of 48×40 pixels."""
    file.parent.mkdir(parents=True, exist_ok=True)
    images = [{"id": i, "file_name": name, "height": 40, "width": 48} for i, name in enumerate(names)]
    content = {"info": {}, "images": images, "annotations": annotations, "categories": categories or CATEGORIES}
    file.write_text(json.dumps(content))
