"""Small objects and holes, on masks drawn by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from seglib.head import Head
from seglib.postprocessing import Changes, clean

EXCLUSIVE = Head(4, sigmoid=False, overlapping=False)
OVERLAPPING = Head(3, sigmoid=True, overlapping=True)


def drawn(*rows):
    return np.array([[int(sign) if sign.isdigit() else 0 for sign in row] for row in rows], np.uint8)


def cleaned(mask, min_pixels=0, fill_holes=0, head=EXCLUSIVE):
    before = mask.copy()
    found, changes = clean(mask, head, min_pixels, fill_holes)
    assert np.array_equal(mask, before), "the mask that was given is left as it is"
    if not head.overlapping:
        assert changes.pixels_filled - changes.pixels_removed == np.count_nonzero(found) - np.count_nonzero(mask)
    assert found.dtype == np.uint8
    return found, (changes.objects, changes.holes)


def test_objects_of_fewer_pixels_become_background_whatever_their_class():
    mask = drawn("11...2", "1...22", ".3....", "...111", "3.....")
    found, changes = cleaned(mask, min_pixels=3)
    assert np.array_equal(found, drawn("11...2", "1...22", "......", "...111", "......"))
    assert changes == (2, 0)
    found, changes = cleaned(mask, min_pixels=4)
    assert (found.any(), changes) == (False, (5, 0))


def test_an_object_hangs_together_over_corners():
    assert cleaned(drawn("1..", ".1.", "..1"), min_pixels=3)[1] == (0, 0)
    assert cleaned(drawn("1..", ".2.", "..1"), min_pixels=2)[1] == (3, 0)


def test_holes_of_fewer_pixels_take_the_class_around_them():
    mask = drawn("1111.222", "1..1.2.2", "1111.222", "........")
    found, changes = cleaned(mask, fill_holes=2)
    assert np.array_equal(found, drawn("1111.222", "1..1.222", "1111.222", "........"))
    assert changes == (0, 1)
    found, changes = cleaned(mask, fill_holes=3)
    assert np.array_equal(found, drawn("1111.222", "1111.222", "1111.222", "........"))
    assert changes == (0, 2)


@pytest.mark.parametrize(
    "rows",
    [("111", "1.1", "1.1"), ("111", "..1", "111"), ("222", "1.1", "111")],
    ids=["open below", "open at the left", "between two classes"],
)
def test_what_is_not_enclosed_by_one_class_is_no_hole(rows):
    assert cleaned(drawn(*rows), fill_holes=9)[1] == (0, 0)


def test_a_hole_is_closed_by_pixels_that_touch_at_their_corners():
    found, changes = cleaned(drawn("111.", "1.1.", "11..", "...."), fill_holes=9)
    assert np.array_equal(found, drawn("111.", "111.", "11..", "...."))
    assert changes == (0, 1)


def test_a_hole_with_an_island_is_filled_around_it_only_where_the_island_is_of_the_same_class():
    same, other = drawn("11111", "1...1", "1.1.1", "1...1", "11111"), drawn("11111", "1...1", "1.2.1", "1...1", "11111")
    assert (cleaned(same, fill_holes=9)[0] == 1).all()
    assert np.array_equal(cleaned(other, fill_holes=9)[0], other)


def test_objects_go_before_holes_are_filled():
    mask = drawn("11111", "1...1", "1.2.1", "1...1", "11111")
    found, changes = cleaned(mask, min_pixels=2, fill_holes=10)
    assert (found == 1).all()
    assert changes == (1, 1)


def test_overlapping_classes_are_cleaned_each_for_itself():
    """Bit 1 has a hole where bit 2 is, which is a small object there."""
    mask = drawn("11111", "11211", "11111", ".....", "33..1")
    found, changes = cleaned(mask, min_pixels=2, fill_holes=2, head=OVERLAPPING)
    assert np.array_equal(found, drawn("11111", "11111", "11111", ".....", "33..."))
    assert changes == (2, 1)


def test_volumes_are_cleaned_in_all_directions():
    mask = np.zeros((5, 5, 5), np.uint8)
    mask[1:4, 1:4, 1:4] = 1
    mask[2, 2, 2] = 0
    mask[4, 4, 4], mask[0, 0, 4] = 1, 2
    found, changes = cleaned(mask, min_pixels=2, fill_holes=2)
    assert changes == (1, 1), "the corner touches the cube, the other one does not"
    assert (found[2, 2, 2], found[4, 4, 4], found[0, 0, 4]) == (1, 1, 0)


def test_without_a_limit_nothing_changes():
    mask = drawn("1.2", "...")
    found, changes = clean(mask, EXCLUSIVE, 0, 0)
    assert found is mask
    assert changes == Changes()


def test_removed_and_filled_pixels_are_counted_apart():
    mask = drawn("11111.22", "1...1...", "1.2.1...", "1...1...", "11111.3.")
    assert clean(mask, EXCLUSIVE, 3, 0)[1] == Changes(objects=3, pixels_removed=4)
    assert clean(mask, EXCLUSIVE, 0, 99)[1] == Changes()
    assert clean(mask, EXCLUSIVE, 3, 99)[1] == Changes(objects=3, pixels_removed=4, holes=1, pixels_filled=9)
    assert clean(drawn("111", "121", "111"), OVERLAPPING, 2, 2)[1] == Changes(1, 1, 1, 1)


masks = arrays.arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 8)), elements=st.integers(0, 3))


@given(masks, st.integers(0, 6), st.integers(0, 6), st.sampled_from([EXCLUSIVE, OVERLAPPING]))
def test_a_mask_that_was_cleaned_is_clean(mask, min_pixels, fill_holes, head):
    """Filling joins objects and removing opens no hole that stays, so that a second time changes nothing."""
    once, _ = cleaned(mask, min_pixels, fill_holes, head)
    again, changes = cleaned(once, min_pixels, fill_holes, head)
    assert np.array_equal(once, again)
    assert changes == (0, 0)
