"""A power of the share of steps that is left (Chen et al., DeepLab, 2018; nnU-Net takes 0.9)."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from seglib.config import Section


class Params(Section):
    """Shape of the curve."""

    power: Annotated[float, Field(gt=0, le=10)]
    """1: a straight line; below 1 the rate falls late, above 1 early."""
    final: Annotated[float, Field(ge=0, le=1)]
    """Multiple of `train.lr` at the end."""


def factor(params: Params, step: int, steps: int, scores: Sequence[float]) -> float:
    """The multiple of `train.lr` at `step` of `steps`."""
    return params.final + (1 - params.final) * (1 - step / steps) ** params.power
