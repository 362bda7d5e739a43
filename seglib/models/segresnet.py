"""SegResNet: an encoder of residual blocks with a light decoder (Myronenko, BrainLes 2018), without its autoencoder."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from seglib.sections.network import Network, Shape

if TYPE_CHECKING:
    from torch import nn

GROUPS = 8
"""Of group norm, as in the paper."""
Blocks = Annotated[int, Field(ge=1, le=16)]


class Params(Network):
    """Shape of the network."""

    DIMS: ClassVar = (2, 3)
    init_filters: Annotated[int, Field(ge=GROUPS, le=512, multiple_of=GROUPS)]
    """Feature maps at full resolution; each level down has twice as many."""
    blocks_down: Annotated[list[Blocks], Field(min_length=2, max_length=8)]
    """Residual blocks a level of the encoder, from full resolution down."""
    blocks_up: list[Blocks]
    """Residual blocks a level of the decoder, from the bottom up."""
    norm: Literal["group", "batch", "instance"]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    """After the first convolution."""
    upsample: Literal["deconv", "nontrainable", "pixelshuffle"]

    @model_validator(mode="after")
    def _blocks_fit(self) -> Self:
        if len(self.blocks_up) != len(self.blocks_down) - 1:
            raise ValueError(f"blocks_up: {len(self.blocks_down)} levels down need {len(self.blocks_down) - 1} up")
        return self

    @property
    def divisor(self) -> int:
        """Each level halves the resolution."""
        return 2 ** (len(self.blocks_down) - 1)


def build(params: Params, shape: Shape) -> "nn.Module":
    """MONAI's `SegResNet`."""
    from monai.networks.nets.segresnet import SegResNet

    return SegResNet(
        spatial_dims=shape.dims,
        in_channels=shape.channels,
        out_channels=shape.planes,
        init_filters=params.init_filters,
        blocks_down=tuple(params.blocks_down),
        blocks_up=tuple(params.blocks_up),
        norm=("group", {"num_groups": GROUPS}) if params.norm == "group" else params.norm,
        dropout_prob=params.dropout,
        upsample_mode=params.upsample,
    )
