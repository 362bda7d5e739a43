"""DynUNet: the U-Net of nnU-Net (Isensee et al., Nature Methods 2021), with deep supervision."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from seglib.sections.levels import Levels, axes_misfits
from seglib.sections.network import Shape

if TYPE_CHECKING:
    from monai.networks.nets.dynunet import DynUNet
    from torch import Tensor, nn

Kernel = Annotated[int, Field(ge=1, le=7)]


class Params(Levels):
    """Shape of the network."""

    DIMS: ClassVar = (2, 3)
    WIDTHS: ClassVar = "channels"
    kernels: list[Kernel | Annotated[list[Kernel], Field(min_length=2, max_length=3)]]
    """Sides of the convolutions of each level, one number or one for each axis; empty: 3 everywhere."""
    residual: bool
    """Whether the blocks have residual connections."""
    norm: Literal["batch", "instance"]

    @model_validator(mode="after")
    def _levels_fit(self) -> Self:
        if len(self.channels) < 3:
            raise ValueError(f"channels: at least 3 levels (found {len(self.channels)})")
        if self.kernels and len(self.kernels) != len(self.channels):
            raise ValueError(f"kernels: {len(self.channels)} channels need as many kernels, or none")
        if any(side % 2 == 0 for kernel in self.kernels for side in ([kernel] if isinstance(kernel, int) else kernel)):
            raise ValueError("kernels: odd sides keep the size of an image")
        return self

    @property
    def outputs(self) -> int:
        """One for each level above the two lowest, as nnU-Net has."""
        return len(self.channels) - 1

    def misfits(self, dims: int) -> list[str]:
        """Strides and kernels for another number of axes."""
        return super().misfits(dims) + axes_misfits("kernels", self.kernels, dims)


def build(params: Params, shape: Shape) -> "nn.Module":
    """MONAI's `DynUNet`; coarse outputs are scaled to the image's size."""
    from monai.networks.nets.dynunet import DynUNet

    from seglib.auxiliary_outputs import AuxiliaryOutputs

    kernels = params.kernels or [3] * len(params.channels)
    network = DynUNet(
        spatial_dims=shape.dims,
        in_channels=shape.channels,
        out_channels=shape.planes,
        kernel_size=kernels,
        strides=[1, *params.steps],
        upsample_kernel_size=params.steps,
        filters=params.channels,
        dropout=params.dropout,
        norm_name=(params.norm, {"affine": True}),
        deep_supervision=shape.outputs > 1,
        deep_supr_num=max(1, shape.outputs - 1),
        res_block=params.residual,
    )
    _simplify(network)
    return AuxiliaryOutputs(network, _finest_first) if shape.outputs > 1 else network


def _simplify(network: "DynUNet") -> None:
    """Take MONAI's dropout of logits away, and the second name under which it keeps each block."""
    from monai.networks.blocks.dynunet_block import UnetOutBlock
    from torch import nn

    for head in network.modules():
        if isinstance(head, UnetOutBlock):
            head.conv.adn = nn.Identity()
    for part in [part for part, _ in network.named_children()]:
        if part not in ("skip_layers", "output_block"):
            delattr(network, part)


def _finest_first(network: "DynUNet", images: "Tensor") -> "Sequence[Tensor]":
    before = list(network.heads)
    logits = network(images)
    network.heads[:] = before  # with those of this call, and their graph, it could be neither copied nor exported
    return logits.unbind(1) if network.training else [logits]
