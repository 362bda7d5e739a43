"""Parameters that are right each for itself and cannot work together, told in one message before anything runs."""

from collections.abc import Iterator, Mapping
from typing import Any

from seglib import losses, models, plugins
from seglib.config import parse, section
from seglib.sections.augment import Augment, misfits, preset
from seglib.sections.network import EncoderNetwork, Model, Network
from seglib.sections.objective import Loss, Objective
from seglib.sections.optimizer import Optimizer
from seglib.sections.pixels import Pixels
from seglib.sections.train import Train


def conflicts(params: Mapping[str, Any], dims: int, *, overlapping: bool | None) -> list[str]:
    """What cannot work together, one message each.

    `dims`: spatial dimensions of the samples; `overlapping`: whether their classes overlap, None where
    that is not known yet.
    """
    return [
        *_network(params, dims),
        *_head(params, overlapping=overlapping),
        *_size(params, dims),
        *_augment(params, dims),
        *_training(params),
    ]


def pixels_of(params: Mapping[str, Any]) -> Pixels:
    """The part of `preprocess` that belongs to the model."""
    asked = {key: value for key, value in params["preprocess"].items() if key in Pixels.model_fields}
    return parse(Pixels, asked, "preprocess")


def _chosen(params: Mapping[str, Any]) -> tuple[str, Network]:
    name = section(params, "model", Model).name
    options = plugins.options(plugins.load(models, name), params)
    assert isinstance(options, Network)
    return name, options


def _network(params: Mapping[str, Any], dims: int) -> Iterator[str]:
    name, network = _chosen(params)
    if dims not in network.DIMS:
        yield (
            f"model.name: {name} takes no {'volumes' if dims == 3 else 'images'} (the data has {dims} spatial "
            "dimensions); `seg models` lists what takes which, data.<name>.take chooses slices or volumes"
        )
    yield from (f"model.{name}.{misfit}" for misfit in network.misfits(dims))
    wanted = len(section(params, "loss", Objective).deep_supervision)
    if wanted > network.outputs:
        yield (
            f"loss.deep_supervision: {wanted} weights, but model {name} has "
            f"{network.outputs} output{'s'[: network.outputs > 1]}; give as many at most, or []"
        )
    if isinstance(network, EncoderNetwork):
        if network.freeze and not network.weights:
            yield f"model.{name}.freeze: would keep random weights, for model.{name}.weights is empty; set it, or false"
    elif section(params, "optimizer", Optimizer).encoder_lr != 1:
        yield f"optimizer.encoder_lr: model {name} has no encoder with a rate of its own; set 1.0"


def _head(params: Mapping[str, Any], *, overlapping: bool | None) -> Iterator[str]:
    head, loss = section(params, "model", Model).head, section(params, "loss", Objective).name
    options = plugins.options(plugins.load(losses, loss), params)
    assert isinstance(options, Loss)
    if overlapping and head == "softmax":
        yield "model.head: softmax excludes classes, but those of the data overlap; set sigmoid or auto"
    found = head if head != "auto" or overlapping is None else "sigmoid" if overlapping else "softmax"
    if found not in ("auto", *options.HEADS):
        able = " or ".join(options.HEADS)
        yield f"loss.name: {loss} trains a {able} head (found {found}); set model.head or another loss"


def _size(params: Mapping[str, Any], dims: int) -> Iterator[str]:
    pixels = pixels_of(params)
    try:
        sides = pixels.sides(dims)
    except ValueError as error:
        yield f"{error}; give one for each axis, or one number for all"
        return
    if section(params, "model", Model).padding:
        return
    name, network = _chosen(params)
    if sides is None or pixels.resize == "native":
        yield "model.padding: false needs one known size: preprocess.image_size in pixels with resize: stretch or pad"
    elif any(side % network.divisor for side in sides):
        yield (
            f"preprocess.image_size: {list(sides)} is no multiple of {network.divisor}, which model {name} needs "
            "where model.padding is false"
        )
    elif all(side == network.divisor for side in sides):
        yield (
            f"preprocess.image_size: {list(sides)} leaves model {name} one pixel at its bottom, too little for a norm; "
            f"set {2 * network.divisor} or more, or model.padding: true"
        )


def _augment(params: Mapping[str, Any], dims: int) -> Iterator[str]:
    name = section(params, "augment", Augment).name
    if misfit := misfits(preset(params, name), dims):
        yield f"augment.name: {name} has {misfit}"


def _training(params: Mapping[str, Any]) -> Iterator[str]:
    train, optimizer = section(params, "train", Train), section(params, "optimizer", Optimizer)
    processes = train.devices * train.nodes
    if train.batch_size % (processes * train.accumulate):
        yield (
            f"train.batch_size: {train.batch_size} does not divide among {processes} "
            f"process{'es'[: 2 * (processes > 1)]} and {train.accumulate} parts (train.accumulate)"
        )
    if train.precision == "fp16" and train.device == "cpu":
        yield "train.precision: fp16 needs a GPU (train.device is cpu); set auto, bf16 or fp32"
    if train.strategy == "fsdp" and train.device == "cpu":
        yield "train.strategy: fsdp needs GPUs (train.device is cpu); set auto or ddp"
    if train.strategy == "fsdp" and optimizer.ema:
        yield "optimizer.ema: cannot average weights that fsdp spreads over devices; set 0.0 or train.strategy: ddp"
