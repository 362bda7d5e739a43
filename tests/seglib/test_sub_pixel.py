"""A transposed convolution and the ordinary one that replaces it give the same pixels."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seglib.openvino_runtime import core, openvino
from seglib.sub_pixel import TRANSPOSED, sub_pixel_kernel, to_sub_pixel

TRANSPOSE = {1: nn.functional.conv_transpose1d, 2: nn.functional.conv_transpose2d, 3: nn.functional.conv_transpose3d}
ORDINARY = {1: nn.functional.conv1d, 2: nn.functional.conv2d, 3: nn.functional.conv3d}


def integers(*shape, seed):
    """Whole numbers, of which all sums are exact."""
    return torch.from_numpy(np.random.default_rng(seed).integers(-9, 9, shape).astype(np.float32))


def laid_out(planes, stride, dims):
    """[batch, planes · places, *space] → [batch, planes, *stride · space]."""
    batch, _, *space = planes.shape
    cells = planes.reshape(batch, -1, *[stride] * dims, *space)
    order = [axis for pair in zip(range(2 + dims, 2 + 2 * dims), range(2, 2 + dims), strict=True) for axis in pair]
    return cells.permute(0, 1, *order).reshape(batch, -1, *[side * stride for side in space])


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 3), st.integers(2, 4), st.integers(0, 3), st.integers(0, 3), st.integers(1, 3), st.integers(0, 99)
)
def test_every_kernel_stride_and_padding_gives_the_same(dims, stride, padding, missing, planes, seed):
    size = stride + 2 * padding - min(missing, stride - 1)
    output_padding = stride + 2 * padding - size
    values, kernel = integers(2, 3, *[4, 5, 3][:dims], seed=seed), integers(3, planes, *[size] * dims, seed=seed + 1)
    wanted = TRANSPOSE[dims](values, kernel, stride=stride, padding=padding, output_padding=output_padding)
    ordinary, before, after = sub_pixel_kernel(kernel.numpy(), stride, padding)
    pads = [pad for pair in zip(reversed(before), reversed(after), strict=True) for pad in pair]
    found = ORDINARY[dims](nn.functional.pad(values, pads), torch.from_numpy(ordinary))
    assert torch.equal(laid_out(found, stride, dims), wanted)


def test_kernels_of_the_strides_size_cost_nothing_more():
    kernel = integers(5, 7, 2, 2, seed=0).numpy()
    assert sub_pixel_kernel(kernel, 2, 0)[0].size == kernel.size


def model_of(kernel, stride, padding, output_padding=(0, 0), dilation=(1, 1)):
    """An OpenVINO model of one transposed convolution between two other operations."""
    ov, dims = openvino(), len(stride)
    from openvino import opset13

    values = opset13.parameter([-1, kernel.shape[0], *[-1] * dims], np.float32)
    pads = [padding] * dims
    transposed = opset13.convolution_backprop_data(
        opset13.relu(values), opset13.constant(kernel.numpy()), stride, None, pads, pads, list(dilation),
        output_padding=list(output_padding),
    )  # fmt: skip
    return ov.Model([opset13.relu(transposed)], [values])


def kinds(model):
    return Counter(operation.get_type_name() for operation in model.get_ordered_ops())


def outcome(model, values):
    precision = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    return core().compile_model(model, "CPU", precision)(values.numpy())[0]


@pytest.mark.parametrize(("size", "padding", "output_padding"), [(2, 0, 0), (3, 1, 1), (4, 1, 0)])
@pytest.mark.parametrize("dims", [2, 3])
def test_a_models_layers_are_replaced(dims, size, padding, output_padding):
    model = model_of(integers(4, 6, *[size] * dims, seed=1), [2] * dims, padding, [output_padding] * dims, [1] * dims)
    values = integers(2, 4, *[8, 6, 7][:dims], seed=0)
    wanted = outcome(model, values)
    to_sub_pixel(model)
    assert (kinds(model)[TRANSPOSED], kinds(model)["DepthToSpace"]) == (0, 1)
    assert np.array_equal(outcome(model, values), wanted)


@pytest.mark.parametrize(
    ("size", "stride", "padding", "dilation"),
    [
        ((3, 3), (2, 2), 1, (1, 1)),
        ((2, 2), (2, 2), 0, (2, 2)),
        ((2, 3), (2, 3), 0, (1, 1)),
        ((3, 3), (1, 1), 1, (1, 1)),
    ],
    ids=["another size", "dilation", "unequal strides", "no stride"],
)
def test_others_stay(size, stride, padding, dilation):
    model = model_of(integers(4, 6, *size, seed=1), list(stride), padding, dilation=dilation)
    before = kinds(model)
    to_sub_pixel(model)
    assert before[TRANSPOSED] == 1
    assert kinds(model) == before
