"""A lower rate whenever the validation Dice has stopped rising: the rule of torch's `ReduceLROnPlateau`."""

import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from seglib.config import Section


class Params(Section):
    """When the rate falls, and how far."""

    factor: Annotated[float, Field(gt=0, lt=1)]
    """What the rate is multiplied by when it falls."""
    patience: Annotated[int, Field(ge=0)]
    """Epochs in a row without a gain that are waited out; one more and the rate falls."""
    min_delta: Annotated[float, Field(ge=0)]
    """Smallest rise of the validation Dice that counts as a gain."""
    lowest: Annotated[float, Field(ge=0, le=1)]
    """Multiple of `train.lr` that it never falls below."""


def factor(params: Params, step: int, steps: int, scores: Sequence[float]) -> float:
    """The multiple of `train.lr` after epochs with these validation Dice, those of the warm-up included."""
    rate, best, waited = 1.0, -math.inf, 0
    for score in scores:
        if score > best + params.min_delta:
            best, waited = score, 0
            continue
        waited += 1
        if waited > params.patience:
            rate, waited = max(rate * params.factor, params.lowest), 0
    return rate
