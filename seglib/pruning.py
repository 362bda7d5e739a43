"""Whole channels are removed by their importance, and what is left is an ordinary network of the same kind."""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.instancenorm import _InstanceNorm
from torch_pruning import DependencyGraph
from torch_pruning.pruner.importance import GroupMagnitudeImportance

from seglib import models, plugins
from seglib.checkpoint import Card, Segmenter, build_segmenter
from seglib.errors import SegError
from seglib.sections.network import Network

BATCH_NORMS = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
IMPORTANCE = GroupMagnitudeImportance(p=2, group_reduction="mean", normalizer=None)  # pyright: ignore[reportArgumentType]
"""Of a channel: the squared weights that make it and that read it, summed in each layer, their mean over the layers."""


def pruned(segmenter: Segmenter, card: Card, smaller: Card) -> Segmenter:
    """The model that the card `smaller` describes, of the most important channels of a model with the card `card`.

    Layers that share channels, as by a residual connection, lose the same ones; which do is found by the dependency
    graph of Fang et al. (DepGraph, CVPR 2023). The two cards' options differ in widths alone. Raises SegError
    where those of `smaller` make a network of other layers.
    """
    model = build_segmenter(smaller, segmenter.mean, segmenter.std)
    own = segmenter.state_dict()
    if own.keys() != model.state_dict().keys():
        raise SegError(
            f"prune.ratio: makes a network of other layers, since other levels than now are equally wide (model."
            f"{card.model} would become {smaller.options}); set another ratio"
        )
    model.load_state_dict(own | _remaining(segmenter, card, _widths(model)))
    return model.eval()


def weight_count(network: nn.Module) -> int:
    """Numbers that a network learns."""
    return sum(weight.numel() for weight in network.parameters())


def _remaining(segmenter: Segmenter, card: Card, widths: Mapping[str, int]) -> dict[str, Tensor]:
    """The weights of all layers with channels, when each convolution has as many as `widths` names."""
    network = _traceable(segmenter, card.dims)
    names = {module: name for name, module in network.named_modules()}
    graph = DependencyGraph().build_dependency(network, _image(card), lambda model, image: model.train()(image))
    network.load_state_dict(segmenter.state_dict(), strict=False)  # the trace moves the statistics of batch norms
    for group, importance in [(group, IMPORTANCE(group)) for group in graph.get_all_groups()]:
        assert isinstance(importance, Tensor)
        excess = len(importance) - widths[names[group[0].dep.layer]]
        if excess > 0:
            group.prune(importance.argsort(stable=True)[:excess].tolist())
    return network.state_dict()


def _traceable(segmenter: Segmenter, dims: int) -> nn.Module:
    """A copy in which no layer hides channels from the trace.

    Instance norm works on another shape inside, and a PReLU with one weight has no channels: a batch norm with
    the same weights, or nothing, stands for them.
    """
    network = copy.deepcopy(segmenter)
    for parent in list(network.modules()):
        for name, layer in parent.named_children():
            if isinstance(layer, _InstanceNorm) and layer.affine:
                setattr(parent, name, BATCH_NORMS[dims](layer.num_features, track_running_stats=False))
            elif isinstance(layer, _InstanceNorm) or (isinstance(layer, nn.PReLU) and layer.num_parameters == 1):
                setattr(parent, name, nn.Identity())
    return network


def _image(card: Card) -> Tensor:
    """The smallest image that leaves batch norms more than one value at the bottom."""
    options = plugins.options(plugins.load(models, card.model), {"model": {card.model: card.options}})
    assert isinstance(options, Network)
    return torch.zeros(1, card.dataset["channels"], *[2 * options.divisor] * card.dims)


def _widths(segmenter: Segmenter) -> dict[str, int]:
    return {name: layer.out_channels for name, layer in segmenter.named_modules() if isinstance(layer, _ConvNd)}
