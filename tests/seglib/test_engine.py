"""The loop's decisions: which epoch is kept, when to stop, and what a step sees."""

import pytest
import torch

from seglib.engine import DivergedError, Epoch, Training
from seglib.schedulers import cosine
from tests.training import Recipe, optimizer_settings, small_network, train_settings


def replay(monkeypatch, dice, **stopping):
    """Run `fit` over epochs with the given validation Dice."""
    early = {"patience": 0, "min_delta": 0.0, **stopping}
    run = Recipe(train_settings(epochs=len(dice), early_stopping=early)).build()
    epochs = iter(Epoch(i, 0.1, 1.0, 1.0, value, 0.0, 0.0, 0.0) for i, value in enumerate(dice, 1))
    monkeypatch.setattr(Training, "_run_epoch", lambda *_: next(epochs))
    told = []
    run.fit(lambda epoch, better: told.append((epoch.epoch, better)))
    return len(run.history), [number for number, better in told if better]


def test_every_new_best_epoch_is_kept(monkeypatch):
    assert replay(monkeypatch, [0.1, 0.3, 0.2, 0.3, 0.4]) == (5, [1, 2, 5])


def test_training_stops_after_the_patience_without_gain(monkeypatch):
    assert replay(monkeypatch, [0.1, 0.3, 0.2, 0.3, 0.9], patience=2) == (4, [1, 2])


def test_a_gain_below_min_delta_does_not_count_but_is_kept(monkeypatch):
    assert replay(monkeypatch, [0.5, 0.505, 0.509, 0.9], patience=2, min_delta=0.01) == (3, [1, 2, 3])


def test_a_resumed_training_stops_where_an_undisturbed_one_does(monkeypatch):
    run = Recipe(train_settings(epochs=9, early_stopping={"patience": 2, "min_delta": 0.0})).build()
    run.history += [Epoch(i, 0.1, 1.0, 1.0, value, 0.0, 0.0, 0.0) for i, value in enumerate([0.4, 0.3, 0.3], 1)]
    run.fit(lambda *_: pytest.fail("there is nothing left to train"))


def test_it_learns_and_logs_the_learning_rate_that_each_epoch_starts_with():
    run = Recipe(schedule=cosine, options=cosine.Params(final=0.0), warmup=2).build()
    run.fit(lambda *_: None)
    assert run.history[-1].train_loss < run.history[0].train_loss
    expected = [run.rate.factor(step, []) * 0.1 for step in (0, 2, 4, 6)]
    assert [epoch.lr for epoch in run.history] == pytest.approx(expected)


def test_every_group_of_weights_follows_the_schedule():
    network = torch.nn.Sequential()
    network.add_module("encoder", torch.nn.Conv2d(1, 4, 1))
    network.add_module("decoder", torch.nn.Conv2d(4, 2, 1))
    whole = torch.nn.Sequential(small_network()[0], network)
    run = Recipe(optimizing=optimizer_settings(encoder_lr=0.1), network=whole, schedule=cosine,
                 options=cosine.Params(final=0.0)).build()  # fmt: skip
    run.fit(lambda *_: None)
    rates = [group["lr"] / group["base_lr"] for group in run.optimizer.param_groups]
    assert rates == pytest.approx([run.rate.factor(7, [])] * 2)


@pytest.mark.parametrize("clip_norm", [0.0, 1.0])
def test_a_loss_that_is_no_number_stops_with_epoch_and_step(clip_norm):
    network = small_network()
    calls = []

    def spoil(_module, _inputs, logits):
        calls.append(1)
        return logits * torch.nan if len(calls) == 2 else logits

    network.register_forward_hook(spoil)
    with pytest.raises(DivergedError, match=r"the loss is nan in epoch 1, step 2 of 2"):
        Recipe(network=network, optimizing=optimizer_settings(clip_norm=clip_norm)).build().fit(lambda *_: None)


def test_gradients_are_clipped_to_the_norm():
    run = Recipe(optimizing=optimizer_settings(name="sgd", momentum=0.0, weight_decay=0.0, clip_norm=1e-3)).build()
    before = [weight.detach().clone() for weight in run.network.parameters()]
    run.settings = run.settings.model_copy(update={"epochs": 1})
    run.fit(lambda *_: None)
    moved = torch.cat([(now - then).flatten() for now, then in zip(run.network.parameters(), before, strict=True)])
    assert 0 < moved.norm().item() <= 2 * 0.1 * 1e-3 * 1.001


def test_a_frozen_part_keeps_weights_and_statistics_and_drops_nothing():
    frozen = torch.nn.Sequential(torch.nn.BatchNorm2d(1), torch.nn.Dropout2d(0.5))
    frozen.requires_grad_(requires_grad=False)
    modes = []
    frozen[1].register_forward_hook(lambda module, *_: modes.append(module.training))
    run = Recipe(network=torch.nn.Sequential(frozen, torch.nn.Conv2d(1, 2, 1)).float()).build()
    run.network.register_forward_pre_hook(lambda _, inputs: (inputs[0].float() / 100,))
    before = {key: value.clone() for key, value in frozen.state_dict().items()}
    run.fit(lambda *_: None)
    assert all(torch.equal(value, before[key]) for key, value in frozen.state_dict().items())
    assert modes
    assert not any(modes)
