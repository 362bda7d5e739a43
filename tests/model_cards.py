"""Cards of small models, for tests of what reads them."""

from dataclasses import replace
from typing import Any

from seglib.checkpoint import Card
from seglib.sections.pixels import Pixels

PIXELS = Pixels(
    image_size=0.5, resize="stretch", spacing=[], window=[-100.0, 100.0], percentiles=[0.0, 100.0]
).model_dump()
CARD = Card(
    model="unet",
    options={"channels": [4, 8], "strides": [], "num_res_units": 0, "dropout": 0.0},
    dims=2,
    outputs=1,
    sigmoid=False,
    padding=True,
    dataset={
        "name": "own",
        "take": "axial",
        "channels": 3,
        "classes": [{"name": "background", "colour": [0, 0, 0]}, {"name": "bright", "colour": [9, 9, 9]}],
        "modality": "photograph",
        "licence": "none",
        "citation": "",
        "overlapping": False,
    },
    pixels=PIXELS,
    versions={},
    types=["uint8"],
    data="0" * 64,
    seen=[],
)

PLAIN_PREDICT: dict[str, Any] = {
    "threshold": 0.5,
    "overlap": 0.5,
    "flips": False,
    "rotations": False,
    "scales": [1.0],
    "ensemble": [],
    "min_pixels": 0,
    "fill_holes": 0,
}
"""The section `predict` that changes nothing."""


def card(**changed: Any) -> Card:
    """The card with other fields, of its own, of its data set or of its pixels."""
    dataset = {key: changed.pop(key) for key in list(changed) if key in CARD.dataset}
    own = {key: changed.pop(key) for key in list(changed) if key in vars(CARD)}
    return replace(CARD, dataset=CARD.dataset | dataset, pixels=PIXELS | changed, **own)
