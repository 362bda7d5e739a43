"""The trained model as one self-contained file: raw values in, logits out."""

import io
import json
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from seglib import models, plugins
from seglib.errors import SegError
from seglib.head import Head
from seglib.io.sample import SegClass, Spec
from seglib.padding import Logits, Padded
from seglib.sections.network import Network, Shape
from seglib.whole_files import write_whole

FORMAT = 5
UNREADABLE = (
    *(RuntimeError, EOFError, OSError, LookupError, ValueError, TypeError, AttributeError),
    pickle.UnpicklingError,
)
"""What torch raises where a file is no model, whatever it is instead, or cannot be read."""


class Segmenter(nn.Module):
    """Clips raw values, normalises them with the training side's statistics and runs the network."""

    mean: Tensor
    std: Tensor
    window: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor, window: Tensor) -> None:
        """`mean` and `std`: float32 [1, channels, 1, 1 …], in raw units; `window`: the least and the largest value."""
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.register_buffer("window", window)

    def forward(self, raw: Tensor) -> Logits:
        """Map raw values [batch, channels, *space] to logits [batch, planes, *space].

        While training under deep supervision: a list of them, the finest first.
        """
        clipped = raw.float().clamp(self.window[0], self.window[1])
        return self.network((clipped - self.mean) / self.std)


@dataclass(frozen=True)
class Card:
    """What a model file says about itself besides its weights."""

    model: str
    options: dict[str, Any]
    dims: int
    outputs: int
    """While training; more than 1: deep supervision."""
    sigmoid: bool
    padding: bool
    dataset: dict[str, Any]
    pixels: dict[str, Any]
    versions: dict[str, str]
    types: list[str]
    """Of the raw values of the images that it learnt from, sorted."""
    data: str
    """Sha256 of the digests of all files that the training and validation sides are read from."""
    seen: list[str]
    """Short digests of the ids and groups of the training and validation sides, sorted."""

    @property
    def classes(self) -> list[str]:
        """Class names in the order of the indices; 0 is the background."""
        return [item["name"] for item in self.dataset["classes"]]

    @property
    def colours(self) -> list[tuple[int, int, int]]:
        """RGB colours in the order of the indices."""
        return [tuple(item["colour"]) for item in self.dataset["classes"]]

    @property
    def overlapping(self) -> bool:
        """Whether a pixel may belong to several classes."""
        return self.dataset["overlapping"]

    @property
    def head(self) -> Head:
        """What the network's outputs mean."""
        return Head(len(self.classes), self.sigmoid, self.overlapping)

    @property
    def spec(self) -> Spec:
        """The data set's own description."""
        known = {key: value for key, value in self.dataset.items() if key not in ("name", "take", "classes")}
        pairs = zip(self.classes, self.colours, strict=True)
        return Spec(classes=tuple(SegClass(name, colour) for name, colour in pairs), **known)

    def to_json(self) -> str:
        """The card as text, for files of other formats; equal cards give equal text."""
        return json.dumps({"format": FORMAT, "card": asdict(self)}, separators=(",", ":"))

    @staticmethod
    def from_json(text: str, source: str) -> "Card":
        """Read what `to_json` wrote.

        Raises SegError, which names `source`, where it is no such text or one of another format.
        """
        try:
            content = json.loads(text)
        except ValueError:
            raise SegError(f"{source}: its card is not readable; export the model again") from None
        return _card(content, source)


def build_segmenter(card: Card, mean: Tensor, std: Tensor) -> Segmenter:
    """Build the untrained model that a card describes; `mean` and `std` hold one float32 a channel."""
    plugin = plugins.load(models, card.model)
    options = plugins.options(plugin, {"model": {card.model: card.options}})
    assert isinstance(options, Network)
    shape = Shape(card.dims, card.dataset["channels"], card.head.planes, card.outputs)
    network = plugin.build(options, shape)
    if card.padding:
        network = Padded(network, options.divisor)
    window = card.pixels["window"] if card.dataset["modality"] == "ct" else [-torch.inf, torch.inf]
    each = (1, -1, *[1] * card.dims)
    return Segmenter(network, mean.view(each), std.view(each), torch.tensor(window, dtype=torch.float32))


def save_checkpoint(path: Path, card: Card, state: Mapping[str, Tensor]) -> None:
    """Write weights and card atomically; equal content gives equal bytes."""
    content = {"format": FORMAT, "card": vars(card), "state": {k: v.detach().cpu().clone() for k, v in state.items()}}
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_whole(path, buffer.getvalue())


def load_checkpoint(path: Path) -> tuple[Segmenter, Card]:
    """Read a model file.

    Raises SegError where it is missing, unreadable, or of another format.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise SegError(f"{path} is missing: run `dvc repro train`") from None
    except UNREADABLE as error:
        raise SegError(f"{path}: not a readable model file ({first_line(error)})") from None
    card = _card(content, str(path))
    try:
        state = content["state"]
        segmenter = build_segmenter(card, state["mean"], state["std"])
        segmenter.load_state_dict(state)
    except UNREADABLE as error:
        raise SegError(f"{path}: its weights do not fit its card ({first_line(error)})") from None
    return segmenter.eval(), card


def first_line(error: Exception) -> str:
    """What an error of a library says first; its kind where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _card(content: Any, source: str) -> Card:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SegError(f"{source}: not a model file of this version (format {FORMAT}); train or export it again")
    try:
        return Card(**content["card"])
    except (KeyError, TypeError):
        raise SegError(f"{source}: its card lacks something; train or export it again") from None
