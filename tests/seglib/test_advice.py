import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib import losses, plugins, schedulers
from seglib.advice import advise
from seglib.config import read_params
from seglib.engine import Epoch


def history(count, *, train_loss, val_loss, val_dice, lr=0.004):
    """Epochs whose figures are functions of the epoch counted from 0."""
    return [Epoch(t + 1, lr, train_loss(t), val_loss(t), val_dice(t), 1.0, 0.8, 0.0) for t in range(count)]


def settling(first, last, epochs):
    """A curve from `first` that comes close to `last` within some multiples of `epochs`."""
    return lambda t: last + (first - last) * math.exp(-t / epochs)


def line(first, slope):
    return lambda t: first + slope * t


FALLS = settling(1.4, 0.2, 4)
VAL_FALLS = settling(1.5, 0.3, 4)
RISES = settling(0.0, 0.85, 4)

SOUND = history(40, train_loss=FALLS, val_loss=VAL_FALLS, val_dice=RISES)
CURVES = {
    "flat": history(12, train_loss=lambda t: 1.4 - 0.001 * t, val_loss=lambda t: 1.4, val_dice=lambda t: 0.05, lr=1e-6),
    "jumps": history(
        12, train_loss=lambda t: (1.4, 3.0)[t % 2], val_loss=lambda t: 1.4, val_dice=lambda t: 0.05, lr=2.0
    ),
    "empty": history(12, train_loss=FALLS, val_loss=VAL_FALLS, val_dice=lambda t: 0.0),
    "swings": history(20, train_loss=FALLS, val_loss=VAL_FALLS, val_dice=lambda t: (0.55, 0.75)[t % 2]),
    "unfinished": history(10, train_loss=FALLS, val_loss=VAL_FALLS, val_dice=line(0.2, 0.05)),
    "overfitted": history(
        30, train_loss=line(0.9, -0.025), val_loss=lambda t: 0.5 + 0.02 * abs(t - 8), val_dice=settling(0.3, 0.7, 2)
    ),
    "past its best": history(40, train_loss=FALLS, val_loss=VAL_FALLS, val_dice=lambda t: 0.8 - 0.002 * abs(t - 11)),
}
UNSURE = {
    "declines late": history(50, train_loss=FALLS, val_loss=VAL_FALLS, val_dice=lambda t: 0.8 - 0.002 * abs(t - 34)),
    "declines for ten epochs": history(
        16, train_loss=FALLS, val_loss=VAL_FALLS, val_dice=lambda t: 0.8 - 0.01 * abs(t - 4)
    ),
    "rises below an earlier peak": history(
        10, train_loss=FALLS, val_loss=VAL_FALLS, val_dice=lambda t: 0.9 if t == 5 else 0.2 + 0.05 * t
    ),
    "only the validation loss moves": history(
        30,
        train_loss=lambda t: max(0.3, 0.9 - 0.1 * t),
        val_loss=lambda t: 0.5 + 0.02 * abs(t - 8),
        val_dice=lambda t: 0.7,
    ),
    "only the training loss falls": history(
        30, train_loss=line(0.9, -0.025), val_loss=lambda t: 0.5 + 0.0005 * abs(t - 8), val_dice=lambda t: 0.7
    ),
    "learns though the loss stands": history(
        20, train_loss=lambda t: 1.4, val_loss=lambda t: 1.4, val_dice=settling(0.1, 0.6, 2)
    ),
    "overfits since three epochs": history(
        12, train_loss=line(0.9, -0.05), val_loss=lambda t: 0.6 - 0.0125 * t if t < 9 else 1.0, val_dice=lambda t: 0.7
    ),
    "a long level end": history(
        50, train_loss=FALLS, val_loss=VAL_FALLS, val_dice=lambda t: 0.927 if t == 17 else 0.915
    ),
    "rises with the validation loss": history(
        30, train_loss=line(0.9, -0.02), val_loss=line(0.5, 0.02), val_dice=settling(0.5, 0.8, 4)
    ),
    "good from the start": history(8, train_loss=lambda t: 0.1, val_loss=lambda t: 0.1, val_dice=lambda t: 0.9),
}
SMALL_MISSED = [(0.002 + 0.0001 * i, 0.2) for i in range(8)] + [(0.02, 0.7)] * 8 + [(0.25, 0.9)] * 8


def everything_told():
    return " ".join(advice for curve in CURVES.values() for advice in advise(curve, SMALL_MISSED))


@pytest.mark.parametrize(
    ("curve", "words"),
    [
        ("flat", ["began at 1.4", "1.39 at best", "rate of up to 1e-06", "train.lr ten times higher", "loss.name"]),
        ("jumps", ["3 at worst", "rate of up to 2.", "train.lr ten times lower", "loss.name"]),
        ("empty", ["below 0.01", "came to 0.277", "loss.class_weights: balanced", "loss.name: dice_ce"]),
        ("swings", ["by 0.20", "in the last 10", "train.lr", "train.batch_size", "optimizer.ema", "scheduler.name"]),
        ("unfinished", ["from 0.525 to 0.625 within the last 4", "train.epochs: 20"]),
        (
            "overfitted",
            [
                "Since epoch 10",
                "fell from 0.7 to 0.2",
                "rose from 0.513 to 0.9",
                "augment.name",
                "train.early_stopping.patience",
                "optimizer.weight_decay",
                "dropout",
            ],
        ),
        ("past its best", ["around epoch 12, 0.799", "0.746 at the end, in epoch 40", "train.early_stopping.patience"]),
    ],
)
def test_what_was_seen_is_told_with_the_settings_to_try(curve, words):
    (advice,) = advise(CURVES[curve], [])
    assert [word for word in words if word not in advice] == []


def test_small_targets_that_are_missed_are_told():
    (advice,) = advise(SOUND, SMALL_MISSED)
    for word in ("0.20", "0.235 %", "0.90", "25 %", "preprocess.image_size", "train.small_targets", "focal_tversky"):
        assert word in advice


def test_every_setting_that_is_named_stands_in_the_parameters():
    params = read_params()
    told = everything_told()
    named = set(re.findall(rf"\b(?:{'|'.join(params)})(?:\.[a-z_]+)+", told))
    assert len(named) >= 12
    for place in named:
        found = params
        for key in place.split("."):
            assert key in found, place
            found = found[key]


@pytest.mark.parametrize(
    ("kind", "plugin"),
    [(losses, "dice_ce"), (losses, "focal_tversky"), (losses, "dice_focal"), (schedulers, "cosine")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_plugin_that_is_named_exists(kind, plugin):
    told = everything_told()
    assert plugin in told
    assert plugin in plugins.names(kind)


@given(
    count=st.integers(12, 60),
    top=st.floats(0.7, 0.98),
    floor=st.floats(0.1, 0.4),
    noise=st.lists(st.tuples(*[st.floats(-0.005, 0.005)] * 3), min_size=60, max_size=60),
)
def test_a_sound_training_gets_no_advice(count, top, floor, noise):
    pace = count / 8
    train_loss, val_loss, dice = settling(1.4, floor, pace), settling(1.5, floor + 0.1, pace), settling(0.0, top, pace)
    epochs = history(
        count,
        train_loss=lambda t: train_loss(t) + noise[t][0],
        val_loss=lambda t: val_loss(t) + noise[t][1],
        val_dice=lambda t: dice(t) + noise[t][2],
    )
    assert advise(epochs, [(share, 0.8) for share in (0.01, 0.3) for _ in range(10)]) == []


@pytest.mark.parametrize("curve", sorted(set(CURVES) - {"empty"}))
def test_four_epochs_are_too_few(curve):
    assert advise(CURVES[curve][:4], SMALL_MISSED) == []


@pytest.mark.parametrize("count", [1, 2, 4])
def test_nothing_found_is_told_however_few_the_epochs(count):
    (advice,) = advise(CURVES["empty"][:count], [])
    assert "stayed below 0.01" in advice


def test_no_epochs_no_advice():
    assert advise([], []) == []


def test_epochs_without_any_class_to_validate_on_say_nothing():
    assert advise(history(10, train_loss=FALLS, val_loss=VAL_FALLS, val_dice=lambda t: math.nan), []) == []


@pytest.mark.parametrize("curve", UNSURE)
def test_what_is_not_sure_is_not_told(curve):
    assert advise(UNSURE[curve], []) == []


@pytest.mark.parametrize(
    "cases",
    [
        SMALL_MISSED[:4] + SMALL_MISSED[-4:],
        [(share, dice - 0.5 * (dice > 0.3)) for share, dice in SMALL_MISSED],
        [(0.1 + share / 10, dice) for share, dice in SMALL_MISSED],
        [(share, math.nan if share < 0.01 else dice) for share, dice in SMALL_MISSED],
        [(0.0 if share < 0.01 else share, dice) for share, dice in SMALL_MISSED],
    ],
    ids=["few", "all missed", "of like size", "without Dice", "absent"],
)
def test_small_targets_are_told_only_where_it_is_sure(cases):
    assert advise(SOUND, cases) == []
