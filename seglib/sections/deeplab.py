"""The options that DeepLabV3 and DeepLabV3+ share."""

from typing import Annotated, Literal

from pydantic import Field

from seglib.sections.network import EncoderNetwork


class DeepLab(EncoderNetwork):
    """The encoder and the pyramid of dilated convolutions on it."""

    encoder: Literal["resnet18", "resnet34", "resnet50", "resnet101", "mobilenet_v3_large"]
    output_stride: Literal[8, 16]
    """Pixels of the image that a step in the encoder's last features stands for."""
    rates: Annotated[list[Annotated[int, Field(ge=1, le=256)]], Field(max_length=8)]
    """Dilations of the pyramid; empty: those of the paper for the output stride."""
    dropout: Annotated[float, Field(ge=0, lt=1)]
    """Of the pyramid's features."""

    @property
    def divisor(self) -> int:
        """The output stride: other sizes run as well, but their features are interpolated to beside their place."""
        return self.output_stride

    @property
    def dilations(self) -> list[int]:
        """6, 12 and 18 at output stride 16, twice these at 8 (Chen et al., arXiv 1706.05587, section 3.3)."""
        return self.rates or [rate * 16 // self.output_stride for rate in (6, 12, 18)]
