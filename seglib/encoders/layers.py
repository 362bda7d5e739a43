"""What the published encoders, and the heads on them, are made of."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm(nn.BatchNorm2d):
    """Batch norm that also trains on a single value a channel, as one image gives behind global pooling.

    Such a value has no variance, and `nn.BatchNorm2d` raises: the running statistics stand in, as in evaluation.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (the name that torch gives it)
        """Normalise [batch, channels, height, width]."""
        if self.training and input.numel() == input.shape[1]:
            return F.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(input)


def convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1
) -> nn.Conv2d:
    """A convolution without bias that at stride 1 keeps the size."""
    padding = dilation * (kernel - 1) // 2
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias=False)


def normalised(
    conv: nn.Conv2d, activation: Callable[[], nn.Module] = nn.ReLU, norm: Callable[[int], nn.Module] = BatchNorm
) -> nn.Sequential:
    """A convolution, its norm and an activation."""
    return nn.Sequential(conv, norm(conv.out_channels), activation())


def initialise(network: nn.Module) -> None:
    """Draw the weights of all convolutions for layers with ReLU (He et al., ICCV 2015), biases zero."""
    for layer in network.modules():
        if not isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            continue
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
