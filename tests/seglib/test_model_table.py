"""`seg models`: costs that can be worked out by hand, and the table of all networks."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from seglib import models, plugins
from seglib.cli import main
from seglib.config import read_params
from seglib.errors import SegError
from seglib.model_table import Cost, configured_images, cost, model_table
from seglib.padding import Padded
from seglib.sections.network import Shape
from tests.project import REPOSITORY


def changed(**values):
    params = read_params()
    for place, value in values.items():
        section, _, key = place.partition("__")
        params[section][key] = value
    return params


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with parameters and no data."""
    shutil.copy(REPOSITORY / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_index(shapes, name="mni152", classes=3, channels=1, *, overlapping=False):
    dataset = {"name": name, "classes": [{}] * classes, "channels": channels, "overlapping": overlapping}
    samples = [{"shape": shape, "spacing": [1.0] * len(shape)} for shape in shapes]
    Path("data").mkdir()
    Path("data/index.json").write_text(json.dumps({"dataset": dataset, "samples": samples}))


def test_a_convolution_keeps_its_input():
    layer = nn.Conv2d(3, 4, 3, padding=1)
    assert cost(layer, (3, 8, 10)) == Cost(
        parameters=4 * 3 * 9 + 4,
        flops=2 * (8 * 10) * 4 * (3 * 9),
        saved=4 * 3 * 8 * 10,
    )


def test_what_two_layers_keep_counts_once():
    layers = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.ReLU(), nn.Conv2d(2, 5, 1, bias=False))
    between = 4 * 2 * 6 * 6  # the ReLU keeps its result, which is the second convolution's input
    assert cost(layers, (1, 6, 6)) == Cost(
        parameters=2 + 10,
        flops=2 * 36 * (2 + 10),
        saved=4 * 1 * 6 * 6 + between,
    )


def test_a_convolution_of_volumes():
    layer = nn.Conv3d(2, 3, 3, padding=1, bias=False)
    assert cost(layer, (2, 4, 4, 4)) == Cost(parameters=2 * 3 * 27, flops=2 * 64 * 2 * 3 * 27, saved=4 * 2 * 64)


def test_what_is_kept_is_what_training_on_the_cpu_keeps():
    def build():
        plugin = plugins.load(models, "basic_unet")
        options = plugins.options(plugin, read_params()).model_copy(update={"features": [4, 4, 8, 8, 16, 4]})
        return plugin.build(options, Shape(2, 1, 2))

    kept = {}
    with torch.autograd.graph.saved_tensors_hooks(
        lambda tensor: kept.setdefault(tensor.data_ptr(), tensor), lambda tensor: tensor
    ):
        network = build()
        network(torch.randn(2, 1, 32, 32))
    weights = {tensor.data_ptr() for tensor in network.state_dict().values()}
    expected = sum(tensor.untyped_storage().nbytes() for place, tensor in kept.items() if place not in weights)
    assert cost(build(), (1, 32, 32)).saved == expected // 2


def test_a_padded_image_costs_what_the_multiple_costs():
    layer = Padded(nn.Conv2d(1, 1, 1), divisor=4)
    assert cost(layer, (1, 9, 5)) == Cost(parameters=2, flops=2 * 12 * 8, saved=4 * 12 * 8)


def test_the_table_has_a_line_for_each_network():
    title, header, *rows = model_table(read_params(), Shape(2, 1, 2), (20, 33)).splitlines()
    assert title == "one image of 1 × 20 × 33 in float32, 2 planes of logits; GFLOPs of the forward pass"
    assert header.split("  ")[0] == "network"
    assert [row.split()[0] for row in rows] == plugins.names(models)
    assert {len(row.split()) for row in rows} == {4}
    assert {len(row) for row in rows} == {len(header)}, "right-aligned"


def test_the_table_tells_which_networks_take_no_volumes(monkeypatch):
    monkeypatch.setattr(plugins, "names", lambda _: ["unet", "vgg16_unet"])
    _, header, unet, vgg = model_table(read_params(), Shape(3, 1, 2), (5, 20, 33)).splitlines()
    assert len(unet) == len(header)
    assert vgg.split(maxsplit=1) == ["vgg16_unet", "not in 3-D"]


def test_without_an_index_three_channels_and_two_classes_are_taken(folder):
    assert configured_images(changed()) == (Shape(2, 3, 2), (256, 256))
    assert configured_images(changed(model__head="sigmoid")) == (Shape(2, 3, 1), (256, 256))
    assert configured_images(changed(preprocess__image_size=[64, 96])) == (Shape(2, 3, 2), (64, 96))
    assert configured_images(changed(data__name="msd", data__msd={"take": "volume"})) == (Shape(3, 3, 2), (256,) * 3)


def test_the_index_tells_channels_classes_and_the_median_size(folder):
    write_index([(100, 40), (60, 80), (20, 60)], channels=4)
    assert configured_images(changed()) == (Shape(2, 4, 3), (60, 60))
    assert configured_images(changed(preprocess__image_size=0.5)) == (Shape(2, 4, 3), (30, 30))
    assert configured_images(changed(preprocess__image_size=32)) == (Shape(2, 4, 3), (32, 32))
    other = changed(data__name="kvasir")
    assert configured_images(other) == (Shape(2, 3, 2), (256, 256)), "the index is of another data set"


def test_classes_that_overlap_have_a_plane_each(folder):
    write_index([(16, 16)], classes=4, overlapping=True)
    assert configured_images(changed())[0] == Shape(2, 1, 3)


def test_a_size_for_other_dimensions_is_refused(folder):
    with pytest.raises(SegError, match="has 3 sides, the samples have 2"):
        configured_images(changed(preprocess__image_size=[8, 8, 8]))


def test_the_command_prints_the_table(folder, monkeypatch, capsys):
    monkeypatch.setattr(plugins, "names", lambda _: ["unet"])
    write_index([(20, 36)])
    main(["models"])
    expected = model_table(read_params(), Shape(2, 1, 3), (20, 36))
    assert capsys.readouterr().out == expected + "\n"
