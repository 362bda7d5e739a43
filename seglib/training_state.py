"""A training's state between two epochs, as plain tensors and numbers.

No state of random numbers is needed: all of them follow from (seed, epoch, sample).
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from seglib.engine import Epoch, Training

WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


def weights(training: Training) -> Mapping[str, Any]:
    """The weights to keep: their running average where there is one."""
    if training.settings.strategy == "fsdp":
        return get_model_state_dict(training.model, options=WHOLE)
    return (training.average.model if training.average else training.network).state_dict()


def capture(training: Training) -> dict[str, Any]:
    """All that `restore` needs; every process must call it."""
    sharded = training.settings.strategy == "fsdp"
    model, optimizer = training.model, training.optimizer
    return {
        "history": [asdict(epoch) for epoch in training.history],
        "network": get_model_state_dict(model, options=WHOLE) if sharded else training.network.state_dict(),
        "optimizer": get_optimizer_state_dict(model, optimizer, options=WHOLE) if sharded else optimizer.state_dict(),
        "average": training.average.state_dict() if training.average else None,
        "precision": training.fabric.strategy.precision.state_dict(),
    }


def restore(training: Training, state: dict[str, Any]) -> None:
    """Go back to a captured state."""
    training.history[:] = [Epoch(**epoch) for epoch in state["history"]]
    if training.settings.strategy == "fsdp":
        set_model_state_dict(training.model, state["network"], options=WHOLE)
        set_optimizer_state_dict(training.model, training.optimizer, state["optimizer"], options=WHOLE)
    else:
        training.network.load_state_dict(state["network"])
        training.optimizer.load_state_dict(state["optimizer"])
    if training.average:
        training.average.load_state_dict(state["average"])
    training.fabric.strategy.precision.load_state_dict(state["precision"])
