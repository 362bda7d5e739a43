import re

from seglib.compare.comparison import CaseChange
from seglib.compare.sides import Kind, RecipeChange
from seglib.compare.text import as_text
from seglib.statistics import Interval
from tests.comparisons import CASES, compared


def lines(**changes) -> list[str]:
    return as_text(compared(**changes)).split("\n")


def test_the_verdict_stands_first_with_its_reason_and_subject():
    first, second, *_ = lines()
    comparison = compared().comparison
    assert (first, second) == (f"fail: {comparison.reason}", f"It speaks of {comparison.subject}.")
    assert lines(drop=Interval(0, -0.01, 0.005), whole_drop=0.0)[0].startswith("pass: ")
    assert lines(drop=Interval(0, -0.01, 0.02))[0].startswith("warn: ")
    assert lines(drop=Interval(0, None, None))[0].startswith("warn: no class has a value in two groups")
    assert lines(runs=(3, 4))[1].startswith("It speaks of the change, over 3 runs of main (0a1b2c3) and 4 of workspace")


def test_figures_stand_in_columns_with_the_direction_of_what_is_no_chance():
    table = [line.split("  ") for line in lines()[3:10]]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in table]
    assert cells[0] == ["main (0a1b2c3) → workspace: 40 cases in 20 groups"]
    assert cells[1] == ["figure", "base", "head", "difference", "95 % interval", "p", "better", "worse", "head is"]
    assert cells[2] == [
        "Dice (decides)", "0.9000", "0.8500", "-0.0500", "-0.0700 to -0.0300", "< 0.001", "25 %", "75 %", "worse",
    ]  # fmt: skip
    assert cells[3] == ["HD95", "12.35", "10.00", "-2.35", "-4.00 to -0.50", "0.031", "60 %", "40 %", "better"]
    assert cells[4][-1] == "better", "nearer to 0"
    assert cells[5][-1] == "–", "0 lies inside"
    assert cells[6][4:] == ["–", "1.000", "–", "–", "–"], "no interval, no shares"
    assert len({len(line) for line in lines()[4:10]}) == 1, "aligned"


def test_cases_are_listed_the_most_changed_first():
    text = as_text(compared())
    assert "most improved:\ncase  group    base    head     gain\nup       g1  0.5000  0.7500  +0.2500\n\n" in text
    assert "most worsened:\ncase  group    base    head     gain\ndown     g2  0.9000  0.4000  -0.5000\n\n" in text
    assert "same" not in text
    unchanged = as_text(compared(cases=CASES[1:2]))
    assert "most" not in unchanged


def test_a_side_without_a_value_of_a_case_has_a_dash():
    text = as_text(compared(cases=(CaseChange("invented", "g", None, 0.0, -1.0),)))
    assert re.search(r"\ninvented +g +– +0\.0000 +-1\.0000\n", text)


def test_what_the_sides_differ_in_is_told():
    text = as_text(compared(notes=["main is out of date"]))
    assert "parameter changed:\n  train.lr: 0.004 → 0.001\n  model.unetpp.depth: – → 5\n\n" in text
    assert "code changed:\n  seglib/engine.py: 1234567 → 89abcde\n\nnote: main is out of date" in text
    assert "Neither parameters, versions, code nor data differ." in as_text(compared(recipe=()))


def test_long_lists_and_values_are_cut():
    long = tuple(RecipeChange(Kind.PARAMETER, f"k{i}", ("x" * 100,), (1,)) for i in range(50))
    text = as_text(compared(recipe=long))
    assert f"  k39: {'x' * 59}… → 1\n  and 10 more" in text
    assert "k40" not in text


def test_control_characters_of_an_id_do_not_reach_the_terminal():
    text = as_text(compared(cases=(CaseChange("\x1b[31mred\nnew", "g", 0, 1, 1.0),)))
    assert "�[31mred�new" in text
    assert "\x1b" not in text
