"""A U-Net (Ronneberger et al., MICCAI 2015) whose way down is a published encoder."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seglib.encoders.layers import convolution, initialise, normalised
from seglib.encoders.vgg import VGG16


class EncoderUNet(nn.Module):
    """Doubles the resolution of the encoder's last features until it is the image's, joining its earlier ones."""

    def __init__(self, encoder: VGG16, maps: Sequence[int], planes: int) -> None:
        """Build on `encoder`; the decoder has `maps` feature maps a level, from the bottom up."""
        super().__init__()
        self.encoder = encoder
        inputs, skips = encoder.channels[-1], reversed(encoder.channels[:-1])
        self.decoder = nn.ModuleList()
        for skip, outputs in zip(skips, maps, strict=True):
            self.decoder.append(Joint(inputs, skip, outputs))
            inputs = outputs
        self.logits = nn.Conv2d(inputs, planes, 1)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of the images' size."""
        *skips, features = self.encoder(images)
        for joint, skip in zip(self.decoder, reversed(skips), strict=True):
            features = joint(features, skip)
        return self.logits(features)


class Joint(nn.Module):
    """A level of the decoder: up by 2, joined with the encoder's features of that size, convolved twice."""

    def __init__(self, inputs: int, skip: int, outputs: int) -> None:
        """Build for `inputs` feature maps from below and `skip` from the encoder."""
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
        self.convs = nn.Sequential(
            normalised(convolution(outputs + skip, outputs, 3)), normalised(convolution(outputs, outputs, 3))
        )

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        """`outputs` features of the size of `skip`."""
        return self.convs(torch.cat([self.up(features), skip], dim=1))
