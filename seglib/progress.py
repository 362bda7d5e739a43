"""What a terminal shows of a running epoch."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from tqdm import tqdm

if TYPE_CHECKING:
    from torch import Tensor

Batch = TypeVar("Batch")
FORMAT = "{desc} |{bar:10}| {n_fmt}/{total_fmt}{postfix}"
PAUSE = 1.0
"""Seconds between two readings of the loss, each of which waits for the device."""


@dataclass
class EpochBar(Generic[Batch]):
    """A progress bar over the batches of one epoch; nothing where stderr is no terminal.

    Losses are summed where they are and read about once a second, or never where nothing is shown.
    """

    loader: Iterable[Batch]
    """With a length."""
    epoch: int
    """Counted from 1."""
    epochs: int
    images: int
    """Of all batches together."""
    last_dice: float | None
    """Of the last validation; None before the first."""
    seconds_per_epoch: float | None
    """Mean of the finished epochs with their validation; None before the first."""
    quiet: bool
    """Show nothing, as the processes do that are not the first."""
    _done: int = field(default=0, init=False)
    _loss: "Tensor | float" = field(default=0.0, init=False)

    def __iter__(self) -> Iterator[Batch]:
        self._started = self._read = time.monotonic()
        self._bar = tqdm(
            self.loader,
            f"epoch {self.epoch}/{self.epochs}",
            leave=False,
            disable=self.quiet or None,  # None: where stderr is no terminal
            dynamic_ncols=True,
            bar_format=FORMAT,
        )
        with self._bar:
            yield from self._bar

    def show(self, loss: "Tensor", lr: float, images: int) -> None:
        """Take in the mean loss of a batch of so many images."""
        if self._bar.disable:
            return
        self._loss = self._loss + loss.detach() * images
        self._done += images
        if time.monotonic() - self._read >= PAUSE:
            self._bar.set_postfix_str(self._figures(lr))
            self._read = time.monotonic()

    def _figures(self, lr: float) -> str:
        """The postfix of the bar; reads the loss, for which the device must finish its work."""
        loss = float(self._loss) / self._done
        elapsed = time.monotonic() - self._started
        dice = "" if self.last_dice is None else f"Dice {self.last_dice:.4f}, "
        left = tqdm.format_interval(self._seconds_left(elapsed))
        return f"loss {loss:.4f}, {dice}lr {lr:.2g}, {self._done / elapsed:.1f} images/s, {left} left"

    def _seconds_left(self, elapsed: float) -> float:
        """Of the whole training, should it go on to the last epoch."""
        progress = min(self._done / self.images, 1.0)
        seconds = self.seconds_per_epoch or elapsed / progress
        return seconds * (self.epochs - self.epoch + 1 - progress)
