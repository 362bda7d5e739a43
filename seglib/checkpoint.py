"""The trained model as one self-contained file: raw values in, logits out."""

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from seglib import models, plugins
from seglib.errors import SegError

FORMAT = 1


class Segmenter(nn.Module):
    """Normalises raw values with the training side's statistics and runs the network."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor) -> None:
        """`mean` and `std` hold one float32 a channel, in raw units."""
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean.view(1, -1, 1, 1))
        self.register_buffer("std", std.view(1, -1, 1, 1))

    def forward(self, raw: Tensor) -> Tensor:
        """Map raw values [batch, channels, height, width] to logits [batch, classes, height, width]."""
        return self.network((raw.float() - self.mean) / self.std)


@dataclass(frozen=True)
class Card:
    """What a model file says about itself besides its weights."""

    model: str
    options: dict[str, Any]
    dataset: dict[str, Any]
    image_size: int | float | list[int]
    versions: dict[str, str]

    @property
    def classes(self) -> list[str]:
        """Class names in the order of the indices; 0 is the background."""
        return [item["name"] for item in self.dataset["classes"]]

    @property
    def colours(self) -> list[tuple[int, int, int]]:
        """RGB colours in the order of the indices."""
        return [tuple(item["colour"]) for item in self.dataset["classes"]]


def build_segmenter(card: Card, mean: Tensor, std: Tensor) -> Segmenter:
    """Build the untrained model that a card describes."""
    plugin = plugins.load(models, card.model)
    options = plugins.options(plugin, {"model": {card.model: card.options}})
    network = plugin.build(options, card.dataset["channels"], len(card.classes))
    return Segmenter(network, mean, std)


def save_checkpoint(path: Path, card: Card, state: Mapping[str, Tensor]) -> None:
    """Write weights and card atomically; equal content gives equal bytes."""
    content = {"format": FORMAT, "card": vars(card), "state": {k: v.detach().cpu().clone() for k, v in state.items()}}
    buffer = io.BytesIO()
    torch.save(content, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_bytes(buffer.getvalue())
    new.replace(path)


def load_checkpoint(path: Path) -> tuple[Segmenter, Card]:
    """Read a model file.

    Raises SegError where it is missing, unreadable, or of another format.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise SegError(f"{path} is missing: run `dvc repro train`") from None
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise SegError(f"{path}: not a readable model file ({str(error).splitlines()[0]})") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SegError(f"{path}: not a model file of this version (format {FORMAT}); train it again")
    card, state = Card(**content["card"]), content["state"]
    segmenter = build_segmenter(card, state["mean"], state["std"])
    segmenter.load_state_dict(state)
    return segmenter.eval(), card
