"""A network's outputs for deep supervision, in the form that every network of `seglib.models` gives them."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from seglib.padding import Logits


class AuxiliaryOutputs(nn.Module):
    """While training a list of logits, the finest first; else the finest alone (Lee et al., AISTATS 2015)."""

    def __init__(self, network: nn.Module, finest_first: Callable[[Any, Tensor], Sequence[Tensor]]) -> None:
        """`finest_first` calls `network` on images and gives logits [batch, planes, *space], all of their size."""
        super().__init__()
        self.network, self.finest_first = network, finest_first

    def forward(self, images: Tensor) -> Logits:
        """Images [batch, channels, *space] to logits of their size."""
        outputs = self.finest_first(self.network, images)
        return list(outputs) if self.training and len(outputs) > 1 else outputs[0]
