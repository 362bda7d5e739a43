"""Published weight files, read into a network's encoder."""

from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn

from seglib.encoder_names import ENCODER, Naming, namings
from seglib.errors import SegError, listing

COLOURS = 3
"""Input channels of the published encoders."""


@dataclass(frozen=True)
class Report:
    """What became of a weight file."""

    matched: tuple[str, ...]
    """Keys of the network that hold the file's values now, adapted or as they were."""
    adapted: tuple[str, ...]
    """Those of them that were fitted to another number of input channels."""
    left_out: tuple[str, ...]
    """Keys of the file's classifier, for which the network has no place."""
    channels: int
    """Input channels of the network."""

    def describe(self) -> str:
        """Say it in one line."""
        parts = [f"{len(self.matched)} tensors loaded"]
        if self.adapted:
            parts.append(f"{listing(self.adapted)} adapted from {COLOURS} channels to {self.channels}")
        if self.left_out:
            parts.append(f"left out: {listing(self.left_out)}")
        return "; ".join(parts)


def load_encoder(network: nn.Module, path: Path) -> Report:
    """Load a published weight file into the part `encoder` of a network.

    `encoder_names` knows the files' names. A whole DeepLabV3 also fills a part `classifier`, if there is one. The
    first layer is adapted to the number of input channels: for one the sum over the colours, else the colours in
    turn, scaled by 3/n. Torchvision's EfficientNet was trained with symmetric padding and another epsilon in its
    norms than MONAI's: its weights are a start, not the same function.
    Raises SegError where the file cannot be read, or does not fit the encoder key by key and shape by shape.
    """
    weights, own = _read(path), network.state_dict()
    naming = max(namings(own), key=lambda naming: len(weights.keys() & naming.names.values()))
    found = {key: weights[name] for key, name in naming.names.items() if name in weights}
    first = next(key for key in own if key.startswith(ENCODER))
    adapted = (first,) if first in found and _only_channels_differ(found[first], own[first]) else ()
    found |= {key: _adapt(found[key], own[key].shape[1]) for key in adapted}
    used = set(naming.names.values())
    left_out = tuple(name for name in weights if name not in used)
    if problems := [*_misfits(naming, found, own), *_surplus(naming, left_out)]:
        raise SegError(
            f"{path} does not fit the network's encoder: {'; '.join(problems)}. Select the encoder that the file "
            "belongs to under model.<name>, or another file there (weights and sha256)"
        )
    network.load_state_dict(found, strict=False)
    return Report(tuple(found), adapted, left_out, own[first].shape[1])


def _read(path: Path) -> dict[str, Tensor]:
    """The tensors of a state dict by key; nothing in the file is executed."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a malformed pickle may raise anything
        raise SegError(
            f"{path} cannot be read as weights: {_reason(error)}. "
            "Give a file of tensors alone, as torch.save writes a state_dict (model.<name>.weights)"
        ) from None
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not content or not all(isinstance(value, Tensor) for value in content.values()):
        raise SegError(
            f"{path} holds {type(content).__name__}, not tensors by key; give a file as torch.save writes a "
            "state_dict, alone or under the key 'state_dict' (model.<name>.weights)"
        )
    if odd := [str(key) for key, value in content.items() if not _is_plain(value)]:
        raise SegError(f"{path} holds tensors that are sparse, complex or without content: {listing(odd)}")
    return {str(key): value.detach() for key, value in content.items()}


def _is_plain(tensor: Tensor) -> bool:
    return tensor.layout == torch.strided and not tensor.is_meta and not tensor.is_complex()


def _reason(error: Exception) -> str:
    """Why a file was not read, without torch's advice to execute what is in it."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, UnpicklingError):
        return "it holds other objects than tensors, which could run code, or is of another kind"
    return "it is cut short, damaged or of another kind"


def _only_channels_differ(found: Tensor, own: Tensor) -> bool:
    """Whether a first layer takes colours, and is else like the network's, which takes other channels."""
    channels = own.shape[1]
    return channels != COLOURS and found.shape == (own.shape[0], COLOURS, *own.shape[2:])


def _adapt(colours: Tensor, channels: int) -> Tensor:
    """A first layer [outputs, 3, *kernel] for other channels, whose answers stay as strong."""
    if channels == 1:
        return colours.sum(1, keepdim=True)
    return colours[:, [channel % COLOURS for channel in range(channels)]] * (COLOURS / channels)


def _misfits(naming: Naming, found: dict[str, Tensor], own: dict[str, Tensor]) -> list[str]:
    """What the file lacks, and what has another shape in it."""
    names = naming.names
    have = {names[key] for key in found}
    missing = [name for name in naming.needed() if name not in have]
    other = [
        f"{names[key]} ({_shape(value)} instead of {_shape(own[key])})"
        for key, value in found.items()
        if value.shape != own[key].shape
    ]
    kinds = {"it lacks": missing, "of another shape are": other}
    return [f"{kind} {listing(keys)}" for kind, keys in kinds.items() if keys]


def _surplus(naming: Naming, left_out: tuple[str, ...]) -> list[str]:
    """What the file has besides its classifier, as the file of a deeper encoder does."""
    surplus = [name for name in left_out if not name.startswith(naming.classifier)]
    return [f"the encoder lacks {listing(surplus)}"] if surplus else []


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a number"
