"""Put all results on one page that opens anywhere."""

from pathlib import Path

from seglib.config import read_params
from seglib.report.build import build_report

PAGE = Path("reports/index.html")


def main() -> None:
    """Write `reports/index.html`."""
    page = build_report(read_params())
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page, encoding="utf-8", newline="\n")
    print(f"{PAGE}: {len(page.encode()) / 1e6:.1f} MB, open it in a browser")
