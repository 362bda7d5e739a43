"""MobileNetV3-Large (Howard et al., ICCV 2019) without its classifier, dilated on request."""

from functools import partial
from typing import ClassVar, NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from seglib.encoders.layers import BatchNorm, convolution, normalised

NORM = partial(BatchNorm, eps=0.001, momentum=0.01)


class Row(NamedTuple):
    """A block of Table 1 of the paper."""

    kernel: int
    expanded: int
    outputs: int
    squeezed: int
    """Feature maps inside squeeze-and-excitation: a quarter of the expanded ones, in eights; 0: there is none."""
    activation: type[nn.Module]
    stride: int


RELU, SWISH = nn.ReLU, nn.Hardswish
BLOCKS = (
    Row(3, 16, 16, 0, RELU, 1),
    Row(3, 64, 24, 0, RELU, 2),
    Row(3, 72, 24, 0, RELU, 1),
    Row(5, 72, 40, 24, RELU, 2),
    Row(5, 120, 40, 32, RELU, 1),
    Row(5, 120, 40, 32, RELU, 1),
    Row(3, 240, 80, 0, SWISH, 2),
    Row(3, 200, 80, 0, SWISH, 1),
    Row(3, 184, 80, 0, SWISH, 1),
    Row(3, 184, 80, 0, SWISH, 1),
    Row(3, 480, 112, 120, SWISH, 1),
    Row(3, 672, 112, 168, SWISH, 1),
    Row(5, 672, 160, 168, SWISH, 2),
    Row(5, 960, 160, 240, SWISH, 1),
    Row(5, 960, 160, 240, SWISH, 1),
)
STEM, LAST = 16, 960
"""Feature maps of the first and of the last convolution."""


class SqueezeExcitation(nn.Module):
    """Weights feature maps by what all pixels say together (Hu et al., CVPR 2018)."""

    def __init__(self, channels: int, squeezed: int) -> None:
        """Build for `channels` feature maps."""
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """The weighted features."""
        pooled = features.mean((2, 3), keepdim=True)
        return features * F.hardsigmoid(self.fc2(F.relu(self.fc1(pooled))))


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, squeeze-and-excitation and projection, with a shortcut where shapes agree."""

    def __init__(self, inputs: int, row: Row, stride: int, dilation: int) -> None:
        """Build for `inputs` feature maps."""
        super().__init__()
        expand = [normalised(convolution(inputs, row.expanded, 1), row.activation, NORM)]
        depthwise = convolution(row.expanded, row.expanded, row.kernel, stride, dilation, row.expanded)
        self.block = nn.Sequential(
            *(expand if row.expanded != inputs else []),
            normalised(depthwise, row.activation, NORM),
            *([SqueezeExcitation(row.expanded, row.squeezed)] if row.squeezed else []),
            normalised(convolution(row.expanded, row.outputs, 1), nn.Identity, NORM),
        )
        self.shortcut = row.stride == 1 and inputs == row.outputs

    def forward(self, features: Tensor) -> Tensor:
        """Features of the block."""
        return self.block(features) + features if self.shortcut else self.block(features)


class MobileNetV3Large(nn.Module):
    """The network, named as in torchvision's file of `mobilenet_v3_large`.

    A block that would go beyond `output_stride` keeps its resolution; it and those behind dilate their depthwise
    convolutions instead.
    """

    channels: ClassVar = (24, 40, 112, LAST)
    """Feature maps of each output."""
    TAPS: ClassVar = (3, 6, 12)
    """The last blocks at strides 4, 8 and 16."""

    def __init__(self, channels: int, output_stride: int) -> None:
        """Build for images of `channels` channels."""
        super().__init__()
        layers: list[nn.Module] = [normalised(convolution(channels, STEM, 3, stride=2), SWISH, NORM)]
        inputs, reached, dilation = STEM, 2, 1
        for row in BLOCKS:
            stride = row.stride if reached < output_stride else 1
            reached, dilation = reached * stride, dilation * row.stride // stride
            layers.append(InvertedResidual(inputs, row, stride, dilation))
            inputs = row.outputs
        layers.append(normalised(convolution(inputs, LAST, 1), SWISH, NORM))
        self.features = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Features of strides 4, 8 and 16, as far as the output stride allows, and those of the last layer."""
        outputs, features = [], images
        for index, layer in enumerate(self.features):
            features = layer(features)
            if index in self.TAPS:
                outputs.append(features)
        return [*outputs, features]
