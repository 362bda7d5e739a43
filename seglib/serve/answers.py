"""A segmented image as the endpoint tells it."""

import base64
from itertools import islice
from typing import Any

import numpy as np

from seglib.checkpoint import Card
from seglib.io.encoding import as_jpeg, as_png
from seglib.io.planes import class_planes
from seglib.io.resize import resize_image, resize_mask
from seglib.overlays import displayable
from seglib.predict.table import class_rows

LARGEST = 2048
"""Pixels of the longest side of what is only looked at."""


def describe_model(name: str, card: Card) -> dict[str, Any]:
    """What a client may know of the model."""
    return {
        "name": name,
        "architecture": card.model,
        "dataset": card.dataset["name"],
        "modality": card.dataset["modality"],
        "classes": card.classes,
        "data": card.data,
    }


def describe(image: np.ndarray, mask: np.ndarray, card: Card) -> dict[str, Any]:
    """Classes with their areas, the mask, and an overlay to be laid over the picture.

    image: [height, width, channels]; mask: mask values, uint8 [height, width]. The mask has the image's size, one
    grey value a class; picture and overlay are made smaller where their longest side exceeds 2048 pixels.
    """
    height, width = mask.shape
    scale = min(1, LARGEST / max(height, width))
    seen = (max(1, round(height * scale)), max(1, round(width * scale)))
    return {
        "width": width,
        "height": height,
        "classes": _classes(mask, card),
        "mask": _text(as_png(mask)),
        "overlay": _text(as_png(_layer(resize_mask(mask, seen), card))),
        "picture": _text(as_jpeg(resize_image(np.ascontiguousarray(displayable(image)), seen))),
    }


def _classes(mask: np.ndarray, card: Card) -> list[dict[str, Any]]:
    """Each foreground class with its pixels, and how many parts they hang together in over sides and corners."""
    rows = zip(class_rows("", mask, None, card), card.colours[1:], strict=True)
    return [
        {
            "name": name,
            "value": 1 << index if card.overlapping else index + 1,
            "colour": "#{:02x}{:02x}{:02x}".format(*colour),
            "pixels": pixels,
            "share": share,
            "components": components,
        }
        for index, ((_, name, pixels, _, _, share, components), colour) in enumerate(rows)
    ]


def _layer(mask: np.ndarray, card: Card) -> np.ndarray:
    """The classes in their colours, RGBA [height, width, 4], mixed where they overlap, and nothing elsewhere."""
    mixed, number = np.zeros((*mask.shape, 3), np.uint16), np.zeros((*mask.shape, 1), np.uint16)
    planes = class_planes(mask, len(card.classes), overlapping=card.overlapping)
    for plane, colour in islice(zip(planes, card.colours, strict=True), 1, None):
        mixed[plane] += np.array(colour, np.uint16)
        number[plane] += 1
    opaque = np.where(number > 0, 255, 0)
    return np.concatenate([mixed // np.maximum(number, 1), opaque], axis=2).astype(np.uint8)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
