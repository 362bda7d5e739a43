"""One pass over the validation side, shared by all processes."""

from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.data import DataLoader

from seglib.head import Head
from seglib.loading import Batch, Share
from seglib.overlap import case_dice
from seglib.sliding_window import sliding_logits


@dataclass(frozen=True)
class Preview:
    """The first batch, for pictures, on the CPU."""

    images: Tensor
    masks: Tensor
    probabilities: Tensor


@dataclass(frozen=True)
class Validation:
    """What one pass found."""

    losses: Tensor
    """One float32 a batch."""
    dice: Tensor
    """float32 [cases, classes - 1]; nan where neither truth nor prediction shows the class."""
    shares: Tensor
    """Of a case's counted pixels that the class covers, float32 [cases, classes - 1]."""
    preview: Preview

    @property
    def mean_dice(self) -> float:
        """The mean over classes of the means over cases."""
        return self.dice.double().nanmean(0).nanmean().item()


@dataclass(frozen=True)
class Validator:
    """The validation side and how it is measured."""

    fabric: Fabric
    loss: nn.Module
    head: Head
    loader: DataLoader[Batch]
    cases: int
    batch_size: int
    """Of every batch but the last, in all processes."""
    share: Share
    window: tuple[int, ...] | None
    """Of the sliding window; None where images are seen whole."""

    @torch.no_grad()
    def run(self, network: nn.Module) -> Validation:
        """Measure every case once; what each process measured is summed up, so all get the same."""
        network.eval()
        table = preview = None
        for turn, (images, masks) in enumerate(self.loader):
            with self.fabric.autocast():
                logits = sliding_logits(network, images, self.window).float()
            if table is None:
                table = _Table.empty(self.cases, self.batch_size, self.head.classes - 1, images.device)
                preview = Preview(images.cpu(), masks.cpu(), self.head.probabilities(logits).cpu())
            batch = turn * self.share.world + self.share.rank
            if batch < len(table.losses):
                table.fill(batch, self.loss(logits, masks), case_dice(logits, masks, self.head), self._shares(masks))
        assert table
        assert preview
        losses, dice, shares = (self._of_all(values) for values in (table.losses, table.dice, table.shares))
        return Validation(losses, dice.flatten(0, 1)[: self.cases], shares.flatten(0, 1)[: self.cases], preview)

    def _of_all(self, values: Tensor) -> Tensor:
        summed = self.fabric.all_reduce(values, reduce_op="sum")
        assert isinstance(summed, Tensor)
        return summed.cpu()

    def _shares(self, masks: Tensor) -> Tensor:
        truth, counts = self.head.truth(masks)
        return truth[:, self.head.foreground].flatten(2).sum(2) / counts.flatten(1).sum(1, keepdim=True).clamp(min=1)


@dataclass(frozen=True)
class _Table:
    """Figures by batch and by place in it: zero where another process measures."""

    losses: Tensor
    dice: Tensor
    shares: Tensor

    @classmethod
    def empty(cls, cases: int, batch_size: int, classes: int, device: torch.device) -> "_Table":
        batches = -(-cases // batch_size)
        dice, shares = torch.zeros(2, batches, batch_size, classes, device=device)
        return cls(torch.zeros(batches, device=device), dice, shares)

    def fill(self, batch: int, loss: Tensor, dice: Tensor, shares: Tensor) -> None:
        self.losses[batch] = loss
        self.dice[batch, : len(dice)] = dice
        self.shares[batch, : len(shares)] = shares
