import numpy as np
import pytest

from seglib.compare.pairing import Side, matched
from seglib.errors import SegError
from tests.case_tables import table

VALUES = np.arange(6).reshape(3, 2) / 10


def test_all_runs_take_the_order_of_the_first():
    like = table(VALUES, ["a", "b", "c"], ["g", "g", "h"], ("cup", "disc"))
    other = table(VALUES[::-1, ::-1] + 0.5, ["c", "b", "a"], ["h", "g", "g"], ("disc", "cup"))
    (base,), (head,) = matched(Side("old", (like,)), Side("new", (other,)))
    assert (
        (head.ids, head.groups, head.classes)
        == (base.ids, base.groups, base.classes)
        == (
            like.ids,
            like.groups,
            like.classes,
        )
    )
    assert np.array_equal(base.columns["dice"], VALUES)
    assert np.array_equal(head.columns["dice"], VALUES + 0.5)


def test_a_case_that_one_run_of_a_side_lacks_is_named():
    runs = [table(VALUES + i / 100, ["a", "b", "c"], classes=("cup", "disc")) for i in range(5)]
    short = table(VALUES[:2], ["a", "b"], classes=("cup", "disc"))
    with pytest.raises(SegError, match="different test sets: only in old 1: c; evaluate both sides"):
        matched(Side("old", tuple(runs[:3])), Side("new", (*runs[3:], short)))
