"""Any input size for networks that want multiples."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Logits = Tensor | list[Tensor]
"""[batch, planes, *space]; a list of them under deep supervision, the finest first."""


class Padded(nn.Module):
    """Pads [batch, channels, *space] to multiples of `divisor` and crops the result back."""

    def __init__(self, network: nn.Module, divisor: int) -> None:
        """Wrap `network`, whose outputs have the size of its input."""
        super().__init__()
        self.network, self.divisor = network, divisor

    def forward(self, images: Tensor) -> Logits:
        """Repeat the border pixels behind the last ones, run the network, crop.

        While its operations are recorded, for a graph that takes any size, it does so even where nothing is missing.
        """
        space = images.shape[2:]
        missing = [self._missing(side) for side in space]
        recorded = torch.compiler.is_exporting() or torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]
        if not recorded and not any(missing):
            return self.network(images)
        padded = F.pad(images, [pad for after in reversed(missing) for pad in (0, after)], mode="replicate")
        logits, inside = self.network(padded), (..., *[slice(side) for side in space])
        return logits[inside] if isinstance(logits, Tensor) else [output[inside] for output in logits]

    def _missing(self, side: int) -> int:
        """Pixels up to a multiple; at least two, since instance norm needs more than one at the bottom.

        Without a comparison, whose result a recorded graph would keep for all sizes: 1 // n is 1 where n is 1, else 0.
        """
        multiples = (side + self.divisor - 1) // self.divisor
        return self.divisor * (multiples + 1 // multiples) - side
