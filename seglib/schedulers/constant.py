"""The full learning rate from the warm-up to the end."""

from collections.abc import Sequence

from seglib.config import Section


class Params(Section):
    """There is nothing to choose."""


def factor(params: Params, step: int, steps: int, scores: Sequence[float]) -> float:
    """The multiple of `train.lr` at `step` of `steps`: 1."""
    return 1.0
