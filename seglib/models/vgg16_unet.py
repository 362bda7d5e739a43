"""A U-Net on VGG16, as TernausNet is on VGG11 (Iglovikov and Shvets, arXiv 1801.05746)."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from seglib.sections.network import EncoderNetwork, Shape

if TYPE_CHECKING:
    from torch import nn


class Params(EncoderNetwork):
    """The encoder's variant and the decoder's width."""

    batch_norm: bool
    """Whether the encoder is `vgg16_bn` instead of `vgg16`; the decoder has norms in any case."""
    decoder_channels: Annotated[list[Annotated[int, Field(ge=1, le=4096)]], Field(min_length=4, max_length=4)]
    """Feature maps of the decoder's levels, from the bottom up."""

    @property
    def divisor(self) -> int:
        """Of four halvings."""
        return 16


def build(params: Params, shape: Shape) -> "nn.Module":
    """The encoder's thirteen convolutions, the last at stride 16, and a decoder to full resolution."""
    from seglib.encoder_unet import EncoderUNet
    from seglib.encoders.vgg import VGG16

    encoder = VGG16(shape.channels, batch_norm=params.batch_norm)
    return EncoderUNet(encoder, params.decoder_channels, shape.planes)
