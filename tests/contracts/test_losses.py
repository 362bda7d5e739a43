"""Every loss: finite, lower for better logits, blind to ignored pixels."""

import pytest
import torch

from seglib import losses, plugins
from seglib.config import read_params
from seglib.io.sample import IGNORE

CLASSES = 3


def build(name):
    plugin = plugins.load(losses, name)
    return plugin.build(plugins.options(plugin, read_params()), CLASSES)


@pytest.fixture
def target():
    return torch.randint(0, CLASSES, (2, 16, 16), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def logits_for(target, confidence):
    one_hot = torch.nn.functional.one_hot(target.long().clamp(max=CLASSES - 1), CLASSES).movedim(-1, 1)
    return (one_hot * confidence).float().requires_grad_()


@pytest.mark.parametrize("name", plugins.names(losses))
def test_better_logits_cost_less(name, target):
    loss = build(name)
    costs = [loss(logits_for(target, confidence), target).item() for confidence in (-4, 0, 4, 12)]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < 0.05


@pytest.mark.parametrize("name", plugins.names(losses))
def test_ignored_pixels_change_neither_loss_nor_gradient(name, target):
    loss = build(name)
    holes = target.clone()
    holes[:, :5] = IGNORE
    first, second = logits_for(target, 1.0), logits_for(target, 1.0)
    with torch.no_grad():
        second[:, :, :5] = torch.randn(2, CLASSES, 5, 16, generator=torch.Generator().manual_seed(1))
    values = [loss(logits, holes) for logits in (first, second)]
    for value in values:
        value.backward()
    assert torch.equal(values[0], values[1])
    assert first.grad is not None
    assert (first.grad[:, :, :5] == 0).all()


@pytest.mark.parametrize("name", plugins.names(losses))
def test_all_pixels_ignored_is_finite(name, target):
    logits = logits_for(target, 1.0)
    value = build(name)(logits, torch.full_like(target, IGNORE))
    value.backward()
    assert value.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("name", plugins.names(losses))
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_logits_give_a_float32_loss(name, target, dtype):
    value = build(name)((logits_for(target, 1.0) * 100).to(dtype), target)
    assert value.dtype == torch.float32
    assert value.isfinite()
