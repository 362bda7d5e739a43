import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.io.resize import resize_image, resize_mask, resize_probabilities, target_shape

sides = st.integers(1, 60)


@pytest.mark.parametrize(
    ("asked", "shape"), [(32, (32, 32)), ([20, 30], (20, 30)), (0.5, (50, 100)), (1.0, (100, 200))]
)
def test_image_size_is_a_side_a_pair_or_a_scale(asked, shape):
    assert target_shape(100, 200, asked) == shape


@given(sides, sides, sides, sides, st.sampled_from([1, 3, 4]))
def test_image_keeps_channels_and_range(height, width, to_height, to_width, channels):
    image = np.random.default_rng(0).integers(50, 200, (height, width, channels), dtype=np.uint8)
    resized = resize_image(image, (to_height, to_width))
    assert resized.shape == (to_height, to_width, channels)
    assert image.min() <= resized.min() <= resized.max() <= image.max()


@given(sides, sides, sides, sides)
def test_mask_gains_no_class(height, width, to_height, to_width):
    mask = np.random.default_rng(0).choice([0, 3, 255], (height, width)).astype(np.uint8)
    resized = resize_mask(mask, (to_height, to_width))
    assert resized.shape == (to_height, to_width)
    assert set(np.unique(resized)) <= set(np.unique(mask))


def test_probabilities_still_sum_to_one():
    odds = np.random.default_rng(0).random((3, 9, 11), dtype=np.float32)
    resized = resize_probabilities(odds / odds.sum(0), (40, 23))
    np.testing.assert_allclose(resized.sum(0), 1, atol=1e-5)
