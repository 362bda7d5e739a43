"""Images to record models with, and the proof that a graph is still its model."""

import pytest
import torch

from seglib.errors import SegError
from seglib.tracing import check, example, frozen, other_example, recording
from tests.contracts.test_formats import make


@pytest.mark.parametrize(("dims", "padding"), [(2, True), (3, True), (2, False)])
def test_examples_differ_in_every_size(dims, padding):
    made = make(dims=dims, padding=padding)
    first, other = example(made.card), other_example(made.card)
    assert all(a != b for a, b in zip(first.shape[2:], other.shape[2:], strict=True))
    assert len(first) != len(other)
    assert len({*first.shape[2:]}) == dims
    wanted = [side % 8 == 0 for side in (*first.shape[2:], *other.shape[2:])]
    assert not any(wanted) if padding else all(wanted)


def test_a_graph_that_is_not_the_model_is_refused():
    made = make()
    model = frozen(made.segmenter)
    check(model, made.segmenter, made.card, "ONNX")
    with pytest.raises(SegError, match=r"unet cannot be written as ONNX.*logits differ by"):
        check(lambda raw: model(raw) + 1, made.segmenter, made.card, "ONNX")
    with pytest.raises(SegError, match=r"logits differ by nan"):
        check(lambda raw: model(raw) * torch.nan, made.segmenter, made.card, "ONNX")
    with pytest.raises(SegError, match=r"unet cannot be written as ONNX.*shape"):
        check(lambda raw: model(raw)[..., :16], made.segmenter, made.card, "ONNX")


def test_what_a_library_raises_names_network_and_format():
    made = make()
    said = pytest.raises(SegError, match=r"the network unet cannot be written as a program; .* \('of no use'\)$")
    with said, recording(made.card, "a program"):
        raise KeyError("of no use")
