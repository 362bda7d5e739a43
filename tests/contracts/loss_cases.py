"""Every loss with every head that it can train, as the contract tests run over them."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seglib import losses, plugins
from seglib.config import read_params
from seglib.head import Head

CLASSES = 3
HEADS = {
    "softmax": Head(CLASSES, sigmoid=False, overlapping=False),
    "sigmoid": Head(CLASSES, sigmoid=True, overlapping=False),
    "overlapping": Head(CLASSES, sigmoid=True, overlapping=True),
}
CHANGES: dict[str, dict[str, Any]] = {
    "hausdorff": {"name": "boundary", "kind": "hausdorff", "boundary_weight": 0.001},
    "lovasz-per-image": {"name": "lovasz", "per_image": True},
}
"""Options that change what is computed, besides those of params.yaml."""
NAMES = [*plugins.names(losses), *CHANGES]
PARAMS = read_params()["loss"]


def _options(case: str) -> tuple[Any, Any]:
    changes = dict(CHANGES.get(case, {}))
    name = changes.pop("name", case)
    plugin = plugins.load(losses, name)
    return plugin, plugins.options(plugin, {"loss": {name: {**PARAMS[name], **changes}}})


def build(case: str, head: Head, weights: Tensor | None = None) -> nn.Module:
    """The loss of one of `NAMES`, with weights of 1 where none are given."""
    plugin, options = _options(case)
    return plugin.build(options, head, torch.ones(head.planes) if weights is None else weights)


def each_loss(*heads: str) -> pytest.MarkDecorator:
    """Parametrise `name` and `head` with every loss and each of the heads, all by default, that it can train."""
    cases = [
        pytest.param(name, HEADS[kind], id=f"{name}-{kind}")
        for name in NAMES
        for kind in heads or HEADS
        if ("sigmoid" if HEADS[kind].sigmoid else "softmax") in _options(name)[1].HEADS
    ]
    return pytest.mark.parametrize(("name", "head"), cases)
