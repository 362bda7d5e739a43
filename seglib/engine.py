"""The training loop."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from lightning_fabric import Fabric
from lightning_fabric.wrappers import _FabricModule
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from seglib.checkpoint import Segmenter
from seglib.ema import Average
from seglib.errors import SegError
from seglib.global_loss import GlobalLoss
from seglib.learning_rate import LearningRate
from seglib.loading import Batch, ShuffledBatches
from seglib.optimizers import set_rate
from seglib.progress import EpochBar
from seglib.sections.train import Train
from seglib.seeding import seed_for
from seglib.validation import Validation, Validator


class DivergedError(SegError):
    """The loss became NaN or infinite."""


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave; losses are means over batches; what counts seconds is no part of the result."""

    epoch: int
    lr: float
    train_loss: float
    val_loss: float
    val_dice: float
    seconds: float
    """Of the whole epoch."""
    trained: float
    """Seconds without the validation."""
    waited: float
    """Seconds of the training in which no batch was ready."""

    def figures(self) -> dict[str, float]:
        """The figures to log; DVCLive makes `train_loss` the curve `train/loss`."""
        return {name: getattr(self, name) for name in ("train_loss", "val_loss", "val_dice", "lr")}

    def describe(self) -> str:
        """The epoch in one line."""
        return (
            f"train loss {self.train_loss:.4f}, val loss {self.val_loss:.4f}, val Dice {self.val_dice:.4f}, "
            f"lr {self.lr:.2g}, {self.seconds:.1f} s"
        )


@dataclass
class Training:
    """All that a training run needs; `fit` runs it from the epoch after the last of `history`."""

    fabric: Fabric
    network: Segmenter
    model: _FabricModule
    """The network as Fabric set it up: for a device, a precision and several processes."""
    optimizer: Optimizer
    rate: LearningRate
    loss: nn.Module
    loader: DataLoader[Batch]
    batches: ShuffledBatches
    validator: Validator
    settings: Train
    clip_norm: float = 0.0
    average: Average | None = None
    history: list[Epoch] = field(default_factory=list)
    validation: Validation | None = None
    """The last one."""

    def fit(self, on_epoch: Callable[[Epoch, bool], None]) -> None:
        """Train until the last epoch or until the validation Dice stops rising.

        `on_epoch` is told whether the validation Dice is the highest so far.
        Raises DivergedError after an epoch in which a loss was not finite, with the step of the first such.
        """
        while not self._finished():
            epoch = self._run_epoch(len(self.history) + 1)
            before = self.best
            self.history.append(epoch)
            on_epoch(epoch, epoch.val_dice > (before.val_dice if before else -math.inf))

    @property
    def best(self) -> Epoch | None:
        """The epoch with the highest validation Dice, the first of equals; None where none has any."""
        defined = [epoch for epoch in self.history if not math.isnan(epoch.val_dice)]
        return max(defined, key=lambda epoch: epoch.val_dice, default=None)

    def _finished(self) -> bool:
        stopping = self.settings.early_stopping
        if len(self.history) >= self.settings.epochs:
            return True
        reference, best_epoch = -math.inf, 0
        for epoch in self.history:
            if epoch.val_dice > reference + stopping.min_delta:
                reference, best_epoch = epoch.val_dice, epoch.epoch
        return bool(stopping.patience) and len(self.history) - best_epoch >= stopping.patience

    def _run_epoch(self, number: int) -> Epoch:
        started = time.perf_counter()
        lr = self._set_rate((number - 1) * len(self.loader))
        train_loss, waited = self._train(number)
        trained = time.perf_counter() - started
        val_loss, val_dice = self._validate(number)
        return Epoch(number, lr, train_loss, val_loss, val_dice, time.perf_counter() - started, trained, waited)

    def _set_rate(self, step: int) -> float:
        factor = self.rate.factor(step, [epoch.val_dice for epoch in self.history])
        set_rate(self.optimizer, factor)
        return self.settings.lr * factor

    def _train(self, number: int) -> tuple[float, float]:
        self.model.train()
        _keep_frozen(self.network)
        self.batches.epoch = number
        rank = self.fabric.global_rank
        torch.manual_seed(seed_for(self.settings.seed, "epoch", number, *([rank] if rank else [])))
        step = GlobalLoss(self.fabric, self.model, self.loss, self.settings.accumulate)
        losses: list[Tensor] = []
        first = (number - 1) * len(self.loader)
        bar = self._bar(number)
        waited, asked = 0.0, time.perf_counter()
        for (images, masks), count in zip(bar, self.batches.sizes(), strict=True):
            waited += time.perf_counter() - asked
            lr = self._set_rate(first + len(losses))
            self.optimizer.zero_grad(set_to_none=True)
            losses.append(step.backward(images, masks, count))
            if self.clip_norm:
                self._clip()
            self.optimizer.step()
            if self.average:
                self.average.update(self.network)
            bar.show(losses[-1], lr, count)
            asked = time.perf_counter()
        return _finite_mean(torch.stack(losses).cpu(), number, "loss"), waited

    def _clip(self) -> None:
        """Gradients that are not finite stay so: of fp16 they may be, and the scaler then leaves the step out."""
        self.fabric.clip_gradients(self.model, self.optimizer, max_norm=self.clip_norm, error_if_nonfinite=False)

    def _bar(self, number: int) -> EpochBar[Batch]:
        past = self.history
        last_dice = past[-1].val_dice if past else None
        seconds = sum(epoch.seconds for epoch in past) / len(past) if past else None
        quiet = not self.fabric.is_global_zero
        return EpochBar(self.loader, number, self.settings.epochs, self.batches.length, last_dice, seconds, quiet)

    def _validate(self, number: int) -> tuple[float, float]:
        if self.average and self.fabric.world_size > 1:
            self.average.take_buffers(self.fabric.broadcast(self.average.buffers()))
        self.validation = self.validator.run(self.average.model if self.average else self.model)
        return _finite_mean(self.validation.losses, number, "validation loss"), self.validation.mean_dice


def _keep_frozen(network: nn.Module) -> None:
    """Parts without a weight to learn keep their statistics, too, and drop nothing out."""
    for module in network.modules():
        weights = list(module.parameters())
        if weights and not any(weight.requires_grad for weight in weights):
            module.eval()


def _finite_mean(losses: Tensor, epoch: int, what: str) -> float:
    finite = losses.isfinite()
    if not finite.all():
        step = int((~finite).nonzero()[0])
        raise DivergedError(f"the {what} is {losses[step].item()} in epoch {epoch}, step {step + 1} of {len(losses)}")
    return losses.mean().item()
