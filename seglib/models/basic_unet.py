"""MONAI's BasicUNet: the U-Net of five levels (Ronneberger et al., MICCAI 2015), with norms and padded convolutions."""

from typing import TYPE_CHECKING

from seglib.sections.levels import FiveLevels
from seglib.sections.network import Shape

if TYPE_CHECKING:
    from torch import nn


class Params(FiveLevels):
    """Shape of the network."""


def build(params: Params, shape: Shape) -> "nn.Module":
    """MONAI's `BasicUNet`."""
    from monai.networks.nets.basic_unet import BasicUNet, UpCat

    network = BasicUNet(
        spatial_dims=shape.dims,
        in_channels=shape.channels,
        out_channels=shape.planes,
        features=params.features,
        norm=params.norm,
        dropout=params.dropout,
        upsample=params.upsample,
    )
    for block in network.modules():
        if isinstance(block, UpCat):
            block.is_pad = False  # of odd sides, which the divisor rules out; slow where CUDA is deterministic
    return network
