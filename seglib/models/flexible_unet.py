"""U-Net decoder on an EfficientNet (Tan and Le, ICML 2019), which may start from published weights."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from seglib.sections.network import EncoderNetwork, Shape

if TYPE_CHECKING:
    from torch import nn


class Params(EncoderNetwork):
    """Shape of the network."""

    DIMS: ClassVar = (2, 3)
    backbone: Literal["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7"]
    """Which EfficientNet, from the smallest to the largest."""
    decoder_channels: Annotated[list[Annotated[int, Field(ge=1, le=4096)]], Field(min_length=5, max_length=5)]
    """Feature maps a level of the decoder, from the bottom up."""
    dropout: Annotated[float, Field(ge=0, lt=1)]
    """Of the decoder."""
    upsample: Literal["deconv", "nontrainable", "pixelshuffle"]

    @property
    def divisor(self) -> int:
        """Five convolutions of stride two."""
        return 32


def build(params: Params, shape: Shape) -> "nn.Module":
    """MONAI's `FlexibleUNet` with random weights, whose encoder is without the classifier."""
    from monai.networks.nets.flexible_unet import FlexibleUNet

    network = FlexibleUNet(
        spatial_dims=shape.dims,
        in_channels=shape.channels,
        out_channels=shape.planes,
        backbone=f"efficientnet-{params.backbone}",
        pretrained=False,
        decoder_channels=tuple(params.decoder_channels),
        dropout=params.dropout,
        upsample=params.upsample,
        is_pad=False,
    )
    for part in ("_conv_head", "_conv_head_padding", "_bn1", "_avg_pooling", "_dropout", "_fc"):
        delattr(network.encoder, part)
    return network
