import pytest
import torch
from torch import nn

from seglib.deep_supervision_loss import DeepSupervisionLoss
from seglib.errors import SegError


class MeanError(nn.Module):
    """Mean difference, which counts its calls."""

    calls = 0

    def forward(self, logits, mask):
        self.calls += 1
        return (logits - mask).mean()


MASK = torch.zeros(1, 2, 2)


def outputs(*values):
    return [torch.full((1, 1, 2, 2), float(value)) for value in values]


def test_the_weighted_mean_of_all_outputs():
    loss = DeepSupervisionLoss(MeanError(), [1.0, 0.5, 0.25])(outputs(1, 2, 4), MASK)
    assert loss.item() == pytest.approx((1 + 0.5 * 2 + 0.25 * 4) / 1.75)


@pytest.mark.parametrize("weights", [[], [1.0], [3.0, 1.0], [0.0, 1.0]])
def test_a_single_output_has_the_plain_loss(weights):
    assert DeepSupervisionLoss(MeanError(), weights)(outputs(3)[0], MASK).item() == 3


def test_outputs_of_weight_0_get_a_gradient_of_0():
    """None at all would stop the exchange between processes."""
    logits = [output.requires_grad_() for output in outputs(1, 2, 4)]
    loss = DeepSupervisionLoss(MeanError(), [3.0, 0.0, 1.0])(logits, MASK)
    loss.backward()
    assert loss.item() == pytest.approx(7 / 4)
    assert [output.grad.abs().sum().item() > 0 for output in logits if output.grad is not None] == [True, False, True]


def test_gradients_are_shared_out_by_weight():
    logits = [output.requires_grad_() for output in outputs(1, 2)]
    DeepSupervisionLoss(MeanError(), [3.0, 1.0])(logits, MASK).backward()
    sums = [output.grad.sum().item() for output in logits if output.grad is not None]
    assert sums == pytest.approx([0.75, 0.25])


def test_weights_of_0_alone_are_refused():
    with pytest.raises(SegError, match=r"loss\.deep_supervision: \[0\.0, 0\.0\] are all 0"):
        DeepSupervisionLoss(MeanError(), [0.0, 0.0])


def test_a_missing_weight_is_an_error():
    with pytest.raises(ValueError, match="zip"):
        DeepSupervisionLoss(MeanError(), [1.0, 0.5])(outputs(1, 2, 3), MASK)
