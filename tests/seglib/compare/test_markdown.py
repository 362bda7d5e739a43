import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.compare.comparison import CaseChange
from seglib.compare.markdown import MARKER, as_markdown, code, text
from seglib.compare.sides import Kind, RecipeChange
from tests.comparisons import compared

HOSTILE = "a|b`c``d<script>alert(1)</script> @someone\n# x --> <!-- \\| [l](http://x)"

SPAN = r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)"
"""Code as CommonMark finds it: from a run of backticks to the next one that is as long."""


def tables(markdown: str) -> list[list[list[str]]]:
    """Cells of each table, split as GitHub does: at pipes without a backslash before them."""
    blocks = re.findall(r"(?:^\|.*\|$\n?)+", markdown, re.MULTILINE)
    return [[re.split(r"(?<!\\)\|", line)[1:-1] for line in block.splitlines()] for block in blocks]


def test_the_marker_and_the_verdict_come_first():
    first, _, second, _, third, *_ = as_markdown(compared()).split("\n")
    assert first == MARKER
    assert second == "### Verdict: fail"
    comparison = compared().comparison
    assert third == f"T{comparison.reason[1:]}. The verdict speaks of {comparison.subject}."


def test_every_table_is_whole():
    found = tables(as_markdown(compared()))
    heads = [[cell.strip() for cell in table[0]] for table in found]
    assert heads == [
        ["figure", "base", "head", "difference", "95 % interval", "p", "better", "worse", "head is"],
        ["case", "group", "base", "head", "gain"],
        ["case", "group", "base", "head", "gain"],
        ["parameter changed", "base", "head"],
        ["code changed", "base", "head"],
    ]
    for table in found:
        assert {len(line) for line in table} == {len(table[0])}
    assert [cell.strip() for cell in found[1][2]] == ["`up`", "`g1`", "0.5000", "0.7500", "+0.2500"]
    assert [cell.strip() for cell in found[3][3]] == ["`model.unetpp.depth`", "–", "`5`"]


def test_how_to_read_it_is_folded_away():
    end = as_markdown(compared(notes=["main is out of date"])).split("- Note: main is out of date.\n\n")[1]
    assert end.startswith("<details><summary>How to read this</summary>\n\n- A difference is head minus base.")
    assert end.endswith("\n\n</details>")
    assert "dice alone decides" in end
    assert "`compare.max_drop` accepts" in end


def test_names_of_cases_and_values_are_text():
    hostile = compared(
        cases=(CaseChange(HOSTILE, HOSTILE, 0, 1, 1.0),),
        recipe=(RecipeChange(Kind.PARAMETER, HOSTILE, (HOSTILE,), (HOSTILE,)),),
        notes=(HOSTILE,),
        base=HOSTILE,
    )
    markdown = as_markdown(hostile)
    for table in tables(markdown):
        assert {len(line) for line in table} == {len(table[0])}
        for cell in (cell.strip() for line in table[2:] for cell in line):
            if "script" in cell:
                assert re.fullmatch(r"(`+) ?.*[^`] ?\1", cell)
                assert cell.strip("`").count("```") == 0
    outside = re.sub(SPAN, "", markdown)
    assert "<script" not in outside
    assert "@someone" not in outside
    assert "\n# x" not in markdown
    assert outside.count("<!--") == 1


@pytest.mark.parametrize(
    ("name", "span"),
    [
        ("plain_name", "`plain_name`"),
        ("a|b", "`a\\|b`"),
        ("`", "`` ` ``"),
        ("a``b", "``` a``b ```"),
        ("two\nlines", "`two�lines`"),
        ("", "–"),
        (" ", "–"),
    ],
)
def test_code_spans(name, span):
    assert code(name) == span


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("plain words (0a1b2c3), and more", "plain words (0a1b2c3), and more"),
        ("of @name, #12 and a*b_c.", "of `@name`, `#12` and `a*b_c`."),
        ("main is old; `dvc repro` helps", "main is old; `dvc repro` helps"),
        ("origin/main: <b>", "`origin/main`: `<b>`"),
        ("one\ntwo`", "`` one�two` ``"),
    ],
)
def test_words_with_marks_are_code(words, shown):
    assert text(words) == shown


@given(st.text("ab `@#<*,.("))
def test_no_mark_is_outside_of_code(words):
    assert not set("`@#<*") & set(re.sub(SPAN, "", text(words)))
