"""How published weight files name what an encoder has."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

ENCODER = "encoder."
HEAD = "classifier."
"""The part of a network, besides its encoder, that torchvision's whole DeepLabV3 files have weights for."""
COUNTER = "num_batches_tracked"
"""A count that batch norm keeps, which older files lack and nothing here reads."""


@dataclass(frozen=True)
class Naming:
    """One way of naming."""

    names: dict[str, str]
    """The network's key → the file's."""
    classifier: tuple[str, ...]
    """How the keys of a file begin that an encoder has no place for."""

    def needed(self) -> list[str]:
        """The file's keys without which the encoder is not complete."""
        return [name for name in self.names.values() if not name.endswith(COUNTER)]


def namings(keys: Iterable[str]) -> list[Naming]:
    """The ways in which a file may name the state of a network with these keys.

    Torchvision's encoders, which name it as the network does; its whole DeepLabV3 networks; and for MONAI's
    EfficientNet the files of lukemelas' EfficientNet-PyTorch and of torchvision.
    """
    head = {key: key for key in keys if key.startswith(HEAD)}
    inner = [key.removeprefix(ENCODER) for key in keys if key.startswith(ENCODER)]
    whole = {key: f"backbone.{key.removeprefix('features.')}" for key in inner}
    flat = {key: re.sub(r"^_blocks\.\d+\.", "_blocks.", key) for key in inner}
    return [
        Naming(_inside({key: key for key in inner}), ("fc.", HEAD)),
        Naming({**_inside(whole), **head}, (HEAD, "aux_classifier.")),
        Naming(_inside(flat), ("_conv_head.", "_bn1.", "_fc.")),
        Naming(_inside(_torchvision_efficientnet(inner)), ("features.8.", HEAD)),
    ]


def _inside(names: dict[str, str]) -> dict[str, str]:
    return {ENCODER + key: name for key, name in names.items()}


MONAI_BLOCK = re.compile(r"_blocks\.(\d+)\.(\d+)\.(\w+)\.(\w+)")
"""Stage, block (counted from the network's start), layer, leaf."""
STEM = {"_conv_stem": "features.0.0", "_bn0": "features.0.1"}
EXPANSION = {"_expand_conv": "0", "_bn0": "1"}
BEHIND = {
    "_depthwise_conv": (0, "0"),
    "_bn1": (0, "1"),
    "_se_reduce": (1, "fc1"),
    "_se_expand": (1, "fc2"),
    "_project_conv": (2, "0"),
    "_bn2": (2, "1"),
}
"""A layer of MONAI's blocks → its place in torchvision's; one further where an expansion comes first."""


def _torchvision_efficientnet(keys: list[str]) -> dict[str, str]:
    """MONAI's keys of an EfficientNet → torchvision's, which count the blocks of each stage from 0."""
    blocks = [match.groups() for key in keys if (match := MONAI_BLOCK.fullmatch(key))]
    starts: dict[str, int] = {}
    for stage, block, *_ in blocks:
        starts[stage] = min(int(block), starts.get(stage, int(block)))
    expanded = {block for _, block, layer, _ in blocks if layer in EXPANSION}
    names = {}
    for key in keys:
        if match := MONAI_BLOCK.fullmatch(key):
            stage, block, layer, leaf = match.groups()
            place = _place(layer, expanded=block in expanded)
            names[key] = f"features.{int(stage) + 1}.{int(block) - starts[stage]}.block.{place}.{leaf}"
        else:
            layer, _, leaf = key.rpartition(".")
            names[key] = f"{STEM.get(layer, layer)}.{leaf}"
    return names


def _place(layer: str, *, expanded: bool) -> str:
    """Where torchvision has a layer inside a block."""
    if layer in EXPANSION:
        return f"0.{EXPANSION[layer]}"
    index, inner = BEHIND.get(layer, (0, layer))
    return f"{index + expanded}.{inner}"
