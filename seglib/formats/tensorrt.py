"""TensorRT (docs.nvidia.com/deeplearning/tensorrt), built from the ONNX graph for the GPU that builds it.

The builder times kernels and takes the fastest, so that two engines of one model differ in their bytes.
"""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from seglib.checkpoint import Card, Segmenter
from seglib.errors import SegError
from seglib.onnx_graph import INPUT, OUTPUT, onnx_graph
from seglib.sections.pixels import Pixels
from seglib.tracing import check, only_sides
from seglib.whole_files import write_whole

SUFFIX = ".engine"
MAGIC = b"segpipe TensorRT engine\n"
"""First line of a file; the card is the second, the engine all that follows."""
MOST_IMAGES = 8
LEAST_SIDE = 16
MOST_SIDE = {2: 2048, 3: 160}
"""An engine holds memory for MOST_IMAGES of it: a tensor of 32 channels takes 4.3 GB then."""
USUAL_SIDE = {2: 512, 3: 96}
"""Sides for which kernels are chosen where the card tells none."""


def write(path: Path, segmenter: Segmenter, card: Card) -> None:
    """Build an engine and write it, in float32 without TF32, for batches of 1 to MOST_IMAGES.

    Raises SegError where there is no GPU or no library, or TensorRT cannot express the network.
    """
    trt = _library("writing a TensorRT engine")
    engine = _built(trt, onnx_graph(segmenter, card).SerializeToString(deterministic=True), card)
    opened = _opened(trt, engine)
    if opened is None:
        raise SegError(
            f"TensorRT cannot open its engine of the network {card.model}: the GPU has too little memory for "
            f"{MOST_IMAGES} images of {MOST_SIDE[card.dims]} pixels a side; take tensorrt out of export.variants"
        )
    check(_logits(opened), segmenter, card, "a TensorRT engine")
    write_whole(path, MAGIC + card.to_json().encode() + b"\n" + engine)


def read(path: Path, threads: int) -> tuple[Callable[[Tensor], Tensor], Card]:  # noqa: ARG001  (it runs on the GPU)
    """Open a file; raises SegError where it is no model, none of this version, or of another GPU or library."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SegError(f"{path}: cannot be read ({error.strerror}); correct its rights, or export it again") from None
    text, line, engine = content.removeprefix(MAGIC).partition(b"\n")
    if not content.startswith(MAGIC) or not line:
        raise SegError(f"{path}: not a readable engine of this project; export the model with it")
    card = Card.from_json(text.decode(errors="replace"), str(path))
    opened = _opened(_library(f"opening {path}"), engine)
    if opened is None:
        raise SegError(
            f"{path}: damaged, built for another GPU or version of TensorRT, or too large for the memory of this GPU; "
            "export the model here"
        )
    return _logits(opened), card


def _library(purpose: str) -> ModuleType:
    try:
        import tensorrt  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise SegError(
            f"{purpose} needs the library tensorrt, which is not installed: `pip install tensorrt`"
        ) from None
    if not torch.cuda.is_available():
        raise SegError(f"{purpose} needs an NVIDIA GPU, and PyTorch sees none")
    return tensorrt


def _built(trt: ModuleType, graph: bytes, card: Card) -> bytes:
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(graph):
        raise SegError(f"TensorRT cannot express the network {card.model} ({parser.get_error(0).desc()})")
    settings = builder.create_builder_config()
    settings.clear_flag(trt.BuilderFlag.TF32)
    settings.add_optimization_profile(_sizes(builder.create_optimization_profile(), card))
    engine = builder.build_serialized_network(network, settings)
    if engine is None:
        raise SegError(f"TensorRT cannot build an engine of the network {card.model}; its log says why")
    return bytes(engine)


def _sizes(profile: Any, card: Card) -> Any:
    """The sizes that an engine must take, and that of training as the one it should be fastest at."""
    channels, dims = card.dataset["channels"], card.dims
    if only := only_sides(card):
        profile.set_shape(INPUT, (1, channels, *only), (1, channels, *only), (MOST_IMAGES, channels, *only))
        return profile
    usual = Pixels.model_validate(card.pixels).sides(dims) or (USUAL_SIDE[dims],) * dims
    most = [max(MOST_SIDE[dims], side) for side in usual]
    least = [min(LEAST_SIDE, side) for side in usual]
    profile.set_shape(INPUT, (1, channels, *least), (1, channels, *usual), (MOST_IMAGES, channels, *most))
    return profile


def _opened(trt: ModuleType, engine: bytes) -> Any:
    """An execution context; None where the engine cannot be used here."""
    opened = trt.Runtime(trt.Logger(trt.Logger.ERROR)).deserialize_cuda_engine(engine)
    return opened and opened.create_execution_context()


def _logits(context: Any) -> Callable[[Tensor], Tensor]:
    def logits(raw: Tensor) -> Tensor:
        images = raw.float().cuda().contiguous()
        if not context.set_input_shape(INPUT, tuple(images.shape)):
            raise SegError(f"the TensorRT engine was not built for images of {tuple(images.shape)}; export it again")
        found = torch.empty(tuple(context.get_tensor_shape(OUTPUT)), device=images.device)
        context.set_tensor_address(INPUT, images.data_ptr())
        context.set_tensor_address(OUTPUT, found.data_ptr())
        stream = torch.cuda.current_stream()
        context.execute_async_v3(stream.cuda_stream)
        stream.synchronize()
        return found.to(raw.device)

    return logits
