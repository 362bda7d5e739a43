import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seglib.class_weights import class_weights
from seglib.errors import SegError
from seglib.head import Head
from tests.loss_examples import HEADS, OVERLAPPING, SIGMOID, SOFTMAX

PIXELS = [600, 300, 100]


@pytest.mark.parametrize("head", HEADS)
def test_none_are_ones(head):
    assert torch.equal(class_weights("none", head, [0] * head.classes), torch.ones(head.planes))


def test_balanced_by_hand():
    # all pixels / pixels of a class: 10/6, 10/3, 10/1; their mean is 5
    expected = torch.tensor([1 / 3, 2 / 3, 2])
    torch.testing.assert_close(class_weights("balanced", SOFTMAX, PIXELS), expected)


@pytest.mark.parametrize("head", [SIGMOID, OVERLAPPING])
def test_balanced_leaves_the_background_of_a_sigmoid_head_out(head):
    torch.testing.assert_close(class_weights("balanced", head, PIXELS), torch.tensor([0.5, 1.5]))


def test_a_class_that_never_occurs_weighs_what_the_rarest_does():
    expected = torch.tensor([0.2, 1.4, 1.4])
    torch.testing.assert_close(class_weights("balanced", SOFTMAX, [700, 100, 0]), expected)
    torch.testing.assert_close(class_weights("balanced", SIGMOID, [700, 0, 0]), torch.ones(2))


def test_a_list_is_brought_to_mean_1():
    torch.testing.assert_close(class_weights([1.0, 2.0, 6.0], SOFTMAX, PIXELS), torch.tensor([1 / 3, 2 / 3, 2]))
    torch.testing.assert_close(class_weights([9.0, 2.0, 6.0], SIGMOID, PIXELS), torch.tensor([0.5, 1.5]))


@given(st.lists(st.integers(0, 10**13), min_size=2, max_size=9), st.booleans())
def test_balanced_weights_have_mean_1_and_fall_with_the_frequency(pixels, sigmoid):
    head = Head(len(pixels), sigmoid=sigmoid, overlapping=False)
    weights = class_weights("balanced", head, pixels)
    assert weights.dtype == torch.float32
    assert weights.mean().item() == pytest.approx(1, rel=1e-5)
    ordered = [weight for count, weight in sorted(zip(pixels[sigmoid:], weights.tolist(), strict=True)) if count]
    assert ordered == sorted(ordered, reverse=True)


@pytest.mark.parametrize("wanted", [[], [1.0, 2.0], [1.0, 2.0, 3.0, 4.0]])
@pytest.mark.parametrize("head", [SOFTMAX, SIGMOID])
def test_a_list_of_another_length_is_refused(wanted, head):
    with pytest.raises(SegError, match=rf"loss\.class_weights: {len(wanted)} numbers for 3 classes"):
        class_weights(wanted, head, PIXELS)


@pytest.mark.parametrize(("wanted", "head"), [([0.0, 0.0, 0.0], SOFTMAX), ([1.0, 0.0, 0.0], SIGMOID)])
def test_a_list_without_a_weight_is_refused(wanted, head):
    with pytest.raises(SegError, match=r"loss\.class_weights: .* 0"):
        class_weights(wanted, head, PIXELS)
