"""OpenVINO's intermediate representation, converted from ONNX: `.xml` with a `.bin` of the weights beside it."""

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seglib.checkpoint import Card, Segmenter
from seglib.errors import SegError
from seglib.onnx_graph import onnx_graph
from seglib.openvino_runtime import CARD, PRECISION, core, openvino, save
from seglib.tracing import check

SUFFIX = ".xml"
ALONE, SIDE_BY_SIDE = {"PERFORMANCE_HINT": "LATENCY"}, {"PERFORMANCE_HINT": "THROUGHPUT"}
FIXED = 4
"""Shapes that a model is compiled for by themselves; it takes about as long as a few images."""


def write(path: Path, segmenter: Segmenter, card: Card) -> None:
    """Write both files.

    Raises SegError where ONNX or OpenVINO cannot express the network.
    """
    graph = onnx_graph(segmenter, card)
    graph.ClearField("metadata_props")
    model = _converted(graph.SerializeToString(deterministic=True))
    model.set_rt_info(card.to_json(), CARD)
    model.set_rt_info("f32", PRECISION)
    check(_logits(_Engine(model, "f32", 0, fixed=0)), segmenter, card, "OpenVINO")
    save(model, path, compressed=False)


def read(path: Path, threads: int) -> tuple[Callable[[Tensor], Tensor], Card]:
    """Open both files; raises SegError where they are no model, or none of this version."""
    if not path.with_suffix(".bin").is_file():
        raise SegError(f"{path}: its weights, {path.with_suffix('.bin').name}, are missing; keep both files together")
    try:
        model = core().read_model(path)
    except RuntimeError as error:
        raise SegError(f"{path}: not a readable OpenVINO model ({_reason(error)})") from None
    if not model.has_rt_info(CARD):
        raise SegError(f"{path}: has no card, so it was not written by this project; export the model with it")
    card = Card.from_json(model.get_rt_info(CARD).astype(str), str(path))
    precision = model.get_rt_info(PRECISION).astype(str) if model.has_rt_info(PRECISION) else "f32"
    try:
        return _logits(_Engine(model, precision, threads)), card
    except RuntimeError as error:
        raise SegError(f"{path}: OpenVINO cannot run it ({_reason(error)})") from None


def _converted(graph: bytes) -> Any:
    """OpenVINO's own graph of an ONNX one, simplified.

    As `convert_model` does it but for its preparation for other sizes, which breaks the windows of Swin UNETR.
    """
    model = core().read_model(graph)
    from openvino._offline_transformations import apply_moc_transformations

    apply_moc_transformations(model, cf=True, smart_reshape=False)
    _name_the_nameless(model)
    return model


def _name_the_nameless(model: Any) -> None:
    """Number operations by their place: otherwise by how many the process has seen, which differs from run to run."""
    for place, operation in enumerate(model.get_ordered_ops()):
        if re.fullmatch(r"\w+_\d+(\W.*)?", operation.get_friendly_name()):
            operation.set_friendly_name(f"{operation.get_type_name()}_{place}")


class _Engine:
    """A model compiled for any shape, and anew for each of the first few: a fixed one is computed faster.

    All threads work on an image that comes alone; several images pass side by side, a thread or two for each, and
    need not wait for each other.
    """

    def __init__(self, model: Any, precision: str, threads: int, fixed: int = FIXED) -> None:
        """`precision`: of what is not in integers; bf16 becomes f32 where the CPU has none."""
        self._core, self._model, self._left = core(), model, fixed
        native = "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": "f32" if precision == "bf16" and not native else precision
        }
        if threads:
            self._settings["INFERENCE_NUM_THREADS"] = threads
        self._any = self._alone(model)
        self._fixed: dict[tuple[int, ...], Callable[[np.ndarray], np.ndarray]] = {}

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Of float32 [batch, channels, *space]."""
        one, many = images[:1].shape, len(images) > 1
        kind = (many, *one)
        if kind not in self._fixed and self._left:
            self._left -= 1
            own = self._model.clone()
            own.reshape(one)
            self._fixed[kind] = self._side_by_side(own) if many else self._alone(own)
        return self._fixed.get(kind, self._any)(images)

    def _alone(self, model: Any) -> Callable[[np.ndarray], np.ndarray]:
        request = self._core.compile_model(model, "CPU", {**self._settings, **ALONE}).create_infer_request()
        return lambda images: request.infer([images], share_inputs=True)[0]

    def _side_by_side(self, model: Any) -> Callable[[np.ndarray], np.ndarray]:
        found: dict[int, np.ndarray] = {}
        queue = openvino().AsyncInferQueue(self._core.compile_model(model, "CPU", {**self._settings, **SIDE_BY_SIDE}))
        queue.set_callback(lambda request, place: found.update({place: request.get_output_tensor().data.copy()}))

        def infer(images: np.ndarray) -> np.ndarray:
            for place in range(len(images)):
                queue.start_async([images[place : place + 1]], place)
            queue.wait_all()
            return np.concatenate([found.pop(place) for place in range(len(images))])

        return infer


def _logits(engine: _Engine) -> Callable[[Tensor], Tensor]:
    one_at_a_time = threading.Lock()

    def logits(raw: Tensor) -> Tensor:
        array = raw.float().contiguous().numpy(force=True)
        with one_at_a_time:
            found = engine.logits(array)
        return torch.from_numpy(found).to(raw.device)

    return logits


def _reason(error: RuntimeError) -> str:
    """The last line of a message whose first ones name places in OpenVINO's own source."""
    return (str(error).strip().splitlines() or ["no reason given"])[-1]
