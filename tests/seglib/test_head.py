import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seglib.head import Head
from seglib.io.planes import class_planes
from seglib.io.sample import IGNORE

CLASSES = 4
HEADS = {
    "softmax": Head(CLASSES, sigmoid=False, overlapping=False),
    "sigmoid": Head(CLASSES, sigmoid=True, overlapping=False),
    "overlapping": Head(CLASSES, sigmoid=True, overlapping=True),
}
SEEDS, ANY = st.integers(0, 2**32 - 1), st.sampled_from(list(HEADS.values()))
EACH = pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)


def random_mask(seed, head, shape=(2, 5, 6)):
    values = [*range(2 ** (CLASSES - 1) if head.overlapping else CLASSES), IGNORE]
    return np.random.default_rng(seed).choice(values, shape).astype(np.uint8)


@given(SEEDS, ANY, st.sampled_from([(2, 5, 6), (1, 3, 4, 5)]))
def test_planes_are_those_of_the_mask(seed, head, shape):
    mask = random_mask(seed, head, shape)
    planes, counts = head.truth(torch.from_numpy(mask))
    assert planes.dtype == torch.int64
    assert counts.shape == (shape[0], 1, *shape[1:])
    for case in range(shape[0]):
        expected = list(class_planes(mask[case], CLASSES, overlapping=head.overlapping))[head.sigmoid :]
        np.testing.assert_array_equal(planes[case].numpy().astype(bool), expected)
    np.testing.assert_array_equal(counts[:, 0], mask != IGNORE)


@given(SEEDS, ANY)
def test_sure_logits_are_guessed_as_their_planes(seed, head):
    mask = torch.from_numpy(random_mask(seed, head))
    planes, counts = head.truth(mask)
    assert torch.equal(head.guess(planes * 8.0 - 4) * counts, planes)


@given(SEEDS)
def test_exclusive_classes_under_a_sigmoid_never_overlap(seed):
    head = HEADS["sigmoid"]
    logits = torch.from_numpy(np.random.default_rng(seed).normal(size=(2, 3, 5, 6)).astype(np.float32))
    guess = head.guess(logits)
    best = logits.amax(1)
    assert torch.equal(guess.sum(1), (best > 0).long())
    assert torch.equal((guess * logits).sum(1), best.clamp(min=0))


@EACH
def test_probabilities(head):
    logits = torch.from_numpy(np.random.default_rng(0).normal(size=(2, head.planes, 5, 6))).half()
    found = head.probabilities(logits)
    values = logits.double().numpy()
    odds = np.exp(values)
    expected = 1 / (1 + np.exp(-values)) if head.sigmoid else odds / odds.sum(1, keepdims=True)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@EACH
def test_a_sigmoid_needs_no_plane_of_the_background(head):
    assert head.planes == (3 if head.sigmoid else 4)
    assert list(range(head.planes))[head.foreground] == ([0, 1, 2] if head.sigmoid else [1, 2, 3])
