import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.errors import SegError
from seglib.io.resize import geometry, resize_image, resize_mask
from seglib.io.sample import IGNORE
from seglib.sections.pixels import Pixels

sides = st.integers(1, 60)
ROUNDING = 1e-3
DTYPES = ("uint8", "uint16", "int16", "float32")


def pixels(image_size=1.0, resize="stretch", spacing=()):
    return Pixels.model_validate(
        {
            "image_size": image_size,
            "resize": resize,
            "spacing": list(spacing),
            "window": [0.0, 1.0],
            "percentiles": [0.0, 100.0],
        }
    )


@pytest.mark.parametrize(
    ("asked", "shape"), [(32, (32, 32)), ([20, 30], (20, 30)), (0.5, (50, 100)), (1.0, (100, 200)), (0.001, (1, 1))]
)
def test_image_size_is_a_side_a_pair_or_a_scale(asked, shape):
    known = geometry((100, 200), None, pixels(asked))
    assert (known.native, known.content, known.canvas) == ((100, 200), shape, shape)


@pytest.mark.parametrize(
    ("native", "asked", "content", "canvas"),
    [
        ((100, 200), 64, (32, 64), (64, 64)),
        ((200, 100), 64, (64, 32), (64, 64)),
        ((100, 200), [60, 80], (40, 80), (60, 80)),
        ((10, 20), 64, (32, 64), (64, 64)),
        ((1, 500), 8, (1, 8), (8, 8)),
        ((10, 20, 40), 8, (2, 4, 8), (8, 8, 8)),
        ((64, 64), 64, (64, 64), (64, 64)),
    ],
)
def test_padding_keeps_the_proportions(native, asked, content, canvas):
    known = geometry(native, None, pixels(asked, "pad"))
    assert (known.content, known.canvas) == (content, canvas)


def test_native_leaves_the_size_to_the_crop_of_training():
    assert geometry((100, 200), None, pixels(64, "native")).canvas == (100, 200)


@pytest.mark.parametrize(
    ("native", "own", "asked", "spaced"),
    [
        ((100, 200), (0.5, 0.5), (1.0, 1.0), (50, 100)),
        ((100, 200), (2.0, 0.5), (1.0, 1.0), (200, 100)),
        ((40, 100, 100), (2.5, 0.7, 0.7), (1.0, 1.4, 1.4), (100, 50, 50)),
        ((3, 3), (0.1, 0.1), (100.0, 100.0), (1, 1)),
    ],
)
def test_spacing_is_brought_to_what_is_asked_for(native, own, asked, spaced):
    assert geometry(native, own, pixels(spacing=asked)).content == spaced
    assert geometry(native, own, pixels(64, "native", asked)).canvas == spaced


def test_spacing_comes_before_size():
    ones = (1.0, 1.0)
    assert geometry((100, 100), (2.0, 1.0), pixels(0.5, "stretch", ones)).content == (100, 50)
    assert geometry((100, 100), (2.0, 1.0), pixels(64, "pad", ones)).content == (64, 32)
    assert geometry((100, 100), (2.0, 1.0), pixels(64, "stretch", ones)).content == (64, 64)


@pytest.mark.parametrize(
    ("native", "own", "asked", "said"),
    [
        ((10, 20), None, {"spacing": (1.0, 1.0)}, r"preprocess\.spacing: .*have 2 axes and no known spacing"),
        ((5, 10, 20), (1.0, 1.0, 1.0), {"spacing": (1.0, 1.0)}, r"preprocess\.spacing: .*samples have 3 axes"),
        ((10, 20), (1.0, 1.0), {"spacing": (1.0, 1.0, 1.0)}, r"preprocess\.spacing: .*set preprocess\.spacing: \[\]"),
        ((5, 10, 20), None, {"image_size": [32, 32]}, r"preprocess\.image_size: .*2 sides, the samples have 3"),
        ((10, 20), None, {"image_size": [8, 8, 8], "resize": "pad"}, r"preprocess\.image_size: .*the samples have 2"),
    ],
)
def test_options_that_do_not_fit_are_named(native, own, asked, said):
    with pytest.raises(SegError, match=said):
        geometry(native, own, pixels(**asked))


@pytest.mark.parametrize("own", [(1e6, 1e6), (1.0, float("inf"))])
def test_a_sample_that_would_grow_beyond_all_measure_is_refused(own):
    with pytest.raises(SegError, match=r"a sample of \(10, 20\) pixels would grow to"):
        geometry((10, 20), own, pixels(spacing=(1.0, 1.0)))


def test_a_sample_that_is_large_itself_may_stay_so():
    assert geometry((1 << 15, 1 << 15), None, pixels(64, "native")).canvas == (1 << 15, 1 << 15)


shapes = st.lists(st.integers(1, 30), min_size=2, max_size=3).map(tuple)
manners = st.sampled_from(["stretch", "pad", "native"])


@given(shapes, manners, st.integers(8, 20), st.sampled_from(DTYPES), st.sampled_from([1, 3, 6]))
def test_image_and_mask_share_the_canvas_and_content_lies_top_left(shape, manner, side, dtype, channels):
    image = np.random.default_rng(0).integers(50, 200, (*shape, channels)).astype(dtype)
    mask = np.random.default_rng(1).choice([0, 3], shape).astype(np.uint8)
    known = geometry(shape, None, pixels(side, manner))
    new_image, new_mask = known.image(image), known.mask(mask)
    assert new_image.shape == (*known.canvas, channels)
    assert new_mask.shape == known.canvas
    assert new_image.dtype == dtype
    assert image.min() - ROUNDING <= new_image.min() <= new_image.max() <= image.max() + ROUNDING
    inside = np.zeros(known.canvas, bool)
    inside[tuple(slice(side) for side in known.content)] = True
    assert np.isin(new_mask[inside], [0, 3]).all()
    assert (new_mask[~inside] == IGNORE).all()
    content = tuple(slice(side) for side in known.content)
    np.testing.assert_array_equal(new_image[content], resize_image(image, known.content))


@given(shapes, manners, st.integers(8, 20))
def test_back_has_the_native_shape_and_still_sums_to_one(shape, manner, side):
    known = geometry(shape, None, pixels(side, manner))
    odds = np.random.default_rng(0).random((3, *known.canvas), dtype=np.float32)
    found = known.back(odds / odds.sum(0))
    assert found.shape == (3, *shape)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-5)


@pytest.mark.parametrize(("native", "own"), [((40, 60), (1.0, 2.0)), ((10, 40, 60), (3.0, 1.0, 1.0))])
@pytest.mark.parametrize("manner", ["stretch", "pad", "native"])
def test_what_went_forth_comes_back_to_its_place(native, own, manner):
    mask = np.zeros(native, np.uint8)
    mask[tuple(slice(side // 4, side // 2) for side in native)] = 1
    known = geometry(native, own, pixels(64, manner, (1.0,) * len(native)))
    resized = known.mask(mask)
    back = known.back(np.stack([resized == 0, resized == 1]).astype(np.float32)).argmax(0)
    both, either = ((back == 1) & (mask == 1)).sum(), ((back == 1) | (mask == 1)).sum()
    assert both / either > 0.85


@given(sides, sides, sides, sides, st.sampled_from([1, 3, 4, 5, 9]))
def test_image_keeps_channels_and_range(height, width, to_height, to_width, channels):
    image = np.random.default_rng(0).integers(50, 200, (height, width, channels), dtype=np.uint8)
    resized = resize_image(image, (to_height, to_width))
    assert resized.shape == (to_height, to_width, channels)
    assert image.min() <= resized.min() <= resized.max() <= image.max()


@pytest.mark.parametrize("to", [(20, 30), (80, 90), (20, 90), (80, 30)])
def test_many_channels_are_resized_as_each_alone(to):
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 6), dtype=np.uint8)
    alone = [resize_image(np.ascontiguousarray(image[..., c : c + 1]), to) for c in range(6)]
    np.testing.assert_array_equal(resize_image(image, to), np.concatenate(alone, axis=2))


@pytest.mark.parametrize("to", [(40, 50), (60, 50), (30, 50), (41, 50)])
def test_an_axis_that_shrinks_is_averaged_whatever_the_other_does(to):
    image = np.zeros((40, 400, 1), np.uint8)
    image[:, ::2] = 200
    assert (resize_image(image, to) == 100).all()
    turned = np.ascontiguousarray(image.transpose(1, 0, 2))
    assert (resize_image(turned, to[::-1]) == 100).all()
    volume = np.stack([image] * 3)
    assert (resize_image(volume, (5, *to)) == 100).all()


@given(sides, sides, sides, sides)
def test_mask_gains_no_class(height, width, to_height, to_width):
    mask = np.random.default_rng(0).choice([0, 3, 255], (height, width)).astype(np.uint8)
    resized = resize_mask(mask, (to_height, to_width))
    assert resized.shape == (to_height, to_width)
    assert set(np.unique(resized)) <= set(np.unique(mask))


@given(shapes, st.lists(st.integers(1, 30), min_size=3, max_size=3))
def test_mask_takes_the_nearest_pixel_along_every_axis(shape, to):
    for axis, (have, want) in enumerate(zip(shape, to, strict=False)):
        places = np.broadcast_to(
            np.arange(have, dtype=np.uint8).reshape([-1 if i == axis else 1 for i in range(len(shape))]), shape
        )
        found = resize_mask(np.ascontiguousarray(places), tuple(to[: len(shape)]))
        along = np.moveaxis(found, axis, 0).reshape(want, -1)
        centres = (np.arange(want) + 0.5) * have / want - 0.5
        assert (along == along[:, :1]).all()
        assert (abs(along[:, 0] - centres) <= 0.5 + 1e-3).all()


def test_a_volume_is_resized_as_its_slices_where_the_depth_stays():
    volume = np.random.default_rng(0).integers(0, 256, (3, 40, 30, 2), dtype=np.uint8)
    for to in ((20, 15), (60, 50)):
        expected = np.stack([resize_image(plane, to) for plane in volume])
        np.testing.assert_array_equal(resize_image(volume, (3, *to)), expected)


def test_what_opencv_cannot_resize_is_told_in_words():
    with pytest.raises(SegError, match=r"\(4, 5, 1\) pixels cannot be resized to \(2, 3\): .*; cut it up"):
        resize_image(np.zeros((4, 5, 1), np.int64), (2, 3))
