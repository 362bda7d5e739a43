"""Residual networks (He et al., CVPR 2016) without their classifier, dilated on request."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from seglib.encoders.layers import BatchNorm, convolution

WIDTHS = (64, 128, 256, 512)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut."""

    expansion: ClassVar = 1

    def __init__(self, inputs: int, width: int, stride: int, dilation: int) -> None:
        """Build for `inputs` feature maps, of which `width` come out."""
        super().__init__()
        self.conv1, self.bn1 = convolution(inputs, width, 3, stride, dilation), BatchNorm(width)
        self.conv2, self.bn2 = convolution(width, width, 3, dilation=dilation), BatchNorm(width)
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, features: Tensor) -> Tensor:
        """Features of the block."""
        inner = F.relu(self.bn1(self.conv1(features)))
        return F.relu(self.bn2(self.conv2(inner)) + self.downsample(features))


class Bottleneck(nn.Module):
    """A 3×3 convolution between two of 1×1, with the stride in the 3×3 one, and a shortcut."""

    expansion: ClassVar = 4

    def __init__(self, inputs: int, width: int, stride: int, dilation: int) -> None:
        """Build for `inputs` feature maps, of which 4 · `width` come out."""
        super().__init__()
        outputs = width * self.expansion
        self.conv1, self.bn1 = convolution(inputs, width, 1), BatchNorm(width)
        self.conv2, self.bn2 = convolution(width, width, 3, stride, dilation), BatchNorm(width)
        self.conv3, self.bn3 = convolution(width, outputs, 1), BatchNorm(outputs)
        self.downsample = _shortcut(inputs, outputs, stride)

    def forward(self, features: Tensor) -> Tensor:
        """Features of the block."""
        inner = F.relu(self.bn1(self.conv1(features)))
        inner = F.relu(self.bn2(self.conv2(inner)))
        return F.relu(self.bn3(self.conv3(inner)) + self.downsample(features))


LAYOUTS: dict[str, tuple[type[BasicBlock | Bottleneck], tuple[int, ...]]] = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
    "resnet101": (Bottleneck, (3, 4, 23, 3)),
}
"""The block of each network and how many of them a stage has."""


class ResNet(nn.Module):
    """A residual network, named as in torchvision's files.

    A stage that would go beyond `output_stride` keeps its resolution and dilates its convolutions instead,
    all but the first block's, which still sees the features of the stage before (Chen et al., arXiv 1706.05587).
    """

    def __init__(self, name: str, channels: int, output_stride: int) -> None:
        """Build a network of LAYOUTS for images of `channels` channels."""
        super().__init__()
        block, depths = LAYOUTS[name]
        self.channels = tuple(width * block.expansion for width in WIDTHS)
        """Feature maps of each output."""
        self.conv1, self.bn1 = convolution(channels, 64, 7, stride=2), BatchNorm(64)
        inputs, reached, dilation = 64, 4, 1
        for level, (width, depth) in enumerate(zip(WIDTHS, depths, strict=True)):
            first, stride = dilation, 1
            if level > 0 and reached < output_stride:
                stride, reached = 2, 2 * reached
            elif level > 0:
                dilation *= 2
            blocks = [block(inputs, width, stride, first)]
            inputs = width * block.expansion
            blocks += [block(inputs, width, 1, dilation) for _ in range(depth - 1)]
            self.add_module(f"layer{level + 1}", nn.Sequential(*blocks))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Features of the four stages, the first at stride 4, the last at the output stride."""
        features = F.max_pool2d(F.relu(self.bn1(self.conv1(images))), 3, stride=2, padding=1)
        outputs = []
        for level in range(len(WIDTHS)):
            features = self.get_submodule(f"layer{level + 1}")(features)
            outputs.append(features)
        return outputs


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """The way around a block: a projection where the shapes differ, else nothing."""
    if stride == 1 and inputs == outputs:
        return nn.Sequential()
    return nn.Sequential(convolution(inputs, outputs, 1, stride), BatchNorm(outputs))
