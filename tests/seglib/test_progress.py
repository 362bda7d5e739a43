import io
import sys
from contextlib import redirect_stderr
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from seglib import progress
from seglib.progress import EpochBar


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Unreadable:
    """A loss on a busy device."""

    def detach(self):
        return self

    def __mul__(self, _):
        return self

    __add__ = __radd__ = __mul__

    def item(self):
        raise AssertionError("the loss was read")

    __float__ = item


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass as a test says."""
    now = [100.0]
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
def terminal():
    """Takes the place of stderr while an epoch runs."""
    return Terminal()


def run(clock, losses: list[Any], stderr=None, seconds=2.0, **given):
    settings = {"epoch": 3, "epochs": 50, "images": 8 * len(losses), "last_dice": 0.8125, "seconds_per_epoch": 100.0}
    bar = EpochBar(losses, **{**settings, "quiet": False, **given})
    seen = []
    with redirect_stderr(stderr or sys.stderr):
        for loss in bar:
            seen.append(loss)
            clock[0] += seconds
            bar.show(loss, lr=0.004, images=8)
    assert seen == losses


def test_a_terminal_shows_the_figures(terminal, clock):
    run(clock, [torch.tensor(0.25), torch.tensor(0.75), torch.tensor(2.0), torch.tensor(1.0)], terminal)
    text = terminal.getvalue()
    assert "epoch 3/50" in text
    # 48 epochs of 100 s are left when the third begins; after two of four batches 47.5
    assert "loss 0.5000, Dice 0.8125, lr 0.004, 4.0 images/s, 1:19:10 left" in text
    assert "loss 1.0000, Dice 0.8125, lr 0.004, 4.0 images/s, 1:18:20 left" in text


def test_the_first_epoch_estimates_from_itself(terminal, clock):
    run(clock, [torch.tensor(0.5)] * 4, terminal, epoch=1, epochs=2, last_dice=None, seconds_per_epoch=None)
    text = terminal.getvalue()
    assert "Dice" not in text
    assert "loss 0.5000, lr 0.004, 4.0 images/s, 00:14 left" in text, "one batch of four took 2 s, of 16 s"


def test_the_loss_is_read_once_a_second_at_most(terminal, clock):
    reads = []

    class Counted(Unreadable):
        def __float__(self):
            reads.append(clock[0])
            return 1.0

    run(clock, [Counted()] * 40, terminal, seconds=0.25)
    assert reads == [100.0 + second for second in range(1, 11)]


def test_without_a_terminal_nothing_is_printed_or_read(clock, capsys):
    run(clock, [Unreadable()] * 4)
    assert capsys.readouterr() == ("", "")


def test_a_quiet_process_shows_nothing(terminal, clock):
    run(clock, [Unreadable()] * 4, terminal, quiet=True)
    assert terminal.getvalue() == ""
