"""Transposed convolutions of an OpenVINO model as ordinary ones, which a CPU computes in 8 and 16 bits.

A transposed convolution of stride s is an ordinary one to s² times the planes, one for each place within a cell of
s × s pixels, whose planes are then laid out as those pixels (Shi et al., "Is the deconvolution layer the same as a
convolutional layer?", arXiv:1609.07009, 2016); s³ for voxels. Where the kernel is no multiple of the stride, some
weights are zero: 7 of 16 for a kernel of 3 and a stride of 2.
"""

from itertools import product
from typing import Any, NamedTuple

import numpy as np

TRANSPOSED = "ConvolutionBackpropData"


class Tap(NamedTuple):
    """One weight of a transposed convolution along an axis, as seen from a pixel of the result."""

    place: int
    """Of the pixel within its cell."""
    offset: int
    """From the pixel's cell to that of the input value."""
    index: int
    """Of the weight."""


def to_sub_pixel(model: Any) -> None:
    """Replace, in place, the transposed convolutions whose result is stride times as large as their input.

    Others stay: those with groups, dilation, unequal strides or padding, or weights that are no constant.
    """
    for node in model.get_ordered_ops():
        kernel = _constant(node.input_value(1).get_node()) if node.get_type_name() == TRANSPOSED else None
        if kernel is not None and node.get_input_size() == 2 and _fits(node.get_attributes(), kernel):
            _replace(node, kernel)
    model.validate_nodes_and_infer_types()


def sub_pixel_kernel(kernel: np.ndarray, stride: int, padding: int) -> tuple[np.ndarray, list[int], list[int]]:
    """The kernel of the ordinary convolution, [planes · places, inputs, *space], and its padding before and after.

    `kernel`: of the transposed one, [inputs, planes, *space]. The places of one plane lie together, row by row.
    """
    taps = [_taps(size, stride, padding) for size in kernel.shape[2:]]
    first = [min(tap.offset for tap in along) for along in taps]
    last = [max(tap.offset for tap in along) for along in taps]
    inputs, planes = kernel.shape[:2]
    window = [high - low + 1 for low, high in zip(first, last, strict=True)]
    found = np.zeros((planes, *[stride] * len(taps), inputs, *window), kernel.dtype)
    every = slice(None)
    for chosen in product(*taps):
        places, offsets, indices = zip(*chosen, strict=True)
        within = (offset - low for offset, low in zip(offsets, first, strict=True))
        found[every, *places, every, *within] = kernel[every, every, *indices].T
    return found.reshape(-1, inputs, *window), [-low for low in first], last


def _taps(size: int, stride: int, padding: int) -> list[Tap]:
    """Weight i takes the input at x to pixel stride · x - padding + i."""
    return [Tap((i - padding) % stride, -((i - padding) // stride), i) for i in range(size)]


def _constant(node: Any) -> np.ndarray | None:
    return np.asarray(node.data) if node.get_type_name() == "Constant" else None


def _fits(own: dict[str, Any], kernel: np.ndarray) -> bool:
    stride, padding = own["strides"][0], own["pads_begin"][0]
    alike = len({*own["strides"]}) == len({*own["pads_begin"], *own["pads_end"]}) == 1
    if own["auto_pad"] != "explicit" or {*own["dilations"]} != {1} or stride == 1 or not alike:
        return False
    sizes = zip(kernel.shape[2:], own["output_padding"], strict=True)
    return all(size + more - 2 * padding == stride for size, more in sizes)


def _replace(node: Any, kernel: np.ndarray) -> None:
    from openvino import opset13

    own, name = node.get_attributes(), node.get_friendly_name()
    stride, takers = own["strides"][0], list(node.output(0).get_target_inputs())
    planes, before, after = sub_pixel_kernel(kernel, stride, own["pads_begin"][0])
    ones = [1] * len(before)
    found = opset13.convolution(node.input_value(0), opset13.constant(planes), ones, before, after, ones)
    pixels = opset13.depth_to_space(found, "depth_first", stride, name=name)
    for taker in takers:
        taker.replace_source_output(pixels.output(0))
