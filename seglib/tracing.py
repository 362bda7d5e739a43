"""What the exported formats share: images to record a model with, and proof that its graph is still it."""

import copy
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from seglib import models, plugins
from seglib.checkpoint import Card, Segmenter
from seglib.errors import SegError
from seglib.sections.network import Network
from seglib.sections.pixels import Pixels

LEAST = 16
"""Pixels of the smallest multiple around which sides are chosen, so that none is 1."""
TOLERANCE = 1e-3
"""Of the graph's logits, in units of the model's largest."""
AXES = ("depth", "height", "width")


def only_sides(card: Card) -> tuple[int, ...] | None:
    """The one size that exported files of the network take, that of training; None where they take any.

    Raises SegError where training has no such size.
    """
    if _options(card).ANY_SIZE:
        return None
    sides = Pixels.model_validate(card.pixels).sides(card.dims)
    if sides is None:
        raise SegError(
            f"the network {card.model} can be exported for one size only, and preprocess.image_size is a scale; set "
            "the size in pixels and train again, or set export.variants: []"
        )
    return sides


def free_axes(card: Card) -> dict[int, str]:
    """Axes of the raw values that may have any length: index → name."""
    space = {} if only_sides(card) else dict(enumerate(AXES[-card.dims :], 2))
    return {0: "batch", **space}


def example(card: Card) -> Tensor:
    """Raw images to record a model with, float32 [2, channels, *space].

    Where any size may follow, no two sides are the same, and none is a multiple that the network wants, unless it
    takes nothing else.
    """
    return _images(2, card, only_sides(card) or _sides(card, -1))


def other_example(card: Card) -> Tensor:
    """One image, and where any size may follow one that is larger on each axis."""
    return _images(1, card, only_sides(card) or _sides(card, 1))


def frozen(segmenter: Segmenter) -> Segmenter:
    """A copy on the CPU for prediction alone."""
    return copy.deepcopy(segmenter).cpu().eval().requires_grad_(requires_grad=False)


def check(logits: Callable[[Tensor], Tensor], segmenter: Segmenter, card: Card, form: str) -> None:
    """Compare a graph with its model on images of another number and size than it was recorded with.

    Raises SegError, which names the format, where shapes or values differ.
    """
    raw = other_example(card)
    with torch.inference_mode(), recording(card, form):
        wanted, found = frozen(segmenter)(raw), logits(raw)
    assert isinstance(wanted, Tensor)
    if found.shape != wanted.shape:
        raise SegError(f"{_refusal(card, form)} (shape {tuple(found.shape)} instead of {tuple(wanted.shape)})")
    worst = float((found - wanted).abs().max() / wanted.abs().max().clamp(min=1e-6))
    if not worst <= TOLERANCE:
        raise SegError(f"{_refusal(card, form)} (logits differ by {worst:.1%} of the largest)")


@contextmanager
def recording(card: Card, form: str) -> Iterator[None]:
    """While a model's operations are recorded or repeated: what libraries raise names network and format, as SegError.

    Left out are its remarks on sizes, which `check` proves to be free, and that TorchScript and the ONNX exporter
    that builds on it grow no more: the exporter's successor takes twenty times as long for the same graph.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # pyright: ignore[reportPrivateImportUsage]
        warnings.filterwarnings("ignore", r"`torch\.jit|.*TorchScript-based ONNX|The feature will be removed")
        warnings.filterwarnings("ignore", r"ONNX export mode is set to|Constant folding - |__array_wrap__ must")
        try:
            yield
        except SegError:
            raise
        except Exception as error:  # the libraries raise all kinds
            reason = " ".join(str(error).split()) or type(error).__name__
            raise SegError(f"{_refusal(card, form)} ({reason[:200]})") from None


def _refusal(card: Card, form: str) -> str:
    return f"the network {card.model} cannot be written as {form}; leave it out of export.variants"


def _options(card: Card) -> Network:
    options = plugins.options(plugins.load(models, card.model), {"model": {card.model: card.options}})
    assert isinstance(options, Network)
    return options


def _sides(card: Card, direction: int) -> tuple[int, ...]:
    """Sides below or above the smallest multiple that padding leaves alone; without padding such multiples."""
    divisor = _options(card).divisor
    base = divisor * max(2, -(-LEAST // divisor))
    if card.padding:
        return tuple(base + direction * (axis + 1) for axis in range(card.dims))
    return tuple(base + divisor * (axis + (direction > 0)) for axis in range(card.dims))


def _images(batch: int, card: Card, sides: tuple[int, ...]) -> Tensor:
    """Noise over the range of a photograph, the same every time."""
    random = torch.Generator().manual_seed(0)
    return torch.rand((batch, card.dataset["channels"], *sides), generator=random) * 255
