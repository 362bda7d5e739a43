"""`export`: which files are made of the trained model, and how they are compared with it."""

from typing import Annotated

from pydantic import AfterValidator, Field

from seglib.config import Section
from seglib.errors import nearest

VARIANTS = (
    "onnx",
    "onnx_fp16",
    "onnx_int8",
    "openvino",
    "openvino_fp16",
    "openvino_int8",
    "torchscript",
    "program",
    "tensorrt",
)
"""Names of all variants; `seglib.export.variants` knows how each is made."""


def _is_known(name: str) -> str:
    if name not in VARIANTS:
        raise ValueError(f"no such variant; {nearest(name, VARIANTS)}")
    return name


def _are_different(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("a variant counts once")
    return names


class Export(Section):
    """Options of the export."""

    variants: Annotated[list[Annotated[str, AfterValidator(_is_known)]], AfterValidator(_are_different)]
    """Files to make, of VARIANTS; empty: none."""
    max_dice_drop: Annotated[float, Field(ge=0, le=1)]
    """Dice on the validation side that a variant may lose against the torch model that it was made of."""
    calibration: Annotated[int, Field(ge=1)]
    """Images of the validation side that the ranges of 8-bit values are found on; all where there are fewer."""
    rounds: Annotated[int, Field(ge=0)]
    """Turns of every variant in the timing; 0: nothing is timed."""
    confidence: Annotated[float, Field(gt=0.5, le=0.999)]
    """Of the intervals of the drops."""
