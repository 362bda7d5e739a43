import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.case_table import CaseTable, case_name, parse_cases, write_cases
from seglib.errors import SegError
from seglib.measures import COLUMNS, COUNTS


def table(ids: tuple[str, ...] = ("a", "b"), classes: tuple[str, ...] = ("polyp", "tool")) -> CaseTable:
    extent = (len(ids), len(classes))
    columns = {name: np.arange(np.prod(extent), dtype=float).reshape(extent) / 8 for name in COLUMNS}
    columns |= {name: np.full(extent, 3.0) for name in COUNTS}
    columns["dice"][:1, :1] = np.nan
    return CaseTable(ids, tuple(f"patient {key}" for key in ids), classes, columns)


def test_what_is_written_is_read_again(tmp_path):
    written = table(("a,1", '<b> "x"', "ü"))
    write_cases(tmp_path / "cases.csv", written)
    found = parse_cases((tmp_path / "cases.csv").read_bytes().decode(), "cases.csv")
    assert (found.ids, found.groups, found.classes) == (written.ids, written.groups, written.classes)
    for name in COLUMNS:
        np.testing.assert_array_equal(found.columns[name], written.columns[name])


def test_the_file_is_one_row_a_case_and_class(tmp_path):
    write_cases(tmp_path / "cases.csv", table())
    lines = (tmp_path / "cases.csv").read_text().splitlines()
    assert lines[0].startswith("id,group,class,dice,iou,")
    assert [line.split(",")[:5] for line in lines[1:]] == [
        ["a", "patient a", "polyp", "", "0.0"],
        ["a", "patient a", "tool", "0.125", "0.125"],
        ["b", "patient b", "polyp", "0.25", "0.25"],
        ["b", "patient b", "tool", "0.375", "0.375"],
    ]
    assert {line.rpartition(",")[2] for line in lines[1:]} == {"3"}


def test_a_cases_mean_is_that_of_the_classes_with_a_value():
    columns = dict(table().columns) | {"dice": np.array([[np.nan, 0.5], [0.25, 0.75], [np.nan, np.nan]])}
    found = CaseTable(("a", "b", "c"), ("a", "b", "c"), ("polyp", "tool"), columns)
    np.testing.assert_array_equal(found.mean_of_cases("dice"), [0.5, 0.5, np.nan])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",dice,", ",other,", "cases.csv: no column dice"),
        ("a,patient a,polyp,,", "a,patient a,polyp,inf,", "dice is 'inf', not a finite number"),
        ("a,patient a,polyp,,", "a,patient a,polyp,nan,", "dice is 'nan', not a finite number"),
        ("a,patient a,polyp,,", "a,patient a,polyp,-nan,", "dice is '-nan', not a finite number"),
        ("a,patient a,polyp,,", "a,patient a,polyp, nan,", "dice is ' nan', not a finite number"),
        ("a,patient a,polyp,,", "a,patient a,polyp,1_0,", "dice is '1_0', not a finite number"),
        ("a,patient a,polyp,,", "a,patient a,polyp,x,", "dice is 'x', not a finite number"),
        pytest.param("a,patient a,", f"{'a' * 200_000},", "cases.csv: no CSV (field larger than", id="long"),
        ("b,patient b,tool", "b,patient b,polyp", "not one row for each case and class"),
        ("b,patient b,tool", "a,patient b,tool", "not one row for each case and class"),
    ],
)
def test_a_broken_file_is_told(tmp_path, old, new, message):
    write_cases(tmp_path / "cases.csv", table())
    text = (tmp_path / "cases.csv").read_text()
    assert old in text
    with pytest.raises(SegError, match=re.escape(message)):
        parse_cases(text.replace(old, new, 1), "cases.csv")


def test_a_cut_row_is_told(tmp_path):
    write_cases(tmp_path / "cases.csv", table())
    text = (tmp_path / "cases.csv").read_text()
    with pytest.raises(SegError, match=r"cases\.csv"):
        parse_cases(text[: text.rindex(",", 0, -30)], "cases.csv")


def test_a_file_without_cases_is_told(tmp_path):
    write_cases(tmp_path / "cases.csv", table(ids=()))
    with pytest.raises(SegError, match=r"cases\.csv: no case"):
        parse_cases((tmp_path / "cases.csv").read_text(), "cases.csv")


@given(st.lists(st.text(min_size=1), unique=True))
def test_names_of_files_are_safe_and_tell_cases_apart(keys: list[str]):
    names = [case_name(key) for key in keys]
    assert len(set(names)) == len(keys)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{9,49}", name) for name in names)
