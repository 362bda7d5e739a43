"""Any input size for networks that want multiples."""

import torch.nn.functional as F
from torch import Tensor, nn


class Padded(nn.Module):
    """Pads [batch, channels, height, width] to multiples of `divisor` and crops the result back."""

    def __init__(self, network: nn.Module, divisor: int) -> None:
        """Wrap `network`, whose output has the size of its input."""
        super().__init__()
        self.network, self.divisor = network, divisor

    def forward(self, images: Tensor) -> Tensor:
        """Repeat the border pixels to the right and below, run the network, crop."""
        height, width = images.shape[-2:]
        down, right = self._missing(height), self._missing(width)
        padded = F.pad(images, (0, right, 0, down), mode="replicate") if down or right else images
        return self.network(padded)[..., :height, :width]

    def _missing(self, side: int) -> int:
        """Pixels up to a multiple; at least two, since instance norm needs more than one at the bottom."""
        return max(2 * self.divisor, side + -side % self.divisor) - side
