"""What each network costs at the size of the images: `seg models`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median_low
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils.flop_counter import FlopCounterMode

from seglib import models, plugins
from seglib.compatibility import pixels_of
from seglib.config import section
from seglib.errors import SegError
from seglib.head import Head
from seglib.io.resize import geometry
from seglib.padding import Padded
from seglib.paths import INDEX
from seglib.sections.data import Data
from seglib.sections.network import Model, Network, Shape

IMAGES = 2
"""Measured together, since batch norm needs more than one value."""
SIDE = 256
"""Pixels a side, where neither the parameters nor an index of the data set tell."""
HEADER = ("network", "parameters", "GFLOPs", "MiB to train")


@dataclass(frozen=True)
class Cost:
    """Of one image."""

    parameters: int
    flops: int
    """Of the forward pass; a multiplication and an addition count as two."""
    saved: int
    """Bytes kept for the backward pass in float32, without the weights."""


def model_table(params: Mapping[str, Any], shape: Shape, space: tuple[int, ...]) -> str:
    """Describe every network as `params` define it, for images of the sides `space`, one a line.

    Raises SegError where options are wrong.
    """
    rows = [HEADER, *(_row(name, params, shape, space) for name in plugins.names(models))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in rows]
    image = " × ".join(map(str, (shape.channels, *space)))
    title = f"one image of {image} in float32, {shape.planes} planes of logits; GFLOPs of the forward pass"
    return "\n".join([title, *("  ".join(line).rstrip() for line in lines)])


def _row(name: str, params: Mapping[str, Any], shape: Shape, space: tuple[int, ...]) -> tuple[str, ...]:
    plugin = plugins.load(models, name)
    options = plugins.options(plugin, params)
    assert isinstance(options, Network)
    if shape.dims not in options.DIMS:
        return name, f"not in {shape.dims}-D", "", ""
    spent = cost(Padded(plugin.build(options, shape), options.divisor), (shape.channels, *space))
    return name, f"{spent.parameters:,}", f"{spent.flops / 1e9:,.1f}", f"{spent.saved / 2**20:,.1f}"


def cost(network: nn.Module, image: tuple[int, ...]) -> Cost:
    """Measure a training step on an image [channels, *space] without computing it.

    Moves `network` to the device `meta`, where tensors have a shape and no content.
    """
    network = network.to("meta").train()
    kept: dict[StorageWeakRef, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[StorageWeakRef(storage)] = storage.nbytes()
        return tensor

    with FlopCounterMode(display=False) as counter, saved_tensors_hooks(keep, lambda tensor: tensor):
        logits = network(torch.empty(IMAGES, *image, device="meta"))
    weights = {StorageWeakRef(tensor.untyped_storage()) for tensor in network.state_dict().values()}
    saved = sum(size for storage, size in kept.items() if storage not in weights)
    del logits  # it kept the storages alive, so that none was taken for another
    parameters = sum(weight.numel() for weight in network.parameters())
    return Cost(parameters, counter.get_total_flops() // IMAGES, saved // IMAGES)


def configured_images(params: Mapping[str, Any]) -> tuple[Shape, tuple[int, ...]]:
    """What the networks would be built for, and the sides of an image in training.

    From the index of the data set where there is one; else 3 channels, 2 classes and `SIDE`.
    Raises SegError where parameters are wrong.
    """
    name, model = section(params, "data", Data).name, section(params, "model", Model)
    dims = 3 if (params["data"].get(name) or {}).get("take") == "volume" else 2
    index = _index(name, dims)
    facts = index["dataset"] if index else {"channels": 3, "classes": range(2), "overlapping": False}
    overlapping = facts["overlapping"]
    sigmoid = overlapping if model.head == "auto" else model.head == "sigmoid"
    head = Head(len(facts["classes"]), sigmoid=sigmoid, overlapping=overlapping)
    return Shape(dims, facts["channels"], head.planes), _space(params, dims, index)


def _index(name: str, dims: int) -> Mapping[str, Any] | None:
    """The index, unless it is of another data set or of slices in place of volumes."""
    if not INDEX.exists():
        return None
    try:
        index = json.loads(INDEX.read_text())
        fits = index["dataset"]["name"] == name and len(index["samples"][0]["shape"]) == dims
    except (ValueError, LookupError):
        raise SegError(f"{INDEX} is damaged; run `dvc repro preprocess`") from None
    return index if fits else None


def _space(params: Mapping[str, Any], dims: int, index: Mapping[str, Any] | None) -> tuple[int, ...]:
    pixels = pixels_of(params)
    try:
        sides = pixels.sides(dims)
    except ValueError as error:
        raise SegError(str(error)) from None
    if sides or not index:
        return sides or (SIDE,) * dims
    canvases = [geometry(tuple(sample["shape"]), sample["spacing"], pixels).canvas for sample in index["samples"]]
    return tuple(median_low(axis) for axis in zip(*canvases, strict=True))
