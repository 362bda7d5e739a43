"""What the curves of a training say about its settings; every rule is silent unless it is sure."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, median
from typing import Protocol

FEWEST_EPOCHS = 5
"""Below that curves tell only whether anything was found."""
NOTHING = 0.01
"""No epoch's validation Dice reached it: nothing was found."""
STUCK = 0.05
"""Share of the first training loss by which a loss that falls gets lower, or one that jumps higher."""
GOOD = 0.8
"""From this validation Dice on a loss that does not fall is no fault."""
GAIN = 0.02
"""Smallest rise of the validation Dice that counts."""
SWING = 0.05
"""Median change of the validation Dice between two epochs from which it is not steady."""
OVERFITTED = 0.1
"""Share of themselves by which the validation loss rises and the training loss falls."""
WINDOW = 3
"""Epochs whose mean is compared, so that one alone decides nothing."""
WASTED = 10
"""More epochs than that after the best ones, if they are half of all, were too many."""
FEWEST_TARGETS = 12
"""Below that the sizes of the targets tell nothing."""
TIMES_SMALLER = 4
"""How much less of its image the small third of the targets covers than the large third, at least."""
BEHIND = 0.3
"""How far the Dice of the small third lies behind that of the large third, at least."""


class Epoch(Protocol):
    """What is known of an epoch; losses are means over it."""

    @property
    def epoch(self) -> int:
        """Counted from 1."""
        ...

    @property
    def lr(self) -> float:
        """The learning rate."""
        ...

    @property
    def train_loss(self) -> float:
        """On the training side."""
        ...

    @property
    def val_loss(self) -> float:
        """On the validation side."""
        ...

    @property
    def val_dice(self) -> float:
        """On the validation side; NaN where it has no class at all."""
        ...


def advise(history: Sequence[Epoch], cases: Sequence[tuple[float, float]]) -> list[str]:
    """Name the gravest fault of the curves, and missed small targets, with figures and the settings to try.

    `cases` are those of the last validation: the share of its image that a class covers, and its Dice.
    """
    epochs = [epoch for epoch in history if not math.isnan(epoch.val_dice)]
    if len(epochs) < FEWEST_EPOCHS:
        return _told(_nothing_found(epochs))
    gravest = _stuck(epochs) or _nothing_found(epochs) or _overfitted(epochs) or _swings(epochs)
    return _told(gravest or _unfinished(epochs) or _past_its_best(epochs), _misses_small(cases))


def _told(*advice: str | None) -> list[str]:
    return [each for each in advice if each]


def _stuck(epochs: Sequence[Epoch]) -> str | None:
    if max(epoch.val_dice for epoch in epochs) >= GOOD:
        return None
    first, *later = (epoch.train_loss for epoch in epochs)
    enough = STUCK * abs(first)
    if first - min(later) >= enough or _dice(epochs[-WINDOW:]) - epochs[0].val_dice >= GAIN:
        return None
    direction = "lower" if max(later) - first >= enough else "higher"
    return (
        f"The training loss did not fall in {len(epochs)} epochs: it began at {first:.3g} and was {min(later):.3g} at "
        f"best, {max(later):.3g} at worst, with a learning rate of up to {max(epoch.lr for epoch in epochs):.2g}. "
        f"Try a train.lr ten times {direction}, then another loss.name."
    )


def _nothing_found(epochs: Sequence[Epoch]) -> str | None:
    if not epochs or max(epoch.val_dice for epoch in epochs) >= NOTHING:
        return None
    return (
        f"The validation Dice stayed below {NOTHING} in all epochs, though the training loss came to "
        f"{epochs[-1].train_loss:.3g}: everything is taken for background. "
        "Try loss.class_weights: balanced, loss.name: dice_ce, or more train.epochs."
    )


def _swings(epochs: Sequence[Epoch]) -> str | None:
    window = epochs[-max(FEWEST_EPOCHS, len(epochs) // 2) :]
    changes = [after.val_dice - before.val_dice for before, after in pairwise(window)]
    turns = sum(before * after < 0 for before, after in pairwise(changes))
    swing = median(map(abs, changes))
    if swing < SWING or 2 * turns < len(changes) - 1:
        return None
    return (
        f"The validation Dice swings: by {swing:.2f} from one epoch to the next in the last {len(window)}. Try a lower "
        "train.lr, a larger train.batch_size, optimizer.ema: 0.99, or a scheduler.name that ends low, such as cosine."
    )


def _unfinished(epochs: Sequence[Epoch]) -> str | None:
    width = max(2, len(epochs) // 5)
    before, after = _dice(epochs[-2 * width : -width]), _dice(epochs[-width:])
    best = max(epochs, key=lambda epoch: epoch.val_dice)
    if after - before < GAIN or best not in epochs[-2:]:
        return None
    return (
        f"The validation Dice was still rising at the end, from {before:.3f} to {after:.3f} within the last "
        f"{2 * width} epochs. Try train.epochs: {2 * len(epochs)}."
    )


def _overfitted(epochs: Sequence[Epoch]) -> str | None:
    windows = _windows(epochs)
    lowest, last = min(windows, key=_val_loss), windows[-1]
    if last[0].epoch - lowest[0].epoch < FEWEST_EPOCHS or _dice(last) - _dice(lowest) >= GAIN:
        return None
    rises = _val_loss(last) - _val_loss(lowest) >= OVERFITTED * abs(_val_loss(lowest))
    falls = _train_loss(lowest) - _train_loss(last) >= OVERFITTED * abs(_train_loss(lowest))
    if not (rises and falls):
        return None
    return (
        f"Since epoch {lowest[-1].epoch} the training loss fell from {_train_loss(lowest):.3g} to "
        f"{_train_loss(last):.3g} while that of validation rose from {_val_loss(lowest):.3g} to {_val_loss(last):.3g}: "
        "the training images are learnt by heart. Try a stronger augment.name, train.early_stopping.patience, "
        "a higher optimizer.weight_decay, or the model's dropout."
    )


def _past_its_best(epochs: Sequence[Epoch]) -> str | None:
    windows = _windows(epochs)
    best, last = max(windows, key=_dice), windows[-1]
    later = last[0].epoch - best[0].epoch
    if later <= WASTED or 2 * later < len(epochs) or _dice(best) - _dice(last) < GAIN:
        return None
    return (
        f"The validation Dice was best around epoch {best[1].epoch}, {_dice(best):.3f}, and {_dice(last):.3f} at the "
        f"end, in epoch {last[-1].epoch}. Try train.early_stopping.patience: {WASTED}, or a lower train.lr."
    )


def _misses_small(cases: Sequence[tuple[float, float]]) -> str | None:
    targets = sorted((share, dice) for share, dice in cases if share > 0 and not math.isnan(dice))
    if len(targets) < FEWEST_TARGETS:
        return None
    third = len(targets) // 3
    small, large = median(share for share, _ in targets[:third]), median(share for share, _ in targets[-third:])
    missed, found = fmean(dice for _, dice in targets[:third]), fmean(dice for _, dice in targets[-third:])
    if large < TIMES_SMALLER * small or found - missed < BEHIND:
        return None
    return (
        f"Small targets are missed: the mean Dice is {missed:.2f} where they cover about {100 * small:.3g} % of the "
        f"image and {found:.2f} where they cover {100 * large:.3g} %. Try a larger preprocess.image_size, "
        "train.small_targets: 0.3, a higher train.foreground_crops with preprocess.resize: native, "
        "loss.name: focal_tversky or dice_focal, or loss.class_weights: balanced."
    )


def _windows(epochs: Sequence[Epoch]) -> list[Sequence[Epoch]]:
    return [epochs[start : start + WINDOW] for start in range(len(epochs) - WINDOW + 1)]


def _dice(epochs: Sequence[Epoch]) -> float:
    return fmean(epoch.val_dice for epoch in epochs)


def _train_loss(epochs: Sequence[Epoch]) -> float:
    return fmean(epoch.train_loss for epoch in epochs)


def _val_loss(epochs: Sequence[Epoch]) -> float:
    return fmean(epoch.val_loss for epoch in epochs)
