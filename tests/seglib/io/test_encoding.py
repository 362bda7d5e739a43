import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seglib.io.encoding import as_jpeg, as_png
from tests.serving import decoded


@given(st.sampled_from([(3, 5), (3, 5, 3), (3, 5, 4)]).flatmap(lambda shape: arrays(np.uint8, shape)))
def test_png_keeps_every_value(pixels):
    assert (decoded(as_png(pixels)) == pixels).all()


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_jpeg_keeps_the_order_of_colours(channel):
    pixels = np.full((16, 16, 3), 30, np.uint8)
    pixels[..., channel] = 220
    assert abs(decoded(as_jpeg(pixels)).astype(int) - pixels).max() < 8
