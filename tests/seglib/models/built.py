"""A network of a plug-in with some options of its own."""

import torch
from torch import nn

from seglib import models, plugins
from seglib.config import parse, read_params
from seglib.sections.network import Shape


def options(name, **changes):
    """The options in `params.yaml`, some of them changed."""
    plugin = plugins.load(models, name)
    return parse(plugin.Params, {**read_params()["model"][name], **changes}, f"model.{name}")


def build(name, dims=2, outputs=1, **changes) -> nn.Module:
    """For one channel and three planes, always with the same weights."""
    torch.manual_seed(0)
    return plugins.load(models, name).build(options(name, **changes), Shape(dims, 1, 3, outputs))


def images(*space):
    """Two grey images of noise."""
    return torch.randn(2, 1, *space, generator=torch.Generator().manual_seed(0))
