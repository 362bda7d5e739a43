import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seglib.io.sample import IGNORE
from seglib.losses import lovasz
from tests.loss_examples import HEADS, ONE_CLASS, OVERLAPPING, SOFTMAX, example, known, probabilities, truth_of

SEEDS = st.integers(0, 2**32 - 1)


def loss_of(head, logits, mask, weights=None, *, per_image=False):
    weights = torch.ones(head.planes) if weights is None else torch.tensor(weights)
    return lovasz.build(lovasz.Params(per_image=per_image), head, weights)(logits, mask).item()


def jaccard_loss(mispredicted, shown):
    """Of a set of mispredicted pixels: their number / that of those which show the class or are mispredicted."""
    return len(mispredicted) / len(mispredicted | shown) if mispredicted else 0.0


def extension(errors, truth):
    """The Lovász extension of the set function, by its definition."""
    shown, order = set(np.flatnonzero(truth)), np.argsort(-errors)
    values = [jaccard_loss(set(order[:i]), shown) for i in range(len(order) + 1)]
    return (errors[order] * np.diff(values)).sum()


def by_definition(head, logits, mask):
    truth = known(truth_of(mask, head), mask)
    if head.sigmoid:
        errors = np.maximum(0, 1 - known(logits.double().numpy(), mask) * np.where(truth, 1, -1))
    else:
        errors = np.abs(truth - known(probabilities(logits, head), mask))
    return np.array([extension(*pair) for pair in zip(errors, truth, strict=True)]), truth.any(1) | head.sigmoid


@pytest.mark.parametrize("head", HEADS)
@given(seed=SEEDS)
def test_it_is_the_extension_of_the_set_function(head, seed):
    logits, mask = example(head, seed, (3, 4))
    each, counted = by_definition(head, logits, mask)
    assert loss_of(head, logits, mask) == pytest.approx(each[counted].mean(), rel=1e-5, abs=1e-6)


@given(seed=SEEDS)
def test_sure_logits_cost_one_minus_the_jaccard_index(seed):
    random = np.random.default_rng(seed)
    truth, guess = random.integers(0, 2, (2, 5, 5)).astype(np.uint8)
    truth[0, 0] = 1
    logits = torch.from_numpy(np.stack([1.0 - guess, 1.0 * guess])[None]).float() * 1e4
    jaccard = (truth & guess).sum() / (truth | guess).sum()
    loss = loss_of(
        SOFTMAX,
        torch.cat([logits, torch.full_like(logits[:, :1], -1e4)], 1),
        torch.from_numpy(truth)[None],
        [0, 3.0, 0],
    )
    assert loss == pytest.approx(1 - jaccard, abs=1e-6)


@pytest.mark.parametrize("head", [SOFTMAX, OVERLAPPING])
def test_class_weights_weigh_the_classes(head):
    logits, mask = example(head)
    weights = [0.5, 1.5, 1.0][: head.planes]
    each, _ = by_definition(head, logits, mask)
    assert loss_of(head, logits, mask, weights) == pytest.approx(np.average(each, weights=weights), rel=1e-5)


def test_a_class_that_no_pixel_shows_counts_under_a_sigmoid_only():
    logits, mask = example(SOFTMAX)
    mask[mask == 2] = 0
    each, counted = by_definition(SOFTMAX, logits, mask)
    assert counted.tolist() == [True, True, False]
    assert loss_of(SOFTMAX, logits, mask) == pytest.approx(each[:2].mean(), rel=1e-5)
    empty = torch.zeros_like(mask)
    assert loss_of(ONE_CLASS, logits[:, :1], empty) == pytest.approx((logits[:, 0].max() + 1).item())


@pytest.mark.parametrize("head", HEADS)
def test_per_image_is_the_mean_over_images(head):
    logits, mask = example(head)
    each = [loss_of(head, logits[i : i + 1], mask[i : i + 1]) for i in range(2)]
    assert loss_of(head, logits, mask, per_image=True) == pytest.approx(np.mean(each), rel=1e-5)


@pytest.mark.parametrize("head", HEADS)
def test_per_image_leaves_out_an_image_of_which_nothing_is_known(head):
    logits, mask = example(head)
    mask[1] = IGNORE
    assert loss_of(head, logits, mask, per_image=True) == pytest.approx(loss_of(head, logits[:1], mask[:1]), rel=1e-6)
