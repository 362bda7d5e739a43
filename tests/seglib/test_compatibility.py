"""What cannot work together is told, and nothing else is."""

import copy
import re
from typing import Any

import pytest

from seglib.compatibility import conflicts, pixels_of
from seglib.config import read_params, read_yaml
from tests.project import REPOSITORY

DEFAULTS = read_params()
RECIPES = sorted(file.stem for file in (REPOSITORY / "recipes").glob("*.yaml"))


def changed(values: dict[str, Any]) -> dict[str, Any]:
    """The defaults with dotted keys set."""
    params = copy.deepcopy(DEFAULTS)
    for key, value in values.items():
        *parents, last = key.split(".")
        section = params
        for parent in parents:
            section = section[parent]
        section[last] = value
    return params


PIXELS = {"preprocess.image_size": [48, 64]}
DYNUNET = {"model.name": "dynunet", "model.dynunet.channels": [8, 16, 32, 32]}
CONFLICTS: dict[str, tuple[dict[str, Any], str]] = {
    "strides of volumes": (
        {"model.unet.strides": [[1, 2, 2], 2, 2]},
        r"model\.unet\.strides: \[1, 2, 2\] names 3 axes",
    ),
    "transforms of volumes": ({"augment.name": "volume"}, r"augment\.name: volume has RandFlip.*made for volumes"),
    "too many outputs": (
        {"loss.deep_supervision": [1.0, 0.5]},
        r"loss.deep_supervision: 2 weights, but model unet has 1 output; give as many at most",
    ),
    "more outputs than there are": (
        {**DYNUNET, "loss.deep_supervision": [1.0] * 9},
        r"loss.deep_supervision: 9 weights, but model dynunet has \d outputs;",
    ),
    "frozen random weights": (
        {"model.name": "deeplabv3plus", "model.deeplabv3plus.freeze": True},
        r"model.deeplabv3plus.freeze: .*random weights, .*model.deeplabv3plus.weights is empty",
    ),
    "no encoder": ({"optimizer.encoder_lr": 0.1}, r"optimizer.encoder_lr: model unet has no encoder"),
    "sigmoid loss for a softmax head": (
        {"loss.name": "bce", "model.head": "softmax"},
        r"loss.name: bce trains a sigmoid head \(found softmax\)",
    ),
    "scale without padding": (
        {"model.padding": False, "preprocess.image_size": 1.0},
        r"model.padding: false needs one known size: .*preprocess.image_size in pixels",
    ),
    "native without padding": (
        {"model.padding": False, "preprocess.image_size": 64, "preprocess.resize": "native"},
        r"model.padding: false needs one known size",
    ),
    "no multiple": (
        {"model.padding": False, "preprocess.image_size": [64, 60]},
        r"preprocess.image_size: \[64, 60\] is no multiple of 8, which model unet needs",
    ),
    "one pixel at the bottom": (
        {"model.padding": False, "preprocess.image_size": 8},
        r"preprocess.image_size: \[8, 8\] leaves model unet one pixel at its bottom.*set 16 or more, or model.pad",
    ),
    "sides of a volume": (
        {"preprocess.image_size": [8, 64, 64]},
        r"preprocess.image_size: \[8, 64, 64\] has 3 sides, the samples have 2; give one for each axis",
    ),
    "sides of a volume without padding": (
        {"preprocess.image_size": [8, 64, 64], "model.padding": False},
        r"preprocess.image_size: \[8, 64, 64\] has 3 sides, the samples have 2",
    ),
    "uneven parts": (
        {"train.batch_size": 4, "train.accumulate": 3},
        r"train.batch_size: 4 does not divide among 1 process and 3 parts \(train.accumulate\)",
    ),
    "uneven processes": (
        {"train.batch_size": 6, "train.devices": 2, "train.nodes": 2},
        r"train.batch_size: 6 does not divide among 4 processes and 1 parts",
    ),
    "fp16 on a CPU": ({"train.precision": "fp16", "train.device": "cpu"}, r"train.precision: fp16 needs a GPU"),
    "fsdp on a CPU": ({"train.strategy": "fsdp", "train.device": "cpu"}, r"train.strategy: fsdp needs GPUs"),
    "averaged fsdp": (
        {"train.strategy": "fsdp", "optimizer.ema": 0.99, "train.device": "auto"},
        r"optimizer.ema: cannot average weights that fsdp spreads over devices",
    ),
}
"""Name → the values that conflict, and the one message."""
ALLOWED: dict[str, dict[str, Any]] = {
    "the defaults": {},
    "outputs of a network that has them": {**DYNUNET, "loss.deep_supervision": [1.0, 0.5]},
    "a slower encoder": {"model.name": "deeplabv3plus", "optimizer.encoder_lr": 0.1},
    "frozen published weights": {
        "model.name": "deeplabv3plus",
        "model.deeplabv3plus.freeze": True,
        "model.deeplabv3plus.weights": "/a.pth",
        "model.deeplabv3plus.sha256": "0" * 64,
    },
    "a loss of both heads": {"loss.name": "dice", "model.head": "sigmoid"},
    "a sigmoid loss for its head": {"loss.name": "bce", "model.head": "sigmoid"},
    "multiples without padding": {**PIXELS, "model.padding": False},
    "two pixels at the bottom": {"model.padding": False, "preprocess.image_size": [8, 16]},
    "the least size with padding": {"preprocess.image_size": 8},
    "parts of shares": {"train.batch_size": 12, "train.devices": 3, "train.accumulate": 2},
    "fp16 where there may be a GPU": {"train.precision": "fp16", "train.device": "auto"},
    "averaged ddp": {"train.strategy": "ddp", "optimizer.ema": 0.99},
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_each_conflict_is_told_alone(name):
    values, said = CONFLICTS[name]
    told = conflicts(changed(values), 2, overlapping=False)
    assert len(told) == 1
    assert re.match(said, told[0])


@pytest.mark.parametrize("name", ALLOWED)
def test_what_works_is_left_in_peace(name):
    assert conflicts(changed(ALLOWED[name]), 2, overlapping=False) == []


@pytest.mark.parametrize(("model", "dims", "kind"), [("deeplabv3", 3, "volumes"), ("vgg16_unet", 3, "volumes")])
def test_a_network_of_other_dimensions_is_told(model, dims, kind):
    told = conflicts(changed({"model.name": model, "augment.name": "none"}), dims, overlapping=False)
    assert told == [
        f"model.name: {model} takes no {kind} (the data has {dims} spatial dimensions); "
        "`seg models` lists what takes which, data.<name>.take chooses slices or volumes"
    ]


def test_overlapping_classes_need_a_sigmoid_head():
    told = conflicts(changed({"model.head": "softmax"}), 2, overlapping=True)
    assert told == ["model.head: softmax excludes classes, but those of the data overlap; set sigmoid or auto"]
    assert conflicts(changed({"model.head": "auto"}), 2, overlapping=True) == []


@pytest.mark.parametrize(("overlapping", "conflict"), [(None, False), (True, False), (False, True)])
def test_the_automatic_head_conflicts_with_a_loss_only_once_the_data_is_known(overlapping, conflict):
    assert bool(conflicts(changed({"loss.name": "bce"}), 2, overlapping=overlapping)) == conflict


def test_several_conflicts_are_told_together():
    values = {
        **CONFLICTS["too many outputs"][0],
        **CONFLICTS["no encoder"][0],
        **CONFLICTS["no multiple"][0],
        **CONFLICTS["uneven parts"][0],
        **CONFLICTS["fp16 on a CPU"][0],
    }
    assert [message.partition(":")[0] for message in conflicts(changed(values), 2, overlapping=False)] == [
        "loss.deep_supervision",
        "optimizer.encoder_lr",
        "preprocess.image_size",
        "train.batch_size",
        "train.precision",
    ]


@pytest.mark.parametrize("name", RECIPES)
def test_no_recipe_holds_a_conflict(name):
    params = merged(copy.deepcopy(DEFAULTS), read_yaml(REPOSITORY / f"recipes/{name}.yaml"))
    options = params["data"][params["data"]["name"]] or {}
    assert conflicts(params, 3 if options.get("take") == "volume" else 2, overlapping=None) == []


def merged(params: dict[str, Any], recipe: dict[str, Any]) -> dict[str, Any]:
    """The parameters with the recipe's values."""
    for key, value in recipe.items():
        params[key] = merged(params[key], value) if isinstance(value, dict) else value
    return params


def test_pixels_are_the_part_of_preprocess_that_belongs_to_the_model():
    assert pixels_of(changed(PIXELS)).image_size == [48, 64]
