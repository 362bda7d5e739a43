import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seglib.io.sample import IGNORE
from seglib.losses import boundary, dice
from tests.loss_examples import HEADS, ONE_CLASS, SOFTMAX, example, probabilities, truth_of


def options(kind, dice_weight=0.0, boundary_weight=1.0, exponent=2.0):
    return boundary.Params(
        kind=kind,
        dice_weight=dice_weight,
        boundary_weight=boundary_weight,
        exponent=exponent,
        include_background=False,
    )


def loss_of(params, head, logits, mask, weights=None):
    weights = torch.ones(head.planes) if weights is None else torch.tensor(weights)
    return boundary.build(params, head, weights)(logits, mask).item()


def distances(inside, counts):
    """From each known pixel to the nearest known one of the other side, pixel by pixel; 0 where there is none."""
    places = [np.argwhere(side & counts) for side in (~inside, inside)]
    result = np.zeros(inside.shape)
    for place in np.argwhere(counts):
        other = places[0 if inside[tuple(place)] else 1]
        if len(other):
            result[tuple(place)] = np.sqrt(((other - place) ** 2).sum(1)).min()
    return result


def by_definition(kind, head, logits, mask, exponent=2.0):
    """The boundary term of each foreground plane."""
    guess, truth, counts = probabilities(logits, head), truth_of(mask, head), mask.numpy() != IGNORE
    sums = np.zeros(head.planes)
    for b, c in itertools.product(range(len(mask)), range(head.planes)):
        p, t, k = guess[b, c], truth[b, c], counts[b]
        if kind == "signed_distance":
            field = distances(t, k)
            values = p * np.where(t & (field > 0), 1 - field, field)
        else:
            values = (p - t) ** 2 * (distances((p > 0.5) & k, k) ** exponent + distances(t, k) ** exponent)
        sums[c] += values[k].sum()
    return (sums / counts.sum())[head.foreground]


@pytest.mark.parametrize("kind", ["signed_distance", "hausdorff"])
@pytest.mark.parametrize("head", HEADS)
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), space=st.sampled_from([(5, 6), (2, 3, 4)]))
def test_it_is_the_definition_pixel_by_pixel(kind, head, seed, space):
    logits, mask = example(head, seed, space)
    expected = by_definition(kind, head, logits * 2, mask).mean()
    assert loss_of(options(kind), head, logits * 2, mask) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_signed_distances_of_a_row_by_hand():
    mask = torch.tensor([[[0, 0, 1, 1, 1, 0, IGNORE]]], dtype=torch.uint8)
    logits = torch.full((1, 1, 1, 7), -1e4)
    costs = []
    for pixel in range(7):
        logits[..., pixel] = 1e4
        costs.append(loss_of(options("signed_distance"), ONE_CLASS, logits, mask) * 6)
        logits[..., pixel] = -1e4
    np.testing.assert_allclose(costs, [2, 1, 0, -1, 0, 1, 0], atol=1e-6)


def test_an_ignored_pixel_is_no_boundary():
    whole, hole = (torch.ones(1, 1, 7, dtype=torch.uint8) for _ in range(2))
    whole[..., 0] = hole[..., 0] = 0
    hole[..., 3] = IGNORE
    logits = torch.zeros(1, 1, 1, 7)
    signed = [0.5 * sum(values) for values in ([1, 0, -1, -2, -3, -4, -5], [1, 0, -1, -3, -4, -5])]
    assert loss_of(options("signed_distance"), ONE_CLASS, logits, whole) == pytest.approx(signed[0] / 7)
    assert loss_of(options("signed_distance"), ONE_CLASS, logits, hole) == pytest.approx(signed[1] / 6)


def test_hausdorff_takes_the_exponent():
    logits, mask = example(SOFTMAX)
    expected = by_definition("hausdorff", SOFTMAX, logits, mask, 1.0).mean()
    assert loss_of(options("hausdorff", exponent=1.0), SOFTMAX, logits, mask) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["signed_distance", "hausdorff"])
@pytest.mark.parametrize("value", [0, 1, IGNORE])
def test_without_a_boundary_in_the_truth_its_distances_are_0(kind, value):
    logits, mask = torch.full((2, 1, 5, 5), -1.0), torch.full((2, 5, 5), value, dtype=torch.uint8)
    assert loss_of(options(kind), ONE_CLASS, logits, mask) == 0


@pytest.mark.parametrize("kind", ["signed_distance", "hausdorff"])
def test_class_weights_weigh_the_classes(kind):
    logits, mask = example(SOFTMAX)
    expected = np.average(by_definition(kind, SOFTMAX, logits, mask), weights=[1, 3])
    assert loss_of(options(kind), SOFTMAX, logits, mask, [2.0, 0.25, 0.75]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["signed_distance", "hausdorff"])
@pytest.mark.parametrize("head", HEADS)
def test_it_adds_a_weighted_dice(kind, head):
    logits, mask = example(head)
    region = dice.build(dice.Params(include_background=False), head, torch.ones(head.planes))(logits, mask).item()
    alone = loss_of(options(kind), head, logits, mask)
    both = loss_of(options(kind, dice_weight=2.0, boundary_weight=0.1), head, logits, mask)
    assert both == pytest.approx(2 * region + 0.1 * alone, rel=1e-5)
