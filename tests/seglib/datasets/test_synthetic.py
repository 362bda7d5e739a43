from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.datasets import synthetic
from seglib.io.sample import Generated

NOWHERE = Path("/nowhere")


def params(**changed):
    defaults = {"count": 6, "per_group": 1, "height": 40, "width": 56, "classes": 2, "seed": 0}
    return synthetic.Params(**{**defaults, **changed})


def samples(**changed):
    return synthetic.samples(NOWHERE, params(**changed))


def test_nothing_is_fetched_or_looked_for():
    assert isinstance(synthetic.PUBLISHED, Generated)
    assert len(samples()) == 6


@pytest.mark.parametrize("classes", [1, 2, 3])
def test_samples_fit_the_description(classes):
    spec = synthetic.spec(NOWHERE, params(classes=classes))
    assert len(spec.classes) == classes + 1
    for sample in samples(classes=classes):
        image, mask = sample.read(spec)
        assert (image.shape, image.dtype) == ((40, 56, 1), np.uint8)
        assert (mask == classes).any()


def test_each_kind_of_ellipse_is_brighter_than_the_last():
    for sample in samples(classes=3):
        image, mask = sample.image()[..., 0], sample.mask()
        shown = np.unique(mask)
        assert (np.diff([image[mask == c].mean() for c in shown]) > 40).all()


@given(st.integers(0, 1000), st.integers(8, 40), st.integers(8, 40))
def test_every_sample_shows_foreground_whatever_its_extent(seed, height, width):
    assert all(sample.mask().any() for sample in samples(seed=seed, height=height, width=width, count=2))


def test_the_same_sample_is_made_every_time():
    first, second = samples()[3], samples()[3]
    np.testing.assert_array_equal(first.image(), second.image())
    np.testing.assert_array_equal(first.mask(), second.mask())
    assert first.fingerprint() == second.fingerprint()


def test_more_samples_change_none_of_the_others():
    few, many = samples(count=3), samples(count=30, per_group=2)
    assert [sample.id for sample in many[:3]] == [sample.id for sample in few]
    assert [sample.fingerprint() for sample in many[:3]] == [sample.fingerprint() for sample in few]
    np.testing.assert_array_equal(many[2].image(), few[2].image())
    assert len({sample.fingerprint() for sample in many}) == 30


@pytest.mark.parametrize("changed", [{"seed": 1}, {"height": 41}, {"width": 60}, {"classes": 3}], ids=str)
def test_what_decides_about_pixels_changes_every_fingerprint(changed):
    before, after = ({sample.fingerprint() for sample in each} for each in (samples(), samples(**changed)))
    assert before.isdisjoint(after)
    assert not np.array_equal(samples()[0].image(), samples(**changed)[0].image())


def test_groups_hold_as_many_as_asked_for():
    assert [int(sample.group) for sample in samples(per_group=4)] == [0, 0, 0, 0, 1, 1]
    assert [sample.id for sample in samples()] == sorted(sample.id for sample in samples())


def test_listing_makes_no_picture():
    assert len(samples(count=20_000, height=16384, width=16384)) == 20_000
