"""MONAI's U-Net with residual units (Kerfoot et al., STACOM 2018; Ronneberger et al., MICCAI 2015)."""

import math
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from seglib.config import Section

if TYPE_CHECKING:
    from torch import nn


class Params(Section):
    """Shape of the network."""

    channels: Annotated[list[Annotated[int, Field(ge=1, le=4096)]], Field(min_length=2, max_length=10)]
    """Feature maps a level, from full resolution down."""
    strides: Annotated[list[Annotated[int, Field(ge=1, le=4)]], Field(min_length=0, max_length=9)]
    """Down-scaling from each level to the next; empty: 2 everywhere."""
    num_res_units: Annotated[int, Field(ge=0, le=8)]
    dropout: Annotated[float, Field(ge=0, lt=1)]

    @model_validator(mode="after")
    def _strides_fit(self) -> Self:
        if self.strides and len(self.strides) != len(self.channels) - 1:
            raise ValueError(f"strides: {len(self.channels)} channels need {len(self.channels) - 1} strides, or none")
        return self


def build(params: Params, in_channels: int, classes: int) -> "nn.Module":
    """MONAI's `UNet`, padded inside so that it takes any input size."""
    from monai.networks.nets.unet import UNet

    from seglib.padding import Padded

    strides = params.strides or [2] * (len(params.channels) - 1)
    network = UNet(
        spatial_dims=2,
        in_channels=in_channels,
        out_channels=classes,
        channels=params.channels,
        strides=strides,
        num_res_units=params.num_res_units,
        dropout=params.dropout,
    )
    return Padded(network, math.prod(strides))
