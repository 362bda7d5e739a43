"""`seg check`: read everything once and say what is wrong, without a stage that stops at the first error."""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from seglib.caching import build_cache
from seglib.config import section
from seglib.errors import SegError
from seglib.gate import Report, draw_contact_sheet, inspect, read_accepted
from seglib.io.cache import open_cache
from seglib.paths import ACCEPTED, CONTACT_SHEET, QUALITY, store
from seglib.quality import Finding
from seglib.sections.check import Check
from seglib.source import read_source


def check_data(params: Mapping[str, Any]) -> Report:
    """Read the selected data set and write `data/quality.json` and the contact sheet.

    What is read goes into the store, so that the next `dvc repro` need not read it again.
    """
    settings, accepted = section(params, "check", Check), read_accepted(ACCEPTED)
    try:
        source = read_source(params)
    except SegError as error:
        fix = "bring the files into the layout that docs/data.md shows"
        report = Report([Finding("layout", "error", (), str(error), fix)], [], [], {})
        _write(QUALITY, report.as_json())
        return report
    store().mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store(), prefix="check-") as folder:
        built = build_cache(params, source, Path(folder) / "cache")
        cache, dataset = open_cache(Path(folder) / "cache"), asdict(source.spec)
        report = inspect(built.facts, dataset, cache, settings, accepted, built.problems)
        _write(QUALITY, report.as_json())
        if cache:
            CONTACT_SHEET.unlink(missing_ok=True)
            draw_contact_sheet(CONTACT_SHEET, report, dataset, cache, settings.contact_sheet)
    return report


def accept(report: Report) -> int:
    """Add what is left of the warnings and notes to the accepted findings; returns how many."""
    keys = [finding.key for finding in report.findings if finding.severity != "error"]
    text = ACCEPTED.read_text(encoding="utf-8")
    with ACCEPTED.open("a", encoding="utf-8") as file:
        file.write("\n" if text and not text.endswith("\n") else "")
        file.writelines(f"{key}\n" for key in keys)
    return len(keys)


def _write(path: Path, text: str) -> None:
    """Replace a file that may be a link into DVC's cache."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")
