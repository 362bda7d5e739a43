"""TensorRT where there is none: what is missing is said, and the file's head is checked before."""

import importlib.util
import sys
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
import torch

from seglib.deployed import open_model
from seglib.errors import SegError
from seglib.formats import tensorrt as form
from tests.contracts.test_formats import make

pytestmark = pytest.mark.skipif(
    torch.cuda.is_available() and importlib.util.find_spec("tensorrt") is not None, reason="TensorRT works here"
)


def test_writing_says_what_is_missing_and_leaves_no_file(tmp_path):
    made = make()
    with pytest.raises(SegError, match=r"writing a TensorRT engine needs (the library tensorrt|an NVIDIA GPU)"):
        form.write(tmp_path / "model.engine", made.segmenter, made.card)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a readable engine of this project"),
        (b"ftrt\x00\x00", "not a readable engine of this project"),
        (form.MAGIC, "not a readable engine of this project"),
        (form.MAGIC + b"{}\nengine", "not a model file of this version"),
        (form.MAGIC + b"\xff\xfe\nengine", "its card is not readable"),
        (form.MAGIC + make().card.to_json().encode() + b"\nengine", "model.engine needs (the library|an NVIDIA GPU)"),
    ],
)
def test_the_head_of_a_file_is_read_first(tmp_path, content, message):
    (tmp_path / "model.engine").write_bytes(content)
    with pytest.raises(SegError, match=message):
        open_model(tmp_path / "model.engine", torch.device("cpu"))


@pytest.fixture
def stand_in(monkeypatch):
    """A library that builds engines, and can open none; the shapes that it is given."""
    shapes = {}

    class Profile:
        def set_shape(self, name, least, usual, most):
            shapes[name] = (least, usual, most)

    library = MagicMock()
    library.Builder.return_value.create_optimization_profile.return_value = Profile()
    library.Builder.return_value.build_serialized_network.return_value = b"engine"
    library.Runtime.return_value.deserialize_cuda_engine.return_value = SimpleNamespace(
        create_execution_context=lambda: None
    )
    monkeypatch.setitem(sys.modules, "tensorrt", library)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    return shapes


@pytest.mark.parametrize(
    ("network", "changed", "wanted"),
    [
        ("unet", {}, ((16, 16), (512, 512), (2048, 2048))),
        ("unet", {"image_size": 96}, ((16, 16), (96, 96), (2048, 2048))),
        ("unet", {"image_size": [8, 3000]}, ((8, 16), (8, 3000), (2048, 3000))),
        ("swin_unetr", {"image_size": 32}, ((32, 32), (32, 32), (32, 32))),
    ],
)
def test_an_engine_that_does_not_open_is_told_with_its_sizes(tmp_path, stand_in, network, changed, wanted):
    made = make(network, **changed)
    with pytest.raises(SegError, match=r"cannot open its engine .* too little memory for 8 images"):
        form.write(tmp_path / "model.engine", made.segmenter, made.card)
    assert stand_in["raw"] == tuple((batch, 3, *sides) for batch, sides in zip((1, 1, 8), wanted, strict=True))
    assert not list(tmp_path.iterdir())
