"""A model file of any format as a function."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from seglib import formats, plugins
from seglib.checkpoint import Card, load_checkpoint
from seglib.errors import SegError, listing
from seglib.out_of_memory import lacks_memory
from seglib.tracing import only_sides

CHECKPOINT = ".pt"
"""Suffix of the trained model, `models/best.pt`."""


def open_model(path: Path, device: torch.device, threads: int = 0) -> tuple[Callable[[Tensor], Tensor], Card]:
    """Open a model file, by its suffix: raw values [batch, channels, *space] → float32 logits, and the card.

    A trained model runs on the device, for which the number of threads is set elsewhere; the other formats run on
    the CPU, or on a GPU if they are made for one, and give logits on the device of the values. With 0 threads the
    library decides. Raises SegError where the file is missing, a folder, of no known format, or not of this version.
    """
    if path.is_dir():
        raise SegError(f"{path} is a folder; name the model file itself, such as models/best.pt")
    if not path.is_file():
        raise SegError(f"{path} is missing; models lie in models/ after `dvc repro`")
    if path.suffix == CHECKPOINT:
        segmenter, card = load_checkpoint(path)
        return guarded(segmenter.to(device), path), card
    known = {plugin.SUFFIX: plugin for name in plugins.names(formats) for plugin in [plugins.load(formats, name)]}
    if path.suffix not in known:
        raise SegError(
            f"{path}: no known format of a model ('{path.suffix}'); known: {listing([CHECKPOINT, *sorted(known)], 20)}"
        )
    logits, card = known[path.suffix].read(path, threads)
    return guarded(logits, path, only_sides(card)), card


def guarded(
    logits: Callable[[Tensor], Tensor], path: Path, sides: tuple[int, ...] | None = None
) -> Callable[[Tensor], Tensor]:
    """The function, which refuses images of another size where it takes one only, and names its file in errors.

    A lack of memory passes through.
    """

    def named(raw: Tensor) -> Tensor:
        if sides and raw.shape[2:] != sides:
            raise SegError(
                f"{path}: takes images of {sides} pixels only (found {tuple(raw.shape[2:])}); use models/best.pt"
            )
        try:
            return logits(raw)
        except SegError:
            raise
        except Exception as error:  # the libraries raise all kinds
            if lacks_memory(error):
                raise
            reason = " ".join(str(error).split()) or type(error).__name__
            raise SegError(f"{path}: failed on values of shape {tuple(raw.shape)} ({reason[:300]})") from None

    return named
