"""Smaller variants: the same model within bounds, the same bytes every time, and nothing printed."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from seglib.checkpoint import build_segmenter
from seglib.deployed import open_model
from seglib.errors import SegError
from seglib.formats import onnx as onnx_format
from seglib.formats import openvino as openvino_format
from seglib.openvino_runtime import core
from seglib.quantisation import halve_onnx, halve_openvino, quantise_onnx, quantise_openvino
from tests.model_cards import card
from tests.project import REPOSITORY

CPU = torch.device("cpu")
OPTIONS = {"channels": [8, 32, 64], "strides": [], "num_res_units": 1, "dropout": 0.0}
CONVERSIONS = {
    quantise_onnx: (onnx_format, 0.02, 0.35),
    halve_onnx: (onnx_format, 0.002, 0.6),
    quantise_openvino: (openvino_format, 0.02, 0.5),
    halve_openvino: (openvino_format, 0.005, 0.8),
}
"""conversion → format, mean error of probabilities, size as a share of the plain file."""


@dataclass(frozen=True)
class Made:
    """A model with its plain files."""

    segmenter: Any
    card: Any
    plain: dict[Any, Path]
    images: list[np.ndarray]


def pictures(number, *sides):
    """Smooth raw images of different brightness, uint8 [3, *sides]."""
    random = np.random.default_rng(0)
    grids = np.meshgrid(*[np.linspace(0, 3, side) for side in sides], indexing="ij")
    waves = [
        sum(np.sin(random.uniform(1, 3) * grid + random.uniform(0, 6)) for grid in grids) for _ in range(3 * number)
    ]
    return list((np.stack(waves).reshape(number, 3, *sides) * 40 + 128).clip(0, 255).astype(np.uint8))


def make(folder, dims=2):
    torch.manual_seed(0)
    own = card(options=OPTIONS, dims=dims)
    segmenter = build_segmenter(own, torch.tensor([90.0, 110.0, 130.0]), torch.tensor([45.0, 55.0, 65.0])).eval()
    plain = {form: folder / f"plain{form.SUFFIX}" for form in (onnx_format, openvino_format)}
    for form, path in plain.items():
        form.write(path, segmenter, own)
    return Made(segmenter, own, plain, pictures(6, *[48, 40, 24][:dims]))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make(tmp_path_factory.mktemp("plain"))


def files(path):
    """The contents of the file and of those beside it of the same name."""
    return {part.suffix: part.read_bytes() for part in path.parent.glob(f"{path.stem}.*")}


@pytest.fixture(scope="module", params=CONVERSIONS, ids=lambda conversion: conversion.__name__)
def converted(request, made, tmp_path_factory):
    form = CONVERSIONS[request.param][0]
    path = tmp_path_factory.mktemp("converted") / f"model{form.SUFFIX}"
    request.param(made.plain[form], path, made.images, made.card)
    return request.param, path


def errors(path, made, raw):
    """Of the probabilities."""
    logits, own = open_model(path, CPU, 1)
    assert own == made.card
    with torch.inference_mode():
        wanted = made.segmenter(raw)
    found = logits(raw)
    assert found.dtype == torch.float32
    assert found.shape == wanted.shape
    return (found.softmax(1) - wanted.softmax(1)).abs()


def test_probabilities_stay_at_any_batch_and_size(converted, made):
    conversion, path = converted
    most = CONVERSIONS[conversion][1]
    for raw in (pictures(6, 48, 40), pictures(1, 37, 83), pictures(2, 64, 64)):
        assert errors(path, made, torch.from_numpy(np.stack(raw))).mean() <= most


def test_files_are_smaller(converted, made):
    conversion, path = converted
    form, _, most = CONVERSIONS[conversion]
    sizes = [sum(map(len, files(each).values())) for each in (path, made.plain[form])]
    assert sizes[0] <= most * sizes[1]


def test_equal_models_give_equal_bytes_without_a_word(converted, made, tmp_path, capfd):
    conversion, path = converted
    again = tmp_path / path.name
    tensors = [torch.from_numpy(image) for image in made.images]
    conversion(made.plain[CONVERSIONS[conversion][0]], again, tensors, made.card)
    assert files(again) == files(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("conversion", [quantise_onnx, quantise_openvino])
def test_ranges_need_images(conversion, made, tmp_path):
    with pytest.raises(SegError, match=r"no images to find 8-bit ranges on; set export.calibration to 1 or more"):
        conversion(made.plain[CONVERSIONS[conversion][0]], tmp_path / "model", [], made.card)


def test_weights_of_onnx_are_8_bits(made, tmp_path):
    quantise_onnx(made.plain[onnx_format], tmp_path / "model.onnx", made.images, made.card)
    graph = onnx.load(tmp_path / "model.onnx").graph
    kinds = {tensor.name: tensor.data_type for tensor in graph.initializer}
    plain = onnx.load(made.plain[onnx_format]).graph
    kernels = [node.input[1] for node in plain.node if node.op_type in ("Conv", "ConvTranspose")]
    assert [kinds[f"{name}_quantized"] for name in kernels] == [onnx.TensorProto.INT8] * len(kernels)
    assert not {name for name in kernels if name in kinds}


def test_weights_of_openvino_are_8_bits_and_convolutions_ordinary(made, tmp_path):
    quantise_openvino(made.plain[openvino_format], tmp_path / "model.xml", made.images, made.card)
    operations = core().read_model(tmp_path / "model.xml").get_ordered_ops()
    kernels = [node.input_value(1).get_node() for node in operations if node.get_type_name() == "Convolution"]
    layers = [
        layer for layer in made.segmenter.modules() if isinstance(layer, (torch.nn.Conv2d, torch.nn.ConvTranspose2d))
    ]
    assert len(kernels) == len(layers)
    scaled = [kernel.input_value(0).get_node() for kernel in kernels]
    assert {node.input_value(0).get_element_type().get_type_name() for node in scaled} == {"i8"}
    assert not [node for node in operations if node.get_type_name() == "ConvolutionBackpropData"]


def test_large_weights_become_the_largest_of_16_bits(made, tmp_path):
    graph = onnx.load(made.plain[onnx_format])
    tensor = max(graph.graph.initializer, key=lambda each: len(each.raw_data))
    values = onnx.numpy_helper.to_array(tensor).copy()
    values.flat[:2] = 1e6, -1e6
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    onnx.save(graph, tmp_path / "large.onnx")
    halve_onnx(tmp_path / "large.onnx", tmp_path / "half.onnx", made.images, made.card)
    halves = {
        each.name: onnx.numpy_helper.to_array(each) for each in onnx.load(tmp_path / "half.onnx").graph.initializer
    }
    found = halves[f"{tensor.name}_16"]
    assert found.dtype == np.float16
    assert found.flat[:2].tolist() == [65504, -65504]


@pytest.mark.parametrize("conversion", [quantise_onnx, quantise_openvino])
def test_volumes_are_converted_too(conversion, tmp_path):
    made = make(tmp_path, dims=3)
    form, most, _ = CONVERSIONS[conversion]
    conversion(made.plain[form], tmp_path / f"model{form.SUFFIX}", made.images, made.card)
    raw = torch.from_numpy(np.stack(pictures(2, 24, 16, 20)))
    assert errors(tmp_path / f"model{form.SUFFIX}", made, raw).mean() <= most


@pytest.mark.slow
def test_nothing_is_sent_and_nothing_is_left_at_home(made, tmp_path):
    code = (
        "import pathlib, socket, sys, threading; import numpy as np; "
        "socket.socket.connect = lambda *_: sys.exit('a connection'); "
        "from seglib.formats.openvino import read; from seglib.quantisation import quantise_openvino; "
        "source, target = map(pathlib.Path, sys.argv[1:]); _, card = read(source, 1); "
        "quantise_openvino(source, target, [np.zeros((3, 32, 32), np.uint8)] * 2, card); "
        "assert not [thread for thread in threading.enumerate() if 'elemetry' in thread.name]"
    )
    home = tmp_path / "home"
    home.mkdir()
    subprocess.run(
        [sys.executable, "-c", code, str(made.plain[openvino_format]), str(tmp_path / "model.xml")],
        cwd=REPOSITORY, env={**os.environ, "HOME": str(home), "CI": ""}, check=True, timeout=300,
    )  # fmt: skip
    assert (tmp_path / "model.xml").is_file()
    assert list(home.iterdir()) == []
