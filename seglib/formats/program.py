"""A program of `torch.export` (pytorch.org/docs/stable/export.html), for Python and torch's own compilers."""

import io
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram
from torch.fx.experimental import _config as symbolic

from seglib.checkpoint import UNREADABLE, Card, Segmenter, first_line
from seglib.errors import SegError
from seglib.torch_archive import CARD, read_card, refuse_code
from seglib.tracing import check, example, free_axes, frozen, recording
from seglib.whole_files import write_whole

SUFFIX = ".pt2"


def write(path: Path, segmenter: Segmenter, card: Card) -> None:
    """Write one file.

    Raises SegError where the network's graph depends on the size of the image.
    """
    program = _exported(frozen(segmenter), card)
    _simplify(program)
    check(program.module(), segmenter, card, "a program")
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={CARD: card.to_json()})
    write_whole(path, buffer.getvalue())


def read(path: Path, threads: int) -> tuple[Callable[[Tensor], Tensor], Card]:
    """Open a file; raises SegError where it is no model, none of this version, or has more in it than `write` gives.

    The number of threads is that of the whole process.
    """
    card = read_card(path)
    refuse_code(path)
    try:
        module = torch.export.load(path).module()
    except (*UNREADABLE, AssertionError) as error:
        raise SegError(f"{path}: not a readable program ({first_line(error)})") from None
    if threads:
        torch.set_num_threads(threads)

    @torch.inference_mode()
    def logits(raw: Tensor) -> Tensor:
        return module(raw.float().cpu()).to(raw.device)

    return logits, card


def _exported(model: Segmenter, card: Card) -> ExportedProgram:
    sizes = dict.fromkeys(free_axes(card), Dim.DYNAMIC)
    no_size_is_special = symbolic.patch(backed_size_oblivious=True)  # pyright: ignore[reportAttributeAccessIssue]
    with recording(card, "a program"), no_size_is_special:
        return torch.export.export(
            model, (example(card),), dynamic_shapes=(sizes,), prefer_deferred_runtime_asserts_over_guards=True
        )


def _simplify(program: ExportedProgram) -> None:
    """Take out the example, places in source files, and what is asserted of strides because the example had them."""
    for node in reversed(program.graph.nodes):
        node.meta.pop("stack_trace", None)
        if node.target is torch.ops.aten._assert_scalar.default:  # noqa: SLF001  (an operation of the graph)
            program.graph.erase_node(node)
    program.graph.eliminate_dead_code()
    program.graph_module.recompile()
    program.example_inputs = None
