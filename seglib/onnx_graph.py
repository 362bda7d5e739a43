"""The trained model as an ONNX graph: for ONNX files, and for formats that are converted from them."""

import io
from typing import TYPE_CHECKING

import torch

from seglib.checkpoint import Card, Segmenter
from seglib.tracing import example, free_axes, frozen, recording

if TYPE_CHECKING:
    from onnx import ModelProto

INPUT, OUTPUT = "raw", "logits"
CARD = "card"
"""Key of the card in the file's metadata."""
PRODUCER = "segpipe"
OPSET = 17


def onnx_graph(segmenter: Segmenter, card: Card) -> "ModelProto":
    """The whole model, raw float32 [batch, channels, *space] to float32 logits of any batch and size, with its card.

    Raises SegError where an operation of the network has no counterpart in ONNX.
    """
    import onnx

    buffer, free = io.BytesIO(), free_axes(card)
    with recording(card, "ONNX"):
        torch.onnx.export(
            frozen(segmenter),
            (example(card),),
            buffer,  # pyright: ignore[reportArgumentType]  (a buffer is taken, too)
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: free, OUTPUT: free if card.padding else {0: free[0]}},
        )
    graph = onnx.load_from_string(buffer.getvalue())
    graph.producer_name = PRODUCER
    graph.ClearField("producer_version")
    graph.metadata_props.add(key=CARD, value=card.to_json())
    onnx.checker.check_model(graph, full_check=True)
    return graph
