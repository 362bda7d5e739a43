"""What each class weighs in the loss."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from seglib.errors import SegError
from seglib.head import Head


def class_weights(wanted: Literal["none", "balanced"] | list[float], head: Head, frequencies: Sequence[int]) -> Tensor:
    """The weight of each plane of the head, float32 with mean 1.

    `frequencies`: pixels of each class on the training side, the background first. balanced: all pixels / pixels of
    the class, up to the mean that of scikit-learn's `balanced` and of King & Zeng (Political Analysis 9, 2001); a
    class that never occurs weighs what the rarest does that occurs. Raises SegError for a list of the wrong length
    or without a positive weight.
    """
    if wanted == "none":
        return torch.ones(head.planes)
    first = head.classes - head.planes
    numbers = _balanced(frequencies[first:]) if wanted == "balanced" else _listed(wanted, head)[first:]
    weights = torch.tensor(numbers, dtype=torch.float64)
    if not weights.any():
        raise SegError(f"loss.class_weights: every class that the {head.planes} outputs stand for weighs 0; raise one")
    return (weights / weights.mean()).float()


def _balanced(frequencies: Sequence[int]) -> list[float]:
    rarest = min((pixels for pixels in frequencies if pixels), default=1)
    return [1 / (pixels or rarest) for pixels in frequencies]


def _listed(wanted: Sequence[float] | str, head: Head) -> list[float]:
    if len(wanted) != head.classes:
        raise SegError(
            f"loss.class_weights: {len(wanted)} numbers for {head.classes} classes; "
            "give one a class, the background first"
        )
    return [float(weight) for weight in wanted]
