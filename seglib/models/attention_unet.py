"""Attention U-Net: gates on the skip connections (Oktay et al., MIDL 2018)."""

from typing import TYPE_CHECKING, ClassVar

from seglib.sections.levels import Levels
from seglib.sections.network import Shape

if TYPE_CHECKING:
    from torch import nn


class Params(Levels):
    """Shape of the network."""

    DIMS: ClassVar = (2, 3)


def build(params: Params, shape: Shape) -> "nn.Module":
    """MONAI's `AttentionUnet`.

    Raises SegError where strides name another number of axes.
    """
    from monai.networks.nets.attentionunet import AttentionUnet

    return AttentionUnet(
        spatial_dims=shape.dims,
        in_channels=shape.channels,
        out_channels=shape.planes,
        channels=params.channels,
        strides=params.steps,  # pyright: ignore[reportArgumentType]  (its convolutions take one for each axis)
        dropout=params.dropout,
    )
