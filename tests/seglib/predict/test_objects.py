import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import label

from seglib.predict import objects
from seglib.predict.objects import count_objects


def at_once(plane):
    _, number = label(plane, np.ones([3] * plane.ndim))  # pyright: ignore[reportGeneralTypeIssues]
    return number


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(13, 17), (40, 3), (1, 9), (9, 1), (7, 6, 5), (12, 2, 2)]),
    st.floats(0, 1),
    st.integers(1, 60),
)
def test_bands_count_what_the_whole_counts(seed, shape, share, most):
    plane = np.random.default_rng(seed).random(shape) < share
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects, "BAND", most)
        assert count_objects(plane) == at_once(plane)


@pytest.mark.parametrize("most", [4, 1 << 24])
def test_what_touches_at_a_corner_is_one_object(most, monkeypatch):
    monkeypatch.setattr(objects, "BAND", most)
    assert count_objects(np.eye(4, dtype=bool)) == 1
    assert count_objects(np.eye(4, dtype=bool)[::-1]) == 1
    assert count_objects(np.array([[1, 0, 0], [0, 0, 1], [0, 0, 0], [1, 1, 1]], bool)) == 3
    assert count_objects(np.zeros((4, 4), bool)) == 0


def test_an_object_that_comes_back_from_below_is_one(monkeypatch):
    monkeypatch.setattr(objects, "BAND", 5)
    horseshoe = np.array([[1, 0, 1, 0, 1], [1, 0, 1, 0, 1], [1, 0, 1, 0, 1], [1, 1, 1, 0, 1]], bool)
    assert count_objects(horseshoe) == 2
