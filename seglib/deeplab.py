"""DeepLabV3 (Chen et al., arXiv 1706.05587) and DeepLabV3+ (Chen et al., ECCV 2018)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seglib.encoders.layers import convolution, initialise, normalised
from seglib.encoders.mobilenet import MobileNetV3Large
from seglib.encoders.resnet import ResNet
from seglib.sections.deeplab import DeepLab
from seglib.sections.network import Shape

WIDTH = 256
"""Feature maps of the pyramid and of the decoder."""
LOW_WIDTH = 48
"""Feature maps that the encoder's stride 4 gives to the decoder of DeepLabV3+."""


class DeepLabV3(nn.Module):
    """Logits at the output stride, interpolated; named as in torchvision's files but for the last layer."""

    def __init__(self, params: DeepLab, shape: Shape) -> None:
        """Build with random weights."""
        super().__init__()
        self.encoder = build_encoder(params, shape)
        pyramid = Pyramid(self.encoder.channels[-1], params)
        self.classifier = nn.Sequential(pyramid, *normalised(convolution(WIDTH, WIDTH, 3)))
        self.logits = nn.Conv2d(WIDTH, shape.planes, 1)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of the images' size."""
        return _resize(self.logits(self.classifier(self.encoder(images)[-1])), images)


class DeepLabV3Plus(nn.Module):
    """Logits at stride 4 from the pyramid's features and the encoder's early ones, interpolated."""

    def __init__(self, params: DeepLab, shape: Shape) -> None:
        """Build with random weights."""
        super().__init__()
        self.encoder = build_encoder(params, shape)
        self.pyramid = Pyramid(self.encoder.channels[-1], params)
        self.low = normalised(convolution(self.encoder.channels[0], LOW_WIDTH, 1))
        self.decoder = nn.Sequential(
            normalised(convolution(WIDTH + LOW_WIDTH, WIDTH, 3)), normalised(convolution(WIDTH, WIDTH, 3))
        )
        self.logits = nn.Conv2d(WIDTH, shape.planes, 1)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of the images' size."""
        first, *_, last = self.encoder(images)
        low = self.low(first)
        features = torch.cat([_resize(self.pyramid(last), low), low], dim=1)
        return _resize(self.logits(self.decoder(features)), images)


class Pyramid(nn.Module):
    """Atrous spatial pyramid pooling: dilated convolutions side by side, and the image's mean."""

    def __init__(self, inputs: int, params: DeepLab) -> None:
        """Build for `inputs` feature maps."""
        super().__init__()
        branches = [
            normalised(convolution(inputs, WIDTH, 1)),
            *(normalised(convolution(inputs, WIDTH, 3, dilation=rate)) for rate in params.dilations),
            nn.Sequential(Mean(), *normalised(convolution(inputs, WIDTH, 1))),
        ]
        self.convs = nn.ModuleList(branches)
        self.project = normalised(convolution(len(branches) * WIDTH, WIDTH, 1))
        self.dropout = nn.Dropout(params.dropout)

    def forward(self, features: Tensor) -> Tensor:
        """WIDTH features of the same size."""
        branches = [branch(features).expand(-1, -1, *features.shape[2:]) for branch in self.convs]
        return self.dropout(self.project(torch.cat(branches, dim=1)))


class Mean(nn.Module):
    """The mean over all pixels, of size 1×1."""

    def forward(self, features: Tensor) -> Tensor:
        """Average [batch, channels, height, width]."""
        return features.mean((2, 3), keepdim=True)


def build_encoder(params: DeepLab, shape: Shape) -> ResNet | MobileNetV3Large:
    """The selected encoder."""
    if params.encoder == "mobilenet_v3_large":
        return MobileNetV3Large(shape.channels, params.output_stride)
    return ResNet(params.encoder, shape.channels, params.output_stride)


def _resize(features: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(features, size=like.shape[2:], mode="bilinear", align_corners=False)
