"""A comparison as an HTML page that needs nothing else."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seglib.compare.cells import by_kind, case_cells, extent, figure_header, figure_rows, reading, shown, values
from seglib.compare.comparing import Compared
from seglib.compare.comparison import CaseChange
from seglib.errors import SegError
from seglib.report.page import render

TEMPLATES = Path(__file__).parent / "templates"
Pictures = Mapping[str, bytes]
"""A case's id → its small picture, WebP."""


@dataclass(frozen=True)
class ShownCase:
    """A case's card, with data URIs of its pictures; empty where there is none."""

    id: str
    group: str
    base: str
    head: str
    gain: str
    base_picture: str
    head_picture: str


def write_page(path: Path, compared: Compared, base: Pictures, head: Pictures) -> None:
    """Write the page; raises SegError where that cannot be done."""
    try:
        path.write_text(as_page(compared, base, head), encoding="utf-8", newline="\n")
    except OSError as error:
        raise SegError(f"cannot write {path}: {error.strerror}") from None


def as_page(compared: Compared, base: Pictures, head: Pictures) -> str:
    """The verdict, the figures, pictures of the cases that changed most, and what the sides differ in."""
    comparison = compared.comparison
    cases = [("Most improved", compared.improved), ("Most worsened", compared.worsened)]
    content = {
        "title": f"Verdict: {comparison.verdict}",
        "reason": _sentence(comparison.reason),
        "subject": _sentence(f"the verdict speaks of {comparison.subject}"),
        "metric": comparison.primary.measure.label,
        "base": comparison.base,
        "head": comparison.head,
        "counted": extent(comparison),
        "notes": compared.notes,
        "header": figure_header(comparison),
        "figures": figure_rows(comparison),
        "groups": [(title, _shown(found, base, head)) for title, found in cases],
        "recipe": [
            (kind, [(shown(change.name), values(change.base), values(change.head)) for change in changes])
            for kind, changes in by_kind(compared).items()
        ],
        "reading": reading(comparison),
    }
    return render("comparison.html.j2", content, TEMPLATES)


def _shown(cases: Sequence[CaseChange], base: Pictures, head: Pictures) -> list[ShownCase]:
    return [_shown_case(case, base, head) for case in cases]


def _shown_case(case: CaseChange, base: Pictures, head: Pictures) -> ShownCase:
    return ShownCase(*case_cells(case), _data_uri(base.get(case.id)), _data_uri(head.get(case.id)))


def _data_uri(picture: bytes | None) -> str:
    return f"data:image/webp;base64,{base64.b64encode(picture).decode()}" if picture else ""


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
