"""Any model file as a function; what is none is told."""

from pathlib import Path

import pytest
import torch

from seglib.checkpoint import save_checkpoint
from seglib.deployed import guarded, open_model
from seglib.errors import SegError
from tests.contracts.test_formats import TINY, make, random, write

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def made():
    return make(options=TINY)


def test_a_trained_model_opens(tmp_path, made):
    save_checkpoint(tmp_path / "best.pt", made.card, made.segmenter.state_dict())
    logits, card = open_model(tmp_path / "best.pt", CPU)
    assert card == made.card
    raw = random(2, 3, 20, 30)
    with torch.inference_mode():
        assert torch.equal(logits(raw), made.logits(raw))


@pytest.mark.parametrize("name", ["model.h5", "model", "model.bin"])
def test_an_unknown_suffix_lists_the_known_ones(tmp_path, name):
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(SegError, match=r"known: .pt, .engine, .onnx, .pt2, .ts, .xml$"):
        open_model(tmp_path / name, CPU)


@pytest.mark.parametrize("name", ["best.pt", "model.onnx", "model.xml"])
def test_a_missing_file_is_told(tmp_path, name):
    with pytest.raises(SegError, match=f"{name} is missing"):
        open_model(tmp_path / name, CPU)


@pytest.mark.parametrize("name", ["folder.pt", "folder"])
def test_a_folder_is_told(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(SegError, match=f"{name} is a folder; name the model file"):
        open_model(tmp_path / name, CPU)


def test_a_size_that_a_trained_model_does_not_take_is_told_with_the_file(tmp_path):
    made = make(options={"channels": [4, 8, 8]}, padding=False)
    save_checkpoint(tmp_path / "best.pt", made.card, made.segmenter.state_dict())
    logits, _ = open_model(tmp_path / "best.pt", CPU)
    with pytest.raises(SegError, match=r"best.pt: failed on values of shape \(1, 3, 30, 37\) \(Sizes of tensors"):
        logits(random(1, 3, 30, 37))


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError(), MemoryError(), RuntimeError("CUDA error: out of memory")], ids=str
)
def test_a_lack_of_memory_passes_through(error):
    def model(_):
        raise error

    with pytest.raises(type(error)) as passed:
        guarded(model, Path("best.pt"))(random(1, 3, 8, 8))
    assert passed.value is error


@pytest.mark.parametrize("name", ["onnx", "openvino", "torchscript"])
def test_a_wrong_number_of_channels_is_told_with_the_file(tmp_path, made, name):
    path = write(name, made, tmp_path)
    logits, _ = open_model(path, CPU)
    with pytest.raises(SegError, match=rf"model{path.suffix}: failed on values of shape \(1, 4, 32, 32\)"):
        logits(torch.zeros(1, 4, 32, 32))


def test_a_network_that_takes_one_size_refuses_another(tmp_path):
    made = make("swin_unetr", image_size=64)
    logits, _ = open_model(write("torchscript", made, tmp_path), CPU)
    assert logits(random(3, 3, 64, 64)).shape == (3, 2, 64, 64)
    with pytest.raises(SegError, match=r"takes images of \(64, 64\) pixels only \(found \(64, 96\)\)"):
        logits(random(1, 3, 64, 96))


def test_a_network_that_takes_one_size_needs_one(tmp_path):
    with pytest.raises(SegError, match="swin_unetr can be exported for one size only"):
        write("onnx", make("swin_unetr", image_size=0.5), tmp_path)
