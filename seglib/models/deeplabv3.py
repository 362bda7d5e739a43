"""DeepLabV3 (Chen et al., arXiv 1706.05587) as torchvision builds it."""

from typing import TYPE_CHECKING

from seglib.sections.deeplab import DeepLab
from seglib.sections.network import Shape

if TYPE_CHECKING:
    from torch import nn


class Params(DeepLab):
    """The encoder and its pyramid."""


def build(params: Params, shape: Shape) -> "nn.Module":
    """A dilated encoder, the pyramid and one more convolution; takes torchvision's whole files, too."""
    from seglib.deeplab import DeepLabV3

    return DeepLabV3(params, shape)
