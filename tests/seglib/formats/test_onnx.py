"""ONNX: few operations, named sizes, nothing of a stranger's."""

import subprocess
import sys
from collections import Counter

import numpy as np
import onnx
import pytest
import torch

from seglib.errors import SegError
from seglib.formats import onnx as form
from seglib.onnx_runtime import onnxruntime
from tests.contracts.test_formats import TINY, make
from tests.project import REPOSITORY


@pytest.fixture(scope="module")
def made():
    return make(options=TINY)


@pytest.fixture(scope="module")
def path(made, tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    form.write(path, made.segmenter, made.card)
    return path


def test_norms_and_activations_are_one_operation_each(path, made):
    kinds = Counter(node.op_type for node in onnx.load(path).graph.node)
    layers = Counter(type(layer).__name__ for layer in made.segmenter.modules())
    assert kinds["InstanceNormalization"] == layers["InstanceNorm2d"] > 0
    assert kinds["PRelu"] == layers["PReLU"] > 0
    assert kinds["Resize"] == 0


def test_sizes_have_names(path):
    graph = onnx.load(path).graph
    for value, planes in ((graph.input[0], 3), (graph.output[0], 2)):
        sizes = [side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim]
        assert sizes == ["batch", planes, "height", "width"]


def test_another_program_needs_onnxruntime_alone(path, made):
    session = onnxruntime().InferenceSession(path, providers=["CPUExecutionProvider"])
    raw = np.random.default_rng(0).uniform(0, 255, (1, 3, 50, 70)).astype(np.float32)
    (logits,) = session.run(["logits"], {"raw": raw})
    torch.testing.assert_close(torch.from_numpy(logits), made.logits(torch.from_numpy(raw)), atol=1e-4, rtol=1e-4)


def test_a_strangers_file_has_no_card(path, tmp_path):
    content = onnx.load(path)
    content.ClearField("metadata_props")
    onnx.save(content, tmp_path / "strange.onnx")
    with pytest.raises(SegError, match=r"strange.onnx: has no card, so it was not written by this project"):
        form.read(tmp_path / "strange.onnx", 0)


def test_nothing_is_sent_and_nothing_is_left_at_home(path, tmp_path):
    code = (
        "import sys, pathlib; from seglib.formats import onnx; "
        "logits, _ = onnx.read(pathlib.Path(sys.argv[1]), 1); import torch; logits(torch.zeros(1, 3, 8, 8))"
    )
    environment = {"HOME": str(tmp_path / "home"), "PATH": ""}
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, cwd=REPOSITORY, env=environment)
    assert not (tmp_path / "home").exists()


def test_nothing_is_printed(path, tmp_path, capfd):
    logits, _ = form.read(path, 2)
    logits(torch.zeros(1, 3, 8, 8))
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"broken")
    with pytest.raises(SegError):
        form.read(path, 0)
    assert capfd.readouterr() == ("", "")
