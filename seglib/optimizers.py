"""From the settings to an optimiser whose groups of weights have rates and decays of their own."""

from torch import nn
from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW, Optimizer

from seglib.errors import SegError
from seglib.sections.optimizer import Optimizer as Settings

MANY_AXES = (nn.LayerNorm, nn.RMSNorm)
"""Norms whose weights may have several axes; those of every other norm have one."""


def build_optimizer(settings: Settings, lr: float, network: nn.Module) -> Optimizer:
    """Adam, AdamW or SGD with Nesterov's momentum over the weights that are not frozen.

    The decay of Adam is an L2 penalty, which its steps rescale; that of AdamW is none (Loshchilov & Hutter,
    Decoupled Weight Decay Regularization, 2019). Each group keeps its full rate under `base_lr`.
    Raises SegError where every weight is frozen.
    """
    groups = _groups(settings, lr, network)
    if settings.name == "adam":
        return Adam(groups, lr)
    if settings.name == "adamw":
        return AdamW(groups, lr)
    return SGD(groups, lr, momentum=settings.momentum, nesterov=settings.momentum > 0)


def set_rate(optimizer: Optimizer, factor: float) -> None:
    """Set the rate of each group to `factor` of its full one."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * factor


def _groups(settings: Settings, lr: float, network: nn.Module) -> list[dict[str, object]]:
    """Weights of the same rate and decay together, in the network's order."""
    exempt = set() if settings.decay_all else _norms_and_biases(network)
    together: dict[tuple[float, float], list[Parameter]] = {}
    for name, weight in network.named_parameters():
        if not weight.requires_grad:
            continue
        rate = lr * settings.encoder_lr if "encoder" in name.split(".") else lr
        decay = 0.0 if weight in exempt else settings.weight_decay
        together.setdefault((rate, decay), []).append(weight)
    if not together:
        raise SegError("no weight of the network can be trained: all are frozen; set freeze: false under model")
    return [
        {"params": weights, "lr": rate, "base_lr": rate, "weight_decay": decay}
        for (rate, decay), weights in together.items()
    ]


def _norms_and_biases(network: nn.Module) -> set[Parameter]:
    flat = {weight for weight in network.parameters() if weight.ndim <= 1}
    norms = (module for module in network.modules() if isinstance(module, MANY_AXES))
    return flat.union(*(norm.parameters(recurse=False) for norm in norms))
