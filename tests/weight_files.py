"""Weight files with the keys and shapes of published ones, which `tests/published` lists, and values of our own."""

import math
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

AnyModule = TypeVar("AnyModule", bound=nn.Module)
LISTS = Path(__file__).parent / "published"
NAMES = sorted(file.stem for file in LISTS.glob("*.txt"))
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


def shapes(name: str) -> dict[str, tuple[int, ...]]:
    """The keys of a published file with their shapes, in its order."""
    lines = (line.split() for line in (LISTS / f"{name}.txt").read_text().splitlines() if not line.startswith("#"))
    return {key: () if shape == "scalar" else tuple(map(int, shape.split("x"))) for key, shape in lines}


def published_parameters(name: str) -> int:
    """The number of parameters that the publisher states."""
    head = [line for line in (LISTS / f"{name}.txt").read_text().splitlines() if line.startswith("#")]
    return int(head[-1].rpartition(":")[2])


def parameters(name: str, *prefixes: str) -> int:
    """The number of parameters of the listed keys that begin with one of the prefixes."""
    return sum(
        math.prod(shape)
        for key, shape in shapes(name).items()
        if key.startswith(prefixes) and not key.endswith(BUFFERS)
    )


def weights(name: str) -> dict[str, Tensor]:
    """Values for a published file, another for each output channel of each key; small tensors are random.

    A large tensor repeats its values in memory, so that a file of 500 MB takes a few kB.
    """
    random = torch.Generator().manual_seed(0)
    return {key: _values(index, shape, random) for index, (key, shape) in enumerate(shapes(name).items(), 1)}


def settle(network: AnyModule) -> AnyModule:
    """Give every norm weights and statistics of its own, and let the network evaluate."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for value in layer.state_dict().values():
                if value.ndim:
                    nn.init.uniform_(value, 0.5, 1.5)
    return network.eval()


def _values(index: int, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    if not shape:
        return torch.tensor(index)
    if math.prod(shape) < 20_000:
        return torch.rand(shape, generator=random) + 0.1
    rows = index + torch.rand(shape[0], generator=random)
    return rows.view(-1, *[1] * (len(shape) - 1)).expand(shape)


def save(content: object, path: Path) -> Path:
    """Write a file with `torch.save`."""
    torch.save(content, path)
    return path
