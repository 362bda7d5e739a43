"""Every loss: finite, lower for better logits, blind to ignored pixels, for every head that it can train."""

import itertools

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from seglib.io.sample import IGNORE
from tests.contracts.loss_cases import CLASSES, build, each_loss

EACH = each_loss()
SPACE = pytest.mark.parametrize("space", [(16, 16), (6, 8, 10)], ids=["plane", "volume"])
UNSTEADY = {
    *("bincount", "histc", "index_add", "index_add_", "median", "nll_loss_forward", "nll_loss2d_forward", "put_"),
    *("scatter.src", "scatter_.src", "scatter_add", "scatter_add_"),
}
"""Operations that `torch.use_deterministic_algorithms` refuses on CUDA, or replaces by slower ones."""


def mask_for(head, space=(16, 16)):
    values = 2 ** (CLASSES - 1) if head.overlapping else CLASSES
    return torch.randint(0, values, (2, *space), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def logits_for(mask, confidence, head):
    truth, _ = head.truth(mask)
    return ((truth * 2 - 1 if head.sigmoid else truth) * confidence).float().requires_grad_()


def noise(shape, scale=1.0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1)) * scale


def gradient(loss, logits, mask):
    value = loss(logits, mask)
    assert value.isfinite()
    value.backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    return logits.grad


@EACH
@SPACE
def test_better_logits_cost_less(name, head, space):
    loss, mask = build(name, head), mask_for(head, space)
    costs = [loss(logits_for(mask, confidence, head), mask).item() for confidence in (-4, 0, 4, 12)]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > costs[1] > costs[2]
    assert costs[-1] < 0.05


@EACH
def test_each_repaired_row_costs_less(name, head):
    loss, mask = build(name, head), mask_for(head)
    costs = []
    for wrong in (16, 8, 4, 1, 0):
        logits = logits_for(mask, 4.0, head).detach()
        logits[:, :, :wrong] *= -1
        costs.append(loss(logits, mask).item())
    assert all(worse > better for worse, better in itertools.pairwise(costs))


@EACH
@SPACE
def test_ignored_pixels_change_neither_loss_nor_gradient(name, head, space):
    loss, mask = build(name, head), mask_for(head, space)
    mask[:, :5] = IGNORE
    first, second = noise((2, head.planes, *space)), noise((2, head.planes, *space))
    second[:, :, :5] = noise(second[:, :, :5].shape, 1e3)
    first.requires_grad_()
    second.requires_grad_()
    assert torch.equal(loss(first, mask), loss(second, mask))
    slopes = gradient(loss, first, mask)
    assert torch.equal(slopes, gradient(loss, second, mask))
    assert (slopes[:, :, :5] == 0).all()
    assert (slopes[:, :, 5:] != 0).any()


@EACH
@SPACE
def test_ignoring_rows_is_cutting_them_off(name, head, space):
    loss, mask, logits = build(name, head), mask_for(head, space), noise((2, head.planes, *space))
    cut = loss(logits[:, :, 2:], mask[:, 2:])
    mask[:, :2] = IGNORE
    torch.testing.assert_close(loss(logits, mask), cut)


@EACH
@SPACE
def test_all_pixels_ignored_is_finite(name, head, space):
    mask = mask_for(head, space)
    gradient(build(name, head), logits_for(mask, 1.0, head), torch.full_like(mask, IGNORE))


@EACH
@pytest.mark.parametrize("value", [0, 1], ids=["background", "foreground"])
def test_masks_of_one_class_are_finite(name, head, value):
    mask = torch.full_like(mask_for(head), value)
    gradient(build(name, head), noise((2, head.planes, 16, 16)).requires_grad_(), mask)


@EACH
def test_each_plane_gets_a_gradient(name, head):
    mask = mask_for(head)
    assert (gradient(build(name, head), logits_for(mask, 0.0, head), mask).flatten(2) != 0).any(2).all()


@EACH
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_logits_cost_what_they_do_in_float32(name, head, dtype):
    loss, mask = build(name, head), mask_for(head)
    logits = (logits_for(mask, 100.0, head) + noise((2, head.planes, 16, 16))).to(dtype)
    with torch.autocast("cpu", dtype):
        value = loss(logits, mask)
    assert value.dtype == torch.float32
    assert value.shape == ()
    assert torch.equal(value, loss(logits.float(), mask))


@EACH
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("confidence", [1e4, -1e4], ids=["right", "wrong"])
def test_extreme_logits_have_finite_gradients(name, head, dtype, confidence):
    mask = mask_for(head)
    logits = logits_for(mask, confidence, head).detach()
    logits[:, :, :4] *= -1
    gradient(build(name, head), logits.to(dtype).requires_grad_(), mask)


@EACH
def test_errors_in_a_heavy_class_cost_more(name, head):
    mask = mask_for(head)
    wrong = mask.clone()
    wrong[:, :8][wrong[:, :8] == CLASSES - 1] = 0  # misses the last class, and no other
    logits = logits_for(wrong, 6.0, head)
    light, heavy = torch.full((2, head.planes), 0.5)
    light[-2] += head.planes / 2
    heavy[-1] += head.planes / 2
    costs = [build(name, head, weights)(logits, mask) for weights in (light, torch.ones(head.planes), heavy)]
    assert costs[0] < costs[1] < costs[2]


@EACH
def test_nothing_in_it_differs_from_run_to_run_on_cuda(name, head):
    class Steady(TorchDispatchMode):
        calls = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            called = func.overloadpacket.__name__
            self.calls += 1
            assert not {called, func.__name__} & UNSTEADY
            assert called not in {"index_put", "index_put_"} or not (args[3:] or (False,))[0]
            assert called not in {"cumsum", "cumsum_"} or not args[0].is_floating_point()
            return func(*args, **(kwargs or {}))

    mask, logits = mask_for(head), noise((2, head.planes, 16, 16)).requires_grad_()
    loss = build(name, head)
    with Steady() as mode:
        value = loss(logits, mask)
        forward = mode.calls
        value.backward()
    assert mode.calls > forward > 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@EACH
def test_two_runs_on_a_gpu_agree_in_every_bit(name, head):
    mask = mask_for(head, (64, 64)).cuda()
    results = []
    for _ in range(2):
        logits = noise((2, head.planes, 64, 64)).cuda().requires_grad_()
        results.append(gradient(build(name, head).cuda(), logits, mask))
    assert torch.equal(*results)
