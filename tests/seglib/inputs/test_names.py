"""Names of results are safe on any file system, and each is given once."""

from hypothesis import given
from hypothesis import strategies as st

from seglib.inputs.names import LONGEST, Names, natural, safe, split_suffix

PATHS = st.lists(st.text(st.characters(exclude_characters="/\0"), min_size=1), min_size=1, max_size=4).map("/".join)


def test_numbers_are_sorted_as_people_count():
    names = ["b10", "b9", "B2", "a", "b2.png", "b002", "b1x", "b1"]
    assert sorted(names, key=natural) == ["a", "b1", "b1x", "B2", "b002", "b2.png", "b9", "b10"]


def test_suffixes_of_volumes_are_one():
    paths = ("a/b.c.png", "b.NII.GZ", "b.seg.nrrd", "b.tar.gz", "b.c", "b")
    found = [split_suffix(path) for path in paths]
    assert found == [("a/b.c", ".png"), ("b", ".NII.GZ"), ("b", ".seg.nrrd"), ("b", ".tar.gz"), ("b", ".c"), ("b", "")]


@given(PATHS)
def test_a_safe_name_stays_inside_and_can_be_shown(path):
    name = safe(path)
    assert name.count("/") == path.count("/")
    assert name.isprintable()
    for part in name.split("/"):
        assert part not in ("", ".", "..")
        assert part == part.strip(" .")
        assert len(part.encode()) <= LONGEST
        assert not set(part) & set('<>:"\\|?*\0')
    assert safe(name) == name


def test_what_is_safe_stays_as_it_is():
    assert safe("Patient 3/ü-слайд (2)_x.1") == "Patient 3/ü-слайд (2)_x.1"


def test_a_folder_called_like_a_file_gets_another_name():
    assert safe("a.png/b.png/c") == "a_png/b_png/c"


@given(st.lists(st.sampled_from(["a", "A", "a-png", "a-jpg", "b/a", "a-2", "ä"]), max_size=12))
def test_no_name_is_given_twice_whatever_the_case(paths):
    names = Names()
    given_away = [names.give(path, ".png") for path in paths]
    assert len({name.casefold() for name in given_away}) == len(paths)


def test_a_name_that_is_taken_gets_the_suffix_and_then_a_number():
    names = Names()
    assert [names.give("x/a", mark) for mark in (".png", ".jpg", ".jpg", "")] == ["x/a", "x/a-jpg", "x/a-2", "x/a-3"]
