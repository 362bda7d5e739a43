from pathlib import Path

import pytest

from seglib.errors import SegError
from seglib.report.files import check_keys, read_json, read_metrics, read_rows, read_text

TABLE = Path("table.tsv")


def test_a_table_is_read_row_by_row(inside):
    TABLE.write_text("a\tb\n1\tx\n2\ty\n")
    assert read_rows(TABLE, lambda row: (int(row["a"]), row["b"]), "a", "b") == [(1, "x"), (2, "y")]


def test_a_missing_file_is_told(inside):
    with pytest.raises(SegError, match=r"^table.tsv is missing: run `dvc repro`$"):
        read_text(TABLE)


def test_keys_are_checked_one_level_down(inside):
    Path("a.json").write_text('{"one": {"two": 2}, "three": 3}')
    assert read_json(Path("a.json"), one=("two",), three=())["three"] == 3
    with pytest.raises(SegError, match=r"^a.json: no one.four;"):
        read_json(Path("a.json"), one=("two", "four"))


def test_a_needed_figure_must_be_there(inside):
    Path("metrics.json").write_text('{"n": 3}')
    assert read_metrics(Path(), "n") == {"n": 3}
    with pytest.raises(SegError, match=r"^metrics.json: no dice, so it is of older code;"):
        read_metrics(Path(), "n", "dice")


def test_keys_are_wanted_of_mappings():
    with pytest.raises(SegError, match=r"^a.json: no torch.batch_1;"):
        check_keys(3, ("batch_1",), Path("a.json"), "torch.")
