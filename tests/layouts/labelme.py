"""LabelMe's annotation files beside their photographs."""

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.layouts import disc, save

LABELS = ("__ignore__", "_background_", "person", "tv/monitor")


def build(root: Path) -> dict[str, object]:
    """Ten photographs, every other embedded in its file; every kind of shape occurs."""
    folder = root / "semantic_segmentation/data_annotated"
    for i in range(10):
        image, mask = disc(i)
        name = f"2011_{i:06d}"
        content = cv2.imencode(".jpg", image[..., ::-1])[1].tobytes()
        shapes = [outline("person", mask), *others(i)]
        if i % 2:
            write(folder / f"{name}.json", shapes, f"{name}.jpg", base64.b64encode(content).decode())
            continue
        save(folder / f"{name}.jpg", image)
        write(folder / f"{name}.json", shapes, f"{name}.jpg")
    (root / "semantic_segmentation/labels.txt").write_text("\n".join(LABELS))
    return {}


def outline(label: str, mask: np.ndarray) -> dict[str, Any]:
    """The polygon around a mask."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return shape(label, "polygon", contours[0][:, 0].astype(float).tolist())


def others(number: int) -> list[dict[str, Any]]:
    """A shape of another kind for each number."""
    kinds = [
        shape("tv/monitor", "rectangle", [[9.0, 8.0], [2.0, 2.0]], group_id=3),
        shape("tv/monitor", "circle", [[6.0, 6.0], [6.0, 9.0]]),
        shape("tv/monitor", "linestrip", [[2.0, 30.0], [20.0, 36.0], [40.0, 30.0]]),
        shape("__ignore__", "point", [[42.0, 6.0]]),
        {**shape("tv/monitor", "mask", [[3.0, 4.0], [10.0, 8.0]]), "mask": stored(np.ones((5, 8), np.uint8))},
    ]
    return [kinds[number % 5]]


def shape(label: str, kind: str, points: list[list[float]], **more: Any) -> dict[str, Any]:
    """One shape as LabelMe writes it."""
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}, **more}


def stored(mask: np.ndarray) -> str:
    """A mask of 0 and 1 as LabelMe embeds it."""
    return base64.b64encode(cv2.imencode(".png", mask * 255)[1].tobytes()).decode()


def write(file: Path, shapes: list[dict[str, Any]], image: str, embedded: str | None = None, **more: Any) -> None:
    """Write an annotation file of a 48×40 image."""
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {"version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": image, "imageData": embedded}
    file.write_text(json.dumps({**content, "imageHeight": 40, "imageWidth": 48, **more}))
