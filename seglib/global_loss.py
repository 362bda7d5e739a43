"""The gradient of a step's whole batch, whatever parts and processes it goes through.

A loss that sums over a batch, such as Dice, is no mean of the losses of the batch's parts. So the logits of
all parts and processes are brought together, every process computes the loss of them all, and the gradient
goes back into its own. Batch norm alone still sees only the part.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from lightning_fabric.wrappers import _FabricModule
from torch import Tensor, nn

from seglib.padding import Logits


@dataclass
class GlobalLoss:
    """Computes loss and gradients of one step."""

    fabric: Fabric
    model: _FabricModule
    loss: nn.Module
    parts: int
    """In which this process's images go through the network."""

    def backward(self, images: Tensor, masks: Tensor, count: int) -> Tensor:
        """Add the gradients of the step; gives its loss, detached.

        `count`: images of the step in all processes together, without the fillers behind them.
        """
        everyones = self._gather(masks)[:count]
        if self.parts == 1:
            logits = self.model(images)
            loss = self._of_all(logits, everyones, count)
            self.fabric.backward(loss * self.fabric.world_size)  # which takes the mean over the processes
            return loss.detach()
        return self._backward_in_parts(images.chunk(self.parts), everyones, count)

    def _backward_in_parts(self, parts: Sequence[Tensor], everyones: Tensor, count: int) -> Tensor:
        """Forward without memory, loss, then each part again, now with its share of the loss's gradient."""
        buffers = [buffer.clone() for buffer in self.model.buffers()]
        with torch.no_grad(), torch.random.fork_rng(_devices(parts[0])):
            outputs = [_as_list(self.model(part)) for part in parts]
            for buffer, before in zip(self.model.buffers(), buffers, strict=True):
                buffer.copy_(before)  # the statistics of batch norms move in the second pass
        whole = [torch.cat(pieces).requires_grad_() for pieces in zip(*outputs, strict=True)]
        loss = self._of_all(whole if len(whole) > 1 else whole[0], everyones, count)
        gradients = torch.autograd.grad(loss * self.fabric.world_size, whole)
        shares = zip(*(gradient.split([len(part) for part in parts]) for gradient in gradients), strict=True)
        for number, (part, share) in enumerate(zip(parts, shares, strict=True), 1):
            with self.fabric.no_backward_sync(self.model, enabled=number < len(parts)):
                pairs = zip(_as_list(self.model(part)), share, strict=True)
                self.fabric.backward(torch.stack([(logits * slope).sum() for logits, slope in pairs]).sum())
        return loss.detach()

    def _of_all(self, logits: Logits, everyones: Tensor, count: int) -> Tensor:
        whole = [self._join(output)[:count] for output in _as_list(logits)]
        return self.loss(whole if len(whole) > 1 else whole[0], everyones)

    def _join(self, own: Tensor) -> Tensor:
        """Everyone's logits, of which only this process's own pass gradients on."""
        if self.fabric.world_size == 1:
            return own
        pieces = list(self._everyones(own.detach()).unbind(0))
        pieces[self.fabric.global_rank] = own
        return torch.cat(pieces)

    def _gather(self, masks: Tensor) -> Tensor:
        return masks if self.fabric.world_size == 1 else self._everyones(masks).flatten(0, 1)

    def _everyones(self, own: Tensor) -> Tensor:
        gathered = self.fabric.all_gather(own.contiguous())
        assert isinstance(gathered, Tensor)
        return gathered


def _as_list(logits: Logits) -> list[Tensor]:
    return [logits] if isinstance(logits, Tensor) else logits


def _devices(images: Tensor) -> list[int]:
    return [images.get_device()] if images.is_cuda else []
