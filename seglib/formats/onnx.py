"""ONNX (onnx.ai), run by onnxruntime on the CPU."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seglib.checkpoint import Card, Segmenter, first_line
from seglib.errors import SegError
from seglib.onnx_graph import CARD, INPUT, onnx_graph
from seglib.onnx_runtime import FATAL, onnxruntime
from seglib.tracing import check
from seglib.whole_files import write_whole

SUFFIX = ".onnx"


def write(path: Path, segmenter: Segmenter, card: Card) -> None:
    """Write one file.

    Raises SegError where ONNX cannot express the network.
    """
    content = onnx_graph(segmenter, card).SerializeToString(deterministic=True)
    check(_logits(_session(content, 0)), segmenter, card, "ONNX")
    write_whole(path, content)


def read(path: Path, threads: int) -> tuple[Callable[[Tensor], Tensor], Card]:
    """Open a file; raises SegError where it is no model, or none of this version."""
    try:
        session = _session(str(path), threads)
    except Exception as error:  # onnxruntime's have no base of their own
        raise SegError(f"{path}: not a readable ONNX file ({first_line(error)})") from None
    text = session.get_modelmeta().custom_metadata_map.get(CARD)
    if text is None:
        raise SegError(f"{path}: has no card, so it was not written by this project; export the model with it")
    return _logits(session), Card.from_json(text, str(path))


def _session(model: str | bytes, threads: int) -> Any:
    library = onnxruntime()
    options = library.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = FATAL
    return library.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _logits(session: Any) -> Callable[[Tensor], Tensor]:
    def logits(raw: Tensor) -> Tensor:
        (found,) = session.run(None, {INPUT: raw.float().contiguous().numpy(force=True)})
        return torch.from_numpy(found).to(raw.device)

    return logits
