"""A small training, as the stage builds it but on four generated images, for tests of the loop's parts."""

from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import torch
from torch import nn

from seglib import plugins
from seglib.config import Section, read_params
from seglib.engine import Training
from seglib.fabric import open_fabric
from seglib.head import Head
from seglib.learning_rate import LearningRate
from seglib.loading import CachedSamples, Share, ShuffledBatches, ordered_loader, training_loader
from seglib.losses import dice_ce
from seglib.optimizers import build_optimizer
from seglib.schedulers import constant
from seglib.sections.optimizer import Optimizer
from seglib.sections.train import Train
from seglib.validation import Validator

HEAD = Head(classes=2, sigmoid=False, overlapping=False)


def train_settings(**values: Any) -> Train:
    """The `train` section of params.yaml on one CPU thread, with other values."""
    base = {"epochs": 4, "batch_size": 2, "lr": 0.1, "device": "cpu", "threads": 1, "precision": "fp32"}
    return Train.model_validate(read_params()["train"] | base | values)


def optimizer_settings(**values: Any) -> Optimizer:
    """The `optimizer` section of params.yaml with other values."""
    return Optimizer.model_validate(read_params()["optimizer"] | values)


def cases(number: int = 4, height: int = 8) -> dict[str, dict[str, torch.Tensor]]:
    """Images [1, height, 8] whose right part, wider from case to case, is bright and foreground."""
    found = {}
    for i in range(number):
        mask = torch.zeros(height, 8, dtype=torch.uint8)
        mask[:, 3 + i % 4 :] = 1
        noise = torch.randint(0, 40, mask.shape, generator=torch.Generator().manual_seed(i)).to(torch.uint8)
        found[f"case{i}"] = {"image": (mask * 100 + noise)[None], "mask": mask}
    return found


class Scaled(nn.Module):
    """Raw values to about one."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.float() / 100


def small_network() -> nn.Sequential:
    """Two convolutions with dropout between them, seeded."""
    torch.manual_seed(0)
    return nn.Sequential(Scaled(), nn.Conv2d(1, 4, 3, padding=1), nn.Dropout2d(0.2), nn.Conv2d(4, 2, 1))


@dataclass
class Recipe:
    """What `build` puts together; every part has a plain default."""

    settings: Train = field(default_factory=train_settings)
    optimizing: Optimizer = field(default_factory=optimizer_settings)
    network: nn.Module = field(default_factory=small_network)
    schedule: ModuleType = constant
    options: Section = field(default_factory=constant.Params)
    warmup: int = 0
    number: int = 4

    def loss(self) -> nn.Module:
        """Dice over the whole batch plus cross-entropy."""
        options = plugins.options(dice_ce, read_params())
        assert isinstance(options, dice_ce.Params)
        return dice_ce.build(options, HEAD, torch.ones(HEAD.planes))

    def build(self) -> Training:
        """A training that is ready to run."""
        fabric, loss, cache = open_fabric(self.settings), self.loss(), cases(self.number)
        share = Share(fabric.global_rank, fabric.world_size)
        optimizer = build_optimizer(self.optimizing, self.settings.lr, self.network)
        model, optimizer = fabric.setup(self.network, optimizer)
        batches = ShuffledBatches(len(cache), self.settings.batch_size, self.settings.seed, share)
        loader = training_loader(CachedSamples(cache, list(cache)), batches, 0)
        val_loader = ordered_loader(CachedSamples(cache, list(cache)), self.settings.batch_size, 0, share)
        steps = len(batches) * self.settings.epochs
        return Training(
            fabric,
            self.network,  # pyright: ignore[reportArgumentType]
            model,
            optimizer,
            LearningRate(self.schedule, self.options, self.warmup, steps),
            loss,
            loader,
            batches,
            Validator(fabric, loss, HEAD, val_loader, len(cache), self.settings.batch_size, share, None),
            self.settings,
            clip_norm=self.optimizing.clip_norm,
        )
