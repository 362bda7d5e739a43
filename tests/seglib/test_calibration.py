import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.metrics.calibration import calibration_binning

from seglib.calibration import BINS, class_reliability, pooled, stacked
from seglib.errors import SegError


def bins(probability, truth):
    return class_reliability(np.array(probability, np.float32), np.array(truth, bool))


def test_error_by_hand():
    found = bins([0.9, 0.9, 0.9, 0.9, 0.2], [1, 1, 1, 0, 0])
    assert found.pixels.tolist() == [0, 0, 1, *[0] * 10, 4, 0]
    assert found.truth.tolist() == [*[0] * 13, 3, 0]
    assert found.probability[[2, 13]] == pytest.approx([0.2, 3.6])
    assert found.error == pytest.approx((4 * abs(0.9 - 0.75) + 1 * abs(0.2 - 0)) / 5)


def test_sure_and_right_has_no_error_and_sure_and_wrong_has_all():
    assert bins([0, 0, 1], [0, 0, 1]).error == 0
    assert bins([0, 0, 1], [1, 1, 0]).error == 1


def test_the_ends_belong_to_the_first_and_the_last_bin():
    found = bins([0, 1e-6, 1, 1 + 1e-6], [0, 0, 1, 1])
    assert (found.pixels[0], found.pixels[-1]) == (2, 2)


def test_no_pixels_have_no_error():
    assert np.isnan(bins([], []).error)


def test_pooled_bins_are_those_of_all_pixels_at_once():
    random = np.random.default_rng(0)
    probability, truth = random.random((2, 90)), random.random((2, 90)) < 0.4
    classes = [[bins(p, t) for p, t in zip(*part, strict=True)] for part in _halves(probability, truth)]
    whole = stacked(bins(p, t) for p, t in zip(probability, truth, strict=True))
    found = pooled(stacked(case) for case in classes)
    assert found.pixels.shape == (2, BINS)
    for one, other in zip(found, whole, strict=True):
        np.testing.assert_allclose(one, other)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_probability_that_is_not_finite_is_refused(wrong):
    with pytest.raises(SegError, match="not finite"):
        bins([0.5, wrong], [0, 1])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 200))
def test_bins_agree_with_monai(seed, pixels):
    random = np.random.default_rng(seed)
    probability, truth = random.random(pixels).astype(np.float32), random.random(pixels) < 0.3
    found = bins(probability, truth)
    both = [torch.from_numpy(values)[None, None].float() for values in (probability, truth)]
    confidence, share, number = (part[0, 0].numpy() for part in calibration_binning(*both, num_bins=BINS, right=False))
    shown = found.pixels > 0
    np.testing.assert_array_equal(found.pixels, number)
    np.testing.assert_allclose(found.probability[shown] / found.pixels[shown], confidence[shown], rtol=1e-5)
    np.testing.assert_allclose(found.truth[shown] / found.pixels[shown], share[shown], rtol=1e-5)
    gap = np.abs(confidence - share)[shown]
    assert found.error == pytest.approx(np.average(gap, weights=number[shown]), abs=1e-5)


def _halves(*values):
    return [[part[:, half] for part in values] for half in (slice(0, 40), slice(40, None))]
