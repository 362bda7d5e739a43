"""Every loss: finite, lower for better logits, blind to ignored pixels, also where classes overlap."""

import pytest
import torch

from seglib import losses, plugins
from seglib.config import read_params
from seglib.io.sample import IGNORE
from seglib.targets import outputs, target_planes

CLASSES = 3
NAMES = pytest.mark.parametrize("name", plugins.names(losses))
OVERLAPPING = pytest.mark.parametrize("overlapping", [False, True], ids=["exclusive", "overlapping"])
SPACE = pytest.mark.parametrize("space", [(16, 16), (6, 8, 10)], ids=["plane", "volume"])


def build(name, *, overlapping):
    plugin = plugins.load(losses, name)
    return plugin.build(plugins.options(plugin, read_params()), overlapping=overlapping)


def target_for(*, overlapping, space=(16, 16)):
    values = 2 ** (CLASSES - 1) if overlapping else CLASSES
    return torch.randint(0, values, (2, *space), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def logits_for(target, confidence, *, overlapping):
    planes, _ = target_planes(target, outputs(CLASSES, overlapping=overlapping), overlapping=overlapping)
    signs = planes * 2 - 1 if overlapping else planes
    return (signs * confidence).float().requires_grad_()


@NAMES
@OVERLAPPING
@SPACE
def test_better_logits_cost_less(name, overlapping, space):
    loss, target = build(name, overlapping=overlapping), target_for(overlapping=overlapping, space=space)
    costs = [
        loss(logits_for(target, confidence, overlapping=overlapping), target).item() for confidence in (-4, 0, 4, 12)
    ]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < 0.05


@NAMES
@OVERLAPPING
@SPACE
def test_ignored_pixels_change_neither_loss_nor_gradient(name, overlapping, space):
    loss, target = build(name, overlapping=overlapping), target_for(overlapping=overlapping, space=space)
    holes = target.clone()
    holes[:, :5] = IGNORE
    first, second = logits_for(target, 1.0, overlapping=overlapping), logits_for(target, 1.0, overlapping=overlapping)
    with torch.no_grad():
        second[:, :, :5] = torch.randn(second[:, :, :5].shape, generator=torch.Generator().manual_seed(1))
    values = [loss(logits, holes) for logits in (first, second)]
    for value in values:
        value.backward()
    assert torch.equal(values[0], values[1])
    assert first.grad is not None
    assert (first.grad[:, :, :5] == 0).all()
    assert (first.grad[:, :, 5:] != 0).any()


@NAMES
@OVERLAPPING
@SPACE
def test_all_pixels_ignored_is_finite(name, overlapping, space):
    target = target_for(overlapping=overlapping, space=space)
    logits = logits_for(target, 1.0, overlapping=overlapping)
    value = build(name, overlapping=overlapping)(logits, torch.full_like(target, IGNORE))
    value.backward()
    assert value.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@NAMES
@OVERLAPPING
def test_masks_without_foreground_are_finite(name, overlapping):
    target = torch.zeros_like(target_for(overlapping=overlapping))
    logits = logits_for(target, 1.0, overlapping=overlapping)
    value = build(name, overlapping=overlapping)(logits, target)
    value.backward()
    assert value.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@NAMES
@OVERLAPPING
def test_each_plane_gets_a_gradient(name, overlapping):
    target = target_for(overlapping=overlapping)
    logits = logits_for(target, 0.0, overlapping=overlapping)
    build(name, overlapping=overlapping)(logits, target).backward()
    assert logits.grad is not None
    assert (logits.grad.flatten(2) != 0).any(2).all()


@NAMES
@OVERLAPPING
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_logits_give_a_float32_loss(name, overlapping, dtype):
    target = target_for(overlapping=overlapping)
    value = build(name, overlapping=overlapping)(
        (logits_for(target, 1.0, overlapping=overlapping) * 100).to(dtype), target
    )
    assert value.dtype == torch.float32
    assert value.isfinite()
