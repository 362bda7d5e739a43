"""Half a cosine down to nearly nothing (Loshchilov & Hutter, SGDR, 2017)."""

import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from seglib.config import Section


class Params(Section):
    """Shape of the curve."""

    final: Annotated[float, Field(ge=0, le=1)]
    """Multiple of `train.lr` at the end."""


def factor(params: Params, step: int, steps: int, scores: Sequence[float]) -> float:
    """The multiple of `train.lr` at `step` of `steps`."""
    return params.final + (1 - params.final) * 0.5 * (1 + math.cos(math.pi * (step / steps)))
