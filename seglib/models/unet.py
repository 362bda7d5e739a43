"""MONAI's U-Net with residual units (Kerfoot et al., STACOM 2018; Ronneberger et al., MICCAI 2015)."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from seglib.sections.levels import Levels
from seglib.sections.network import Shape

if TYPE_CHECKING:
    from torch import nn


class Params(Levels):
    """Shape of the network."""

    DIMS: ClassVar = (2, 3)
    WIDTHS: ClassVar = "channels"
    num_res_units: Annotated[int, Field(ge=0, le=8)]


def build(params: Params, shape: Shape) -> "nn.Module":
    """MONAI's `UNet`."""
    from monai.networks.nets.unet import UNet

    return UNet(
        spatial_dims=shape.dims,
        in_channels=shape.channels,
        out_channels=shape.planes,
        channels=params.channels,
        strides=params.steps,  # pyright: ignore[reportArgumentType]  (its convolutions take one for each axis)
        num_res_units=params.num_res_units,
        dropout=params.dropout,
    )
