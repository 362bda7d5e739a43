"""A comparison as the Markdown of a pull request's comment."""

import re
from collections.abc import Iterable, Iterator, Sequence

from seglib.compare.cells import (
    CASE_HEADER,
    MOST,
    NONE,
    by_kind,
    case_cells,
    extent,
    figure_header,
    figure_rows,
    reading,
    shown,
    values,
)
from seglib.compare.comparing import Compared
from seglib.compare.comparison import CaseChange, Comparison

MARKER = "<!-- seg compare -->"
"""Hidden in the comment, so that the next run finds it and writes into it."""
MARKED = re.compile(r"(?<!\S)`(?P<own>[^`]+)`(?=[,.;:)]*(?:\s|$))|\S*[\\`*_{}\[\]<>#|~@&!/]\S*?(?=[,.;:)]*(?:\s|$))")
"""A code span of our own words, or a word with a mark that Markdown, HTML or GitHub may act on."""


def as_markdown(compared: Compared) -> str:
    """The verdict, the figures, the cases that changed most, what the sides differ in, and how to read it.

    Ids and names stand in code spans, where no Markdown, HTML, @mention or #number of theirs takes effect.
    """
    comparison = compared.comparison
    figures = table(figure_header(comparison), figure_rows(comparison))
    parts = [
        MARKER,
        f"### Verdict: {comparison.verdict}",
        f"{sentence(comparison.reason)} The verdict speaks of {text(comparison.subject)}.",
        text(extent(comparison)),
        figures,
        _cases("Most improved", compared.improved),
        _cases("Most worsened", compared.worsened),
        *_recipe(compared),
        "\n".join(f"- Note: {text(note)}." for note in compared.notes),
        _reading(comparison),
    ]
    return "\n\n".join(filter(None, parts))


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column stands to the left, the others to the right."""
    lines = [header, ("---", *("---:",) * (len(header) - 1)), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def code(name: str) -> str:
    """Any text as a code span within a table."""
    clean = shown(name).replace("|", "\\|")
    return _span(clean) if clean.strip() else NONE


def text(words: str) -> str:
    """Any text outside of tables, its words with marks as code spans: GitHub finds an escaped @name nevertheless."""
    clean = "".join(letter if letter.isprintable() else "�" for letter in words)
    return MARKED.sub(lambda found: _span(found["own"] or found[0]), clean)


def _span(clean: str) -> str:
    fence = "`" * (max(map(len, re.findall("`+", clean)), default=0) + 1)
    padding = " " if "`" in clean else ""
    return f"{fence}{padding}{clean}{padding}{fence}"


def sentence(words: str) -> str:
    """With a capital letter and a full stop."""
    return f"{text(words[:1].upper() + words[1:])}."


def _cases(title: str, cases: tuple[CaseChange, ...]) -> str:
    if not cases:
        return ""
    rows = ((code(case.id), code(case.group), *case_cells(case)[2:]) for case in cases)
    return f"**{title}**\n\n{table(CASE_HEADER, rows)}"


def _recipe(compared: Compared) -> Iterator[str]:
    if not compared.recipe:
        yield "Neither parameters, versions, code nor data differ."
    for kind, changes in by_kind(compared).items():
        rows = [(code(change.name), _value(change.base), _value(change.head)) for change in changes[:MOST]]
        if len(changes) > MOST:
            rows.append((f"and {len(changes) - MOST} more", "", ""))
        yield table((f"{kind} changed", "base", "head"), rows)


def _value(found: Sequence[object]) -> str:
    return code(values(found)) if found else NONE


def _reading(comparison: Comparison) -> str:
    lines = "\n".join(f"- {text(line)}" for line in reading(comparison))
    return f"<details><summary>How to read this</summary>\n\n{lines}\n\n</details>"
