"""The training loop."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.loggers.logger import Logger
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader
from tqdm import tqdm

from seglib.device import open_device, resolve_precision
from seglib.errors import SegError
from seglib.loading import Batch, ShuffledSampler
from seglib.overlap import case_dice
from seglib.sections.train import Train
from seglib.seeding import seed_for

PRECISIONS: dict[str, Literal["32-true", "bf16-mixed"]] = {"fp32": "32-true", "bf16": "bf16-mixed"}


class DivergedError(SegError):
    """The loss became NaN or infinite."""


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave; losses are means over batches, `seconds` and `waited` are no part of the result."""

    epoch: int
    lr: float
    train_loss: float
    val_loss: float
    val_dice: float
    seconds: float
    waited: float

    def figures(self) -> dict[str, float]:
        """The figures to log; DVCLive makes `train_loss` the curve `train/loss`."""
        return {name: getattr(self, name) for name in ("train_loss", "val_loss", "val_dice", "lr")}

    def describe(self) -> str:
        """The epoch in one line."""
        return (
            f"train loss {self.train_loss:.4f}, val loss {self.val_loss:.4f}, val Dice {self.val_dice:.4f}, "
            f"lr {self.lr:.2g}, {self.seconds:.1f} s"
        )


def open_fabric(settings: Train, loggers: Sequence[Logger] = ()) -> Fabric:
    """Choose device and precision as the settings say; raises SegError where they cannot be had."""
    device = open_device(settings, deterministic=settings.deterministic)
    precision = PRECISIONS[resolve_precision(settings.precision, device)]
    return Fabric(accelerator=device.type, devices=1, precision=precision, loggers=list(loggers))


@dataclass
class Training:
    """All that a training run needs; `fit` runs it."""

    fabric: Fabric
    model: nn.Module
    optimizer: Optimizer
    scheduler: LRScheduler
    loss: nn.Module
    train_loader: DataLoader[Batch]
    sampler: ShuffledSampler
    val_loader: DataLoader[Batch]
    settings: Train
    overlapping: bool = False

    def fit(self, on_epoch: Callable[[Epoch], None], on_best: Callable[[Epoch], None]) -> list[Epoch]:
        """Train until the last epoch or until the validation Dice stops rising.

        `on_best` is called where the validation Dice is the highest so far.
        Raises DivergedError at the first loss that is not finite, with its epoch and step.
        """
        history: list[Epoch] = []
        best, best_epoch, reference = -math.inf, 0, -math.inf
        stopping = self.settings.early_stopping
        for number in range(1, self.settings.epochs + 1):
            history.append(epoch := self._run_epoch(number))
            on_epoch(epoch)
            if epoch.val_dice > best:
                best = epoch.val_dice
                on_best(epoch)
            if epoch.val_dice > reference + stopping.min_delta:
                reference, best_epoch = epoch.val_dice, number
            if stopping.patience and number - best_epoch >= stopping.patience:
                break
        return history

    def _run_epoch(self, number: int) -> Epoch:
        started = time.perf_counter()
        lr = self.optimizer.param_groups[0]["lr"]
        train_loss, waited = self._train(number)
        val_loss, val_dice = self._validate(number)
        return Epoch(number, lr, train_loss, val_loss, val_dice, time.perf_counter() - started, waited)

    def _train(self, number: int) -> tuple[float, float]:
        self.model.train()
        self.sampler.epoch = number
        torch.manual_seed(seed_for(self.settings.seed, "epoch", number))
        losses: list[Tensor] = []
        waited, asked = 0.0, time.perf_counter()
        for images, masks in tqdm(self.train_loader, f"epoch {number}", unit="batch", leave=False, disable=None):
            waited += time.perf_counter() - asked
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.loss(self.model(images), masks)
            self.fabric.backward(loss)
            self.optimizer.step()
            self.scheduler.step()
            losses.append(loss.detach())
            asked = time.perf_counter()
        return _finite_mean(torch.stack(losses).cpu(), number, "loss"), waited

    @torch.no_grad()
    def _validate(self, number: int) -> tuple[float, float]:
        self.model.eval()
        losses, dice = [], []
        for images, masks in self.val_loader:
            logits = self.model(images)
            losses.append(self.loss(logits, masks))
            dice.append(case_dice(logits, masks, overlapping=self.overlapping))
        per_class = torch.cat(dice).double().nanmean(0)
        loss = _finite_mean(torch.stack(losses).cpu(), number, "validation loss")
        return loss, per_class.nanmean().item()


def _finite_mean(losses: Tensor, epoch: int, what: str) -> float:
    finite = losses.isfinite()
    if not finite.all():
        step = int((~finite).nonzero()[0])
        raise DivergedError(f"the {what} is {losses[step].item()} in epoch {epoch}, step {step + 1} of {len(losses)}")
    return losses.mean().item()
