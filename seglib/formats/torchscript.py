"""TorchScript: for C++ and mobile programs with libtorch, which need no Python."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from seglib.checkpoint import UNREADABLE, Card, Segmenter, first_line
from seglib.errors import SegError
from seglib.torch_archive import CARD, read_card, without_sources
from seglib.tracing import check, example, frozen, recording
from seglib.whole_files import write_whole

SUFFIX = ".ts"


def write(path: Path, segmenter: Segmenter, card: Card) -> None:
    """Write one file.

    Raises SegError where the network's graph depends on the size of the image.
    """
    buffer = io.BytesIO()
    with recording(card, "TorchScript"):
        script = _traced(frozen(segmenter), card)
        torch.jit.save(script, buffer, _extra_files={CARD: card.to_json()})
    check(script, segmenter, card, "TorchScript")
    write_whole(path, without_sources(buffer.getvalue()))


def read(path: Path, threads: int) -> tuple[Callable[[Tensor], Tensor], Card]:
    """Open a file; raises SegError where it is no model, or none of this version.

    The number of threads is that of the whole process. No Python is run, but the file is a program, and TorchScript
    has operations that read and write files: to be opened only where one trusts who made it.
    """
    card = read_card(path)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"`torch\.jit")  # that it grows no more
            script = torch.jit.load(path, map_location="cpu")
    except UNREADABLE as error:
        raise SegError(f"{path}: not a readable TorchScript file ({first_line(error)})") from None
    if threads:
        torch.set_num_threads(threads)

    @torch.inference_mode()
    def logits(raw: Tensor) -> Tensor:
        return script(raw.float().cpu()).to(raw.device)

    return logits, card


def _traced(model: Segmenter, card: Card) -> torch.jit.ScriptFunction:
    """The model as a function, whose weights are constants: a module's class would have a new name every time."""

    def logits(raw: Tensor) -> Tensor:
        return model(raw)

    return torch.jit.trace(logits, example(card), check_trace=False)  # pyright: ignore[reportReturnType]
