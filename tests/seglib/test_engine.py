"""The loop's decisions: which epoch is kept, and when to stop."""

import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR

from seglib.engine import DivergedError, Epoch, Training, open_fabric
from seglib.loading import CachedSamples, ordered_loader, training_loader
from seglib.masked_losses import DiceCELoss
from seglib.sections.train import EarlyStopping, Train


def settings(epochs=10, patience=0, min_delta=0.0):
    return Train(
        epochs=epochs,
        batch_size=2,
        lr=0.1,
        seed=0,
        device="cpu",
        threads=1,
        precision="fp32",
        workers=0,
        deterministic=True,
        early_stopping=EarlyStopping(patience=patience, min_delta=min_delta),
    )


def training(chosen, lr=0.1):
    masks = {f"case{i}": torch.zeros(8, 8, dtype=torch.uint8) for i in range(4)}
    for mask in masks.values():
        mask[:, 4:] = 1
    cache = {key: {"image": mask[None] * 100, "mask": mask} for key, mask in masks.items()}
    fabric = open_fabric(chosen)
    torch.manual_seed(0)
    network = torch.nn.Sequential(ToFloat(), torch.nn.Conv2d(1, 2, 1))
    model, optimizer = fabric.setup(network, torch.optim.SGD(network.parameters(), lr))
    loader, sampler = training_loader(CachedSamples(cache, list(cache)), chosen.batch_size, 0)
    validation = ordered_loader(CachedSamples(cache, list(cache)), chosen.batch_size, 0)
    schedule = LambdaLR(optimizer, lambda step: 0.9**step)
    return Training(
        fabric,
        model,
        optimizer,
        schedule,
        DiceCELoss(1, 1, include_background=False, overlapping=False),
        loader,
        sampler,
        validation,
        chosen,
    )


class ToFloat(torch.nn.Module):
    def forward(self, images):
        return images.float() / 100


def replay(monkeypatch, dice, **chosen):
    """Run `fit` over epochs with the given validation Dice."""
    run = training(settings(epochs=len(dice), **chosen))
    epochs = iter(Epoch(i, 0.1, 1.0, 1.0, value, 0.0, 0.0) for i, value in enumerate(dice, 1))
    monkeypatch.setattr(Training, "_run_epoch", lambda *_: next(epochs))
    best = []
    history = run.fit(lambda _: None, best.append)
    return len(history), [epoch.epoch for epoch in best]


def test_every_new_best_epoch_is_kept(monkeypatch):
    assert replay(monkeypatch, [0.1, 0.3, 0.2, 0.3, 0.4]) == (5, [1, 2, 5])


def test_training_stops_after_the_patience_without_gain(monkeypatch):
    assert replay(monkeypatch, [0.1, 0.3, 0.2, 0.3, 0.9], patience=2) == (4, [1, 2])


def test_a_gain_below_min_delta_does_not_count_but_is_kept(monkeypatch):
    assert replay(monkeypatch, [0.5, 0.505, 0.509, 0.9], patience=2, min_delta=0.01) == (3, [1, 2, 3])


def test_it_learns_and_logs_the_learning_rate_of_each_epoch():
    history = training(settings(epochs=4)).fit(lambda _: None, lambda _: None)
    assert history[-1].train_loss < history[0].train_loss
    assert [epoch.lr for epoch in history] == pytest.approx([0.1 * 0.9 ** (2 * i) for i in range(4)])


def test_a_loss_that_is_no_number_stops_with_epoch_and_step():
    with pytest.raises(DivergedError, match=r"the loss is nan in epoch 1, step 2 of 2"):
        training(settings(epochs=2), lr=float("inf")).fit(lambda _: None, lambda _: None)
