"""VGG16 (Simonyan and Zisserman, ICLR 2015) without its classifier."""

from torch import Tensor, nn

from seglib.encoders.layers import BatchNorm

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Feature maps of the 3×3 convolutions between two poolings: configuration D."""


class VGG16(nn.Module):
    """The thirteen convolutions, named as in torchvision's files of `vgg16` and `vgg16_bn`."""

    channels = tuple(stage[-1] for stage in STAGES)
    """Feature maps of each output."""

    def __init__(self, channels: int, *, batch_norm: bool) -> None:
        """Build for images of `channels` channels, as `vgg16` or, with norms, as `vgg16_bn`."""
        super().__init__()
        layers: list[nn.Module] = []
        for stage in STAGES:
            if layers:
                layers.append(nn.MaxPool2d(2))
            for maps in stage:
                layers.append(nn.Conv2d(channels, maps, 3, padding=1))
                layers += [BatchNorm(maps)] if batch_norm else []
                layers.append(nn.ReLU(inplace=True))
                channels = maps
        self.features = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Features at strides 1, 2, 4, 8 and 16."""
        outputs, features = [], images
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                outputs.append(features)
            features = layer(features)
        return [*outputs, features]
