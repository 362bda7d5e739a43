"""A lower rate from each milestone on, as in the first residual networks (He et al., CVPR 2016)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import Field, field_validator

from seglib.config import Section


class Params(Section):
    """Where the rate falls, and how far."""

    milestones: Annotated[list[Annotated[float, Field(gt=0, lt=1)]], Field(min_length=1, max_length=20)]
    """Shares of the steps after the warm-up, rising."""
    gamma: Annotated[float, Field(gt=0, lt=1)]
    """What each milestone multiplies the rate by."""

    @field_validator("milestones")
    @classmethod
    def _rise(cls, value: list[float]) -> list[float]:
        if any(first >= second for first, second in pairwise(value)):
            raise ValueError("each must be above the one before")
        return value


def factor(params: Params, step: int, steps: int, scores: Sequence[float]) -> float:
    """The multiple of `train.lr` at `step` of `steps`."""
    return params.gamma ** sum(step / steps >= milestone for milestone in params.milestones)
