"""Swin UNETR: a Swin transformer as encoder of a convolutional decoder (Hatamizadeh et al., BrainLes 2021)."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from seglib.sections.network import Network, Shape

if TYPE_CHECKING:
    from torch import nn

Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1, le=64)]
STAGES = 4


class Params(Network):
    """Shape of the network."""

    DIMS: ClassVar = (2, 3)
    ANY_SIZE: ClassVar = False
    feature_size: Annotated[int, Field(ge=12, le=768, multiple_of=12)]
    """Feature maps at half resolution; each stage has twice as many as the last."""
    depths: Annotated[list[Count], Field(min_length=STAGES, max_length=STAGES)]
    """Transformer blocks a stage."""
    num_heads: Annotated[list[Count], Field(min_length=STAGES, max_length=STAGES)]
    """Attention heads a stage."""
    window: Annotated[int, Field(ge=2, le=32)]
    """Side of the windows of attention, in tokens."""
    norm: Literal["instance", "batch"]
    """Of the convolutional blocks."""
    dropout: Share
    attention_dropout: Share
    drop_path: Share
    """Chance of the last block to be skipped, rising evenly from 0 at the first."""
    residual: bool
    """Whether each stage starts with a residual convolution, as in Swin UNETR v2."""
    checkpoint: bool
    """Whether activations of the transformer are computed again for the backward pass, to save memory."""

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        for stage, heads in enumerate(self.num_heads):
            if self.feature_size * 2**stage % heads:
                raise ValueError(f"num_heads: {self.feature_size * 2**stage} feature maps do not part into {heads}")
        return self

    @property
    def divisor(self) -> int:
        """Patches of two pixels a side, halved by each stage."""
        return 2 ** (1 + STAGES)


def build(params: Params, shape: Shape) -> "nn.Module":
    """MONAI's `SwinUNETR`."""
    from monai.networks.nets.swin_unetr import SwinUNETR

    return SwinUNETR(
        spatial_dims=shape.dims,
        in_channels=shape.channels,
        out_channels=shape.planes,
        feature_size=params.feature_size,
        depths=params.depths,
        num_heads=params.num_heads,
        window_size=params.window,
        norm_name=params.norm,
        drop_rate=params.dropout,
        attn_drop_rate=params.attention_dropout,
        dropout_path_rate=params.drop_path,
        use_v2=params.residual,
        use_checkpoint=params.checkpoint,
    )
