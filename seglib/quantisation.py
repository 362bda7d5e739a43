"""Smaller variants of exported models: 8-bit integers, calibrated on images, and weights of 16 bits.

8 bits: weights per channel and activations per tensor, with ranges found on images (Jacob et al., "Quantization and
training of neural networks for efficient integer-arithmetic-only inference", CVPR 2018), by onnxruntime for ONNX and
by NNCF (Kozlov et al., arXiv:2002.08679, 2020) for OpenVINO. What surrounds the convolutions stays floating-point.
All conversions are called alike: with the exported file, the file to write, raw images [channels, *space], and the
card; equal ones give equal bytes.
"""

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from seglib import openvino_runtime
from seglib.checkpoint import Card
from seglib.errors import SegError
from seglib.onnx_graph import CARD, INPUT, PRODUCER
from seglib.onnx_runtime import onnxruntime
from seglib.sub_pixel import to_sub_pixel
from seglib.whole_files import write_whole

if TYPE_CHECKING:
    from onnx import ModelProto

Images = Sequence[np.ndarray | Tensor]
IN_INTEGERS = ["Conv", "ConvTranspose", "Gemm", "MatMul", "DepthToSpace", "Concat", "MaxPool"]
"""Operations of ONNX computed in 8 bits: the products, and what only moves their results."""
NORMS = ["MVN", "GroupNormalization"]
"""Operations of OpenVINO that see exact values: rounding them before the norm doubled the loss of Dice."""
LARGE = 1000
"""Values that a tensor has at least to be stored in 16 bits."""


def quantise_onnx(source: Path, target: Path, images: Images, card: Card) -> None:
    """Write an ONNX file in 8 bits."""
    import onnx

    onnxruntime()
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.calibrate import CalibrationDataReader

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self._left = iter(_calibration(images))

        def get_next(self) -> dict[str, np.ndarray] | None:  # pyright: ignore[reportIncompatibleMethodOverride]
            array = next(self._left, None)
            return None if array is None else {INPUT: array}

    graph = onnx.load(source)
    with _silent(), tempfile.TemporaryDirectory() as folder:
        integers = Path(folder) / target.name
        quantize_static(
            graph,
            integers,
            Reader(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=IN_INTEGERS,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True, "OpTypesToExcludeOutputQuantization": ["ConvTranspose"]},
        )
        _write_onnx(onnx.load(integers), target, card)


def halve_onnx(source: Path, target: Path, images: Images, card: Card) -> None:  # noqa: ARG001  (called like the others)
    """Write an ONNX file whose large weights are float16, which are made float32 when it is opened.

    It is half as large and computes as before, with rounded weights.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    graph = onnx.load(source)
    converted = []
    for tensor in graph.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < LARGE:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(_halved(values), f"{name}_16"))
        converted.append(helper.make_node("Cast", [f"{name}_16"], [name], f"{name}_cast", to=TensorProto.FLOAT))
    nodes = list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend([*converted, *nodes])
    _write_onnx(graph, target, card)


def quantise_openvino(source: Path, target: Path, images: Images, card: Card) -> None:
    """Write an OpenVINO model in 8 bits; what is not runs as bfloat16 where the CPU has it."""
    model, arrays = _reformed(source), _calibration(images)
    import nncf

    nncf.set_log_level(logging.ERROR)
    with _silent():
        model = nncf.quantize(
            model,
            nncf.Dataset(arrays),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(arrays),
            ignored_scope=nncf.IgnoredScope(types=NORMS, validate=False),
        )
    _write_openvino(model, target, card, compressed=False)


def halve_openvino(source: Path, target: Path, images: Images, card: Card) -> None:  # noqa: ARG001  (called like the others)
    """Write an OpenVINO model whose weights are float16, which runs as bfloat16 where the CPU has it."""
    _write_openvino(_reformed(source), target, card, compressed=True)


def _calibration(images: Images) -> list[np.ndarray]:
    """Batches of one, float32."""
    if not images:
        raise SegError("no images to find 8-bit ranges on; set export.calibration to 1 or more")
    return [np.asarray(image, np.float32)[None] for image in images]


def _reformed(source: Path) -> Any:
    """The model with transposed convolutions made ordinary."""
    model = openvino_runtime.core().read_model(source)
    to_sub_pixel(model)
    return model


def _halved(values: np.ndarray) -> np.ndarray:
    """As float16, with values beyond its range at its ends."""
    most = np.finfo(np.float16).max
    return values.clip(-most, most).astype(np.float16)


def _write_onnx(graph: "ModelProto", target: Path, card: Card) -> None:
    """Write a graph with the card, and without what a library says of itself."""
    from onnx import helper

    helper.set_model_props(graph, {CARD: card.to_json()})
    graph.producer_name = PRODUCER
    graph.ClearField("producer_version")
    write_whole(target, graph.SerializeToString(deterministic=True))


def _write_openvino(model: Any, target: Path, card: Card, *, compressed: bool) -> None:
    """Write a model with the card, under names that do not depend on what else this process has made."""
    model.set_rt_info(card.to_json(), openvino_runtime.CARD)
    model.set_rt_info("bf16", openvino_runtime.PRECISION)
    for number, operation in enumerate(model.get_ordered_ops()):
        operation.set_friendly_name(f"{operation.get_type_name()}_{number}")
    openvino_runtime.save(model, target, compressed=compressed)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Without progress bars and advice, which the libraries print wherever their output goes."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            yield
    finally:
        logging.disable(before)
