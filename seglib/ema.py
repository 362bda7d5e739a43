"""A running average of a network's weights, often better than the last ones (Tarvainen & Valpola, NeurIPS 2017)."""

from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.optim.swa_utils import PARAM_LIST, AveragedModel, get_ema_multi_avg_fn


class Average:
    """The exponential moving average of a network's weights; buffers are those of the network itself.

    The n-th update, counted from 0, keeps the share min(decay, (1 + n) / (10 + n)) of the average, as
    TensorFlow's `ExponentialMovingAverage` does, so that the first weights are soon forgotten; update 0 keeps
    nothing.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        """Start from a copy of `model`, in evaluation mode."""
        self._average = AveragedModel(model, multi_avg_fn=partial(_blend, decay))
        self._average.eval().requires_grad_(requires_grad=False)

    @property
    def model(self) -> nn.Module:
        """The network with the averaged weights; its keys are those of the network that is trained."""
        return self._average.module

    def buffers(self) -> list[Tensor]:
        """Such as the statistics of batch norms, which differ from process to process."""
        return list(self.model.buffers())

    def take_buffers(self, buffers: list[Tensor]) -> None:
        """Replace the buffers by those of another process."""
        for own, other in zip(self.model.buffers(), buffers, strict=True):
            own.copy_(other)

    def update(self, model: nn.Module) -> None:
        """Take in the weights of `model` after a step."""
        self._average.update_parameters(model)

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed training needs to go on in the same bits; tensors are not copied."""
        return self._average.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state of the same network."""
        self._average.load_state_dict(state)


def _blend(decay: float, average: PARAM_LIST, current: PARAM_LIST, updates: Tensor | int) -> None:
    count = int(updates)
    get_ema_multi_avg_fn(min(decay, (1 + count) / (10 + count)))(average, current, updates)
