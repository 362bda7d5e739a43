"""Write the trained model in other formats, and prove that each is still that model; off without variants."""

import json
import shutil

from seglib.config import read_params, section
from seglib.export.tables import metrics, write_tables
from seglib.paths import EXPORT, EXPORT_REPORT, SOURCE
from seglib.sections.export import Export


def main() -> None:
    """Write `models/export/`, `metrics.json`, `timing.json` and what is plotted."""
    params = read_params()
    settings = section(params, "export", Export)
    figures, timing, limits = {}, {}, {"n": 0}
    if settings.variants:
        from seglib.export.exporting import export_models

        exported = export_models(params, settings)
        figures, timing, limits["n"] = exported.figures, exported.timing, exported.n
        limits |= {f"{name}_skipped": 1 for name in exported.skipped}
    else:
        shutil.rmtree(EXPORT, ignore_errors=True)
        EXPORT.mkdir(parents=True)
        (EXPORT / SOURCE).write_text("{}\n")  # DVC restores no empty folder
    limits |= {"max_dice_drop": settings.max_dice_drop, "confidence": settings.confidence}
    EXPORT_REPORT.mkdir(parents=True, exist_ok=True)
    _write("metrics.json", limits | metrics(figures))
    _write("timing.json", timing)
    write_tables(EXPORT_REPORT / "plots", figures, timing)


def _write(name: str, content: object) -> None:
    (EXPORT_REPORT / name).write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
