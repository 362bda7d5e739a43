"""Look at the whole data set before any training: findings, a report and a contact sheet."""

import json

from seglib.config import read_params, section
from seglib.errors import SegError
from seglib.gate import draw_contact_sheet, inspect, read_accepted
from seglib.io.cache import open_cache
from seglib.paths import ACCEPTED, CACHE, CONTACT_SHEET, INDEX, QUALITY
from seglib.sections.check import Check


def main() -> None:
    """Write `data/quality.json` and `reports/check/contact_sheet.png`; errors stop the pipeline."""
    settings = section(read_params(), "check", Check)
    index, cache = json.loads(INDEX.read_text()), open_cache(CACHE)
    report = inspect(index["samples"], index["dataset"], cache, settings, read_accepted(ACCEPTED), {})
    if report.errors:
        raise SegError(f"the data cannot be trained on; `seg check` writes the full report.\n{report.describe()}")
    print(report.describe())
    QUALITY.write_text(report.as_json(), encoding="utf-8")
    draw_contact_sheet(CONTACT_SHEET, report, index["dataset"], cache, settings.contact_sheet)
