"""TensorRT where there is none: what is missing is said, and the file's head is checked before."""

import importlib.util

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
