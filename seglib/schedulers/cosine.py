"""Linear warm-up, then half a cosine down to nearly nothing (Loshchilov & Hutter, SGDR, 2017)."""

import math
from typing import Annotated

from pydantic import Field

from seglib.config import Section


class Params(Section):
    """Shape of the curve."""

    warmup: Annotated[float, Field(ge=0, lt=1)]
    """Share of all steps in which the learning rate rises to `train.lr`."""
    final: Annotated[float, Field(ge=0, le=1)]
    """Multiple of `train.lr` at the end."""


def factor(params: Params, step: int, steps: int) -> float:
    """The multiple of `train.lr` at `step` of `steps`."""
    warmup = round(params.warmup * steps)
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return params.final + (1 - params.final) * 0.5 * (1 + math.cos(math.pi * progress))
