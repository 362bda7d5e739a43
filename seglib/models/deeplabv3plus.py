"""DeepLabV3+ (Chen et al., ECCV 2018)."""

from typing import TYPE_CHECKING

from seglib.sections.deeplab import DeepLab
from seglib.sections.network import Shape

if TYPE_CHECKING:
    from torch import nn


class Params(DeepLab):
    """The encoder and its pyramid."""


def build(params: Params, shape: Shape) -> "nn.Module":
    """A dilated encoder, the pyramid, and a decoder that adds the encoder's features of stride 4."""
    from seglib.deeplab import DeepLabV3Plus

    return DeepLabV3Plus(params, shape)
