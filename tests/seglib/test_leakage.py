"""A model that has seen a test case, or one of its group, is not measured on it."""

import re

import pytest

from seglib.errors import SegError
from seglib.leakage import digests, refuse_seen
from tests.model_cards import card

TEST = {"a1": "anna", "a2": "anna", "b1": "bert", "c1": "c1"}


def trained_on(ids=(), groups=()):
    return card(seen=digests(ids, groups))


def test_digests_are_short_sorted_and_told_apart_by_kind():
    found = digests(["x", "y", "x"], ["x", "z"])
    assert found == sorted(set(found))
    assert len(found) == 4
    assert all(re.fullmatch(r"[0-9a-f]{12}", digest) for digest in found)
    assert digests(["y", "x"], ["z", "x"]) == found
    assert set(digests(["x"], [])) | set(digests([], ["x"])) < set(found)


def test_models_of_the_same_split_pass():
    refuse_seen({"best.pt": trained_on(["d1", "anna"], ["dora", "a1"]), "seed.pt": trained_on()}, TEST)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ((["b1"], []), r"on 1 of 4 test cases \(b1\)$"),
        (([], ["anna"]), r"on cases of 1 of 3 test groups \(anna\)$"),
        ((["a1", "c1"], ["anna"]), r"on 2 of 4 test cases \(a1, c1\) and on cases of 1 of 3 test groups \(anna\)$"),
    ],
    ids=["a case", "another case of its group", "both"],
)
def test_what_a_model_has_seen_is_told_with_the_cases_and_what_to_do(seen, said):
    with pytest.raises(SegError, match=rf"(?m)^  fold\.pt was trained or selected {said}") as told:
        refuse_seen({"best.pt": trained_on(["d1"]), "fold.pt": trained_on(*seen)}, TEST)
    assert "best.pt" not in str(told.value)
    assert "dvc repro train" in str(told.value)
    assert "not folds of a cross-validation, whose test sides differ" in str(told.value)


def test_every_model_that_has_seen_the_test_side_is_told():
    with pytest.raises(SegError, match=r"(?s)one\.pt.*two\.pt"):
        refuse_seen({"one.pt": trained_on(["a1"]), "two.pt": trained_on(["c1"])}, TEST)
