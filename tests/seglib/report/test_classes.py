import numpy as np
import pytest

from seglib.report.classes import SHOWN, class_rows, colours, confusion
from seglib.report.results import read_results
from tests.report_files import SHARES


def test_a_row_for_each_foreground_class(write):
    results = write(classes=("polyp", "ulcer"))
    polyp, ulcer = class_rows(results)
    dice = results.cases.columns["dice"][:, 0]
    assert (polyp.name, polyp.colour, ulcer.colour) == ("polyp", "#e69f00", "#56b4e9")
    assert polyp.quantiles == pytest.approx(np.nanquantile(dice, (0.05, 0.25, 0.5, 0.75, 0.95)), abs=1e-3)
    assert (polyp.missed, polyp.empty) == (2, 1)
    assert len(polyp.figures) == len(SHOWN)
    assert polyp.figures[2].value.endswith(" pixels")


def test_colours_are_those_of_the_pictures(write):
    assert colours(write()) == {"background": "#000000", "polyp": "#e69f00"}


def test_the_largest_mistake_is_told(write, inside):
    write(classes=("a", "b"))
    rows = [("background", 0.9, 0.1, 0.0), ("a", 0.05, 0.65, 0.3), ("b", 0.0, 0.0, 1.0)]
    names = ("background", "a", "b")
    cells = [(truth, name, share) for truth, *shares in rows for name, share in zip(names, shares, strict=True)]
    lines = [f"{truth}\t{name}\t1\t{share}\t\t" for truth, name, share in cells]
    lines[5] = lines[5].rstrip() + "\t0.2\t0.4"
    (inside / "reports/evaluate/plots/confusion.tsv").write_text("\n".join(["\t".join(SHARES), *lines]))
    found = confusion(read_results())
    assert found
    assert found.classes == ["background", "a", "b"]
    assert found.summary == "The largest mistake: 30.0 % of a is taken for b."
    assert [[share.text for share in row] for row in found.rows][2] == ["0.0 %", "0.0 %", "100.0 %"]
    assert [share.interval for share in found.rows[1]] == ["", "", "20.0 to 40.0 %"]
    assert [share.shade for share in found.rows[0]] == [9, 1, 0]
    assert [share.right for share in found.rows[1]] == [False, True, False]


def test_without_mistakes_none_is_told(write, inside):
    write()
    (inside / "reports/evaluate/plots/confusion.tsv").write_text("\t".join(SHARES) + "\na\ta\t5\t1.0\t\t\n")
    found = confusion(read_results())
    assert found
    assert found.summary == "Nothing was taken for anything else."


def test_no_confusion_where_classes_overlap(write):
    assert confusion(write(overlapping=True)) is None
