"""One loss for the several outputs of a network under deep supervision (Lee et al., AISTATS 2015)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seglib.errors import SegError
from seglib.padding import Logits


class DeepSupervisionLoss(nn.Module):
    """The weighted mean of a loss over outputs of different depth."""

    def __init__(self, loss: nn.Module, weights: Sequence[float]) -> None:
        """`weights`: one an output, the finest first; empty where the network has a single output.

        Raises SegError where there are weights and all are 0.
        """
        super().__init__()
        if weights and not any(weights):
            raise SegError(f"loss.deep_supervision: {list(weights)} are all 0, so nothing is learnt; raise the first")
        self.loss = loss
        self.shares = [weight / sum(weights) for weight in weights]

    def forward(self, logits: Logits, mask: Tensor) -> Tensor:
        """The float32 loss of logits [batch, planes, *space], or the mean over a list of them, all of that shape."""
        if isinstance(logits, Tensor):
            return self.loss(logits, mask)
        pairs = zip(self.shares, logits, strict=True)
        return torch.stack([share * self.loss(output, mask) for share, output in pairs]).sum()
