"""From parameters, cache and split to a training that is ready to run."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from seglib import losses, models, plugins
from seglib.augmenters import augmenter
from seglib.checkpoint import Card, Segmenter, build_segmenter
from seglib.class_weights import class_weights
from seglib.compatibility import conflicts, pixels_of
from seglib.config import section
from seglib.deep_supervision_loss import DeepSupervisionLoss
from seglib.ema import Average
from seglib.encoder_weights import load_encoder
from seglib.engine import Training
from seglib.errors import SegError
from seglib.fingerprint import stage_versions
from seglib.foreground import foreground_share
from seglib.head import Head
from seglib.io.cache import open_cache
from seglib.leakage import digests
from seglib.learning_rate import learning_rate
from seglib.loading import CachedSamples, Share, ShuffledBatches, channel_statistics, ordered_loader, training_loader
from seglib.optimizers import build_optimizer
from seglib.padding import Padded
from seglib.sections.augment import Augment, preset
from seglib.sections.network import NO_WEIGHTS, EncoderNetwork, Model
from seglib.sections.objective import Objective
from seglib.sections.optimizer import Optimizer
from seglib.sections.train import Train
from seglib.seeding import seed_for
from seglib.splitting import read_split
from seglib.validation import Validator

SMALL = 0.25
"""Share of the training images, those with the least foreground, that count as small targets."""


class Setup:
    """Reads the stage's inputs once; `card` describes the model, `training` builds what `fit` runs."""

    def __init__(
        self, params: Mapping[str, Any], index: Path, cache: Path, split: Path, *, stage: str = "train"
    ) -> None:
        """Read index, cache and split for the stage that trains.

        Raises SegError, with all of them, for parameters that cannot work together.
        """
        self.params, self.stage = params, stage
        self.settings = section(params, "train", Train)
        self.objective = section(params, "loss", Objective)
        self.index = json.loads(index.read_text())
        self.cache, self.sides = open_cache(cache), read_split(split)
        self.dims = next(iter(self.cache.values()))["mask"].ndim
        overlapping = self.index["dataset"]["overlapping"]
        if found := [*conflicts(params, self.dims, overlapping=overlapping), *self._conflicts_with_the_data()]:
            raise SegError("\n  ".join(["these parameters cannot work together:", *found]))
        self.pixels = pixels_of(params)
        self.card = self._card(overlapping=overlapping)
        self.crop = self.pixels.crop(self.dims)

    def _conflicts_with_the_data(self) -> Iterator[str]:
        weights, classes = self.objective.class_weights, len(self.index["dataset"]["classes"])
        if isinstance(weights, list) and len(weights) != classes:
            yield (
                f"loss.class_weights: {len(weights)} numbers for {classes} classes; "
                "give one a class, the background first"
            )
        if not any(self._pixels("val")[1:]):
            yield "split: no image of the validation side shows a foreground class; take another split.seed or share"

    def _pixels(self, side: str) -> list[int]:
        """Of each class on a side, at native size."""
        facts = {fact["id"]: fact for fact in self.index["samples"]}
        return np.sum([facts[i]["pixels"] for i in self.sides[side]], axis=0).tolist()

    def _card(self, *, overlapping: bool) -> Card:
        model = section(self.params, "model", Model)
        return Card(
            model=model.name,
            options=_without_encoder_file(self.params["model"][model.name]),
            dims=self.dims,
            outputs=max(1, len(self.objective.deep_supervision)),
            sigmoid=overlapping if model.head == "auto" else model.head == "sigmoid",
            padding=model.padding,
            dataset=self.index["dataset"],
            pixels=self.pixels.model_dump(),
            versions=stage_versions(self.stage),
            types=self._types(),
            data=self._data(),
            seen=self._seen(),
        )

    def _types(self) -> list[str]:
        ids = {*self.sides["train"], *self.sides["val"]}
        return sorted({fact["dtype"] for fact in self.index["samples"] if fact["id"] in ids})

    def _data(self) -> str:
        """In the order of the ids, which count as well."""
        ids = {*self.sides["train"], *self.sides["val"]}
        facts = sorted((fact["id"], fact["fingerprint"]) for fact in self.index["samples"] if fact["id"] in ids)
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def _seen(self) -> list[str]:
        """Without groups that official lists put on the test side as well, a leak that `split` has told of."""
        group = {fact["id"]: fact["group"] for fact in self.index["samples"]}
        ids = [*self.sides["train"], *self.sides["val"]]
        return digests(ids, {group[key] for key in ids} - {group[key] for key in self.sides["test"]})

    def training(self, fabric: Fabric, encoder: Path) -> Training:
        """Build network, optimiser, loss and loaders; `encoder` holds published weights, or NO_WEIGHTS."""
        return self._training(fabric, lambda side: self._network(fabric, side, encoder))

    def further_training(self, fabric: Fabric, network: Segmenter) -> Training:
        """Build all but the network, which has weights already."""
        return self._training(fabric, lambda _: network)

    def _training(self, fabric: Fabric, build: Callable[[CachedSamples], Segmenter]) -> Training:
        settings, share = self.settings, Share(fabric.global_rank, fabric.world_size)
        side = self.training_side()
        if share.world > 1 and len(side.sizes()) > 1:
            raise SegError(
                f"train.devices: the {len(side.ids)} training images differ in size, and several processes need "
                "one; set preprocess.image_size in pixels, or train.devices: 1"
            )
        batches = ShuffledBatches(
            len(side), settings.batch_size, settings.seed, share, self._small_targets(), settings.small_targets
        )
        on_gpu = fabric.device.type == "cuda"
        loader = training_loader(side, batches, settings.workers, pin=on_gpu)
        validation = CachedSamples(self.cache, self.sides["val"])
        val_batch = validation.batch_size(settings.batch_size)
        val_loader = ordered_loader(validation, val_batch, settings.workers, share, pin=on_gpu)

        torch.manual_seed(seed_for(settings.seed, "weights"))
        network = build(side)
        if settings.channels_last:
            layout = torch.channels_last if self.dims == 2 else torch.channels_last_3d
            network = network.to(memory_format=layout)  # pyright: ignore[reportCallIssue]
        loss = fabric.to_device(self._loss(self.card.head))
        optimizing = section(self.params, "optimizer", Optimizer)
        average = Average(fabric.to_device(network), optimizing.ema) if optimizing.ema else None
        optimizer = build_optimizer(optimizing, settings.lr, network)
        compiled = cast(nn.Module, torch.compile(network)) if settings.compile else network
        model, optimizer = fabric.setup(compiled, optimizer)
        loader, val_loader = fabric.setup_dataloaders(loader, val_loader, use_distributed_sampler=False)
        rate = learning_rate(self.params, settings.epochs * len(batches))
        validator = Validator(fabric, loss, self.card.head, val_loader, len(validation), val_batch, share, self.crop)
        return Training(
            fabric, network, model, optimizer, rate, loss, loader, batches, validator, settings,
            clip_norm=optimizing.clip_norm, average=average,
        )  # fmt: skip

    def training_side(self) -> CachedSamples:
        """The training samples as the network sees them, cropped and augmented."""
        augment = preset(self.params, section(self.params, "augment", Augment).name)
        dtype = str(next(iter(self.cache.values()))["image"].dtype).removeprefix("torch.")
        transform = augmenter(augment, self.dims, self.card.dataset["channels"], dtype)
        settings = self.settings
        return CachedSamples(
            self.cache, self.sides["train"], settings.seed, transform, self.crop, settings.foreground_crops
        )

    def _small_targets(self) -> list[int]:
        facts = {fact["id"]: fact for fact in self.index["samples"]}
        shares = np.array([foreground_share(facts[i]) for i in self.sides["train"]])
        order = [int(i) for i in np.argsort(shares, kind="stable") if shares[i] > 0]
        return order[: max(1, round(SMALL * len(order)))]

    def _network(self, fabric: Fabric, side: CachedSamples, encoder: Path) -> Segmenter:
        network = build_segmenter(self.card, *channel_statistics(side))
        if encoder.read_bytes() != NO_WEIGHTS:
            report = load_encoder(_bare(network), encoder)
            if fabric.is_global_zero:
                print(report.describe(), flush=True)
        options = plugins.options(plugins.load(models, self.card.model), self.params)
        if isinstance(options, EncoderNetwork) and options.freeze:
            _bare(network).get_submodule("encoder").requires_grad_(requires_grad=False)
        return network

    def _loss(self, head: Head) -> nn.Module:
        plugin = plugins.load(losses, self.objective.name)
        weights = class_weights(self.objective.class_weights, head, self._pixels("train"))
        loss = plugin.build(plugins.options(plugin, self.params), head, weights)
        return DeepSupervisionLoss(loss, self.objective.deep_supervision)


def _without_encoder_file(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """The finished model needs no other file, and tells of no path."""
    neutral = {"weights": "", "sha256": "", "freeze": False}
    return {key: neutral.get(key, value) for key, value in (options or {}).items()}


def _bare(network: Segmenter) -> nn.Module:
    """The architecture without normalisation and padding."""
    return network.network.network if isinstance(network.network, Padded) else network.network
