"""A training that goes on from a captured state ends in the bits of an undisturbed one."""

import io

import pytest
import torch

from seglib import plugins, schedulers
from seglib.config import read_params
from seglib.ema import Average
from seglib.training_state import capture, restore, weights
from tests.training import Recipe, optimizer_settings, train_settings


def recipe(schedule, optimizer, ema, epochs):
    plugin = plugins.load(schedulers, schedule)
    settings = train_settings(epochs=epochs, accumulate=2, lr=0.01)
    built = Recipe(
        settings,
        optimizer_settings(name=optimizer, ema=ema, encoder_lr=1.0),
        schedule=plugin,
        options=plugins.options(plugin, read_params()),
        warmup=3,
    ).build()
    if ema:
        built.average = Average(built.network, ema)
    return built


def through_a_file(state):
    """As `Resume` keeps it: nothing but tensors and plain values survive."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return torch.load(io.BytesIO(buffer.getvalue()), weights_only=True)


def bits(training):
    found = {key: value.clone() for key, value in weights(training).items()}
    curve = [(epoch.epoch, epoch.lr, epoch.train_loss, epoch.val_loss, epoch.val_dice) for epoch in training.history]
    return found, curve


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("schedule", plugins.names(schedulers))
def test_resuming_gives_the_same_bits(schedule, optimizer):
    ema = 0.9 if optimizer == "adamw" else 0.0
    whole = recipe(schedule, optimizer, ema, 6)
    states = []
    whole.fit(lambda *_: states.append(through_a_file(capture(whole))))
    resumed = recipe(schedule, optimizer, ema, 6)
    torch.manual_seed(99)
    torch.rand(7)  # a new process has drawn other random numbers
    restore(resumed, states[2])
    assert len(resumed.history) == 3
    resumed.fit(lambda *_: None)
    (expected, expected_curve), (found, curve) = bits(whole), bits(resumed)
    assert curve == expected_curve
    assert all(torch.equal(found[key], expected[key]) for key in expected)
