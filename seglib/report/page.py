"""Templates become one HTML file: everything escaped, nothing fetched, no script but its own."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from seglib.report.charts import MARKERS, WIDTH
from seglib.report.numbers import amount, count, decimal, percent

FOLDER = Path(__file__).parent
TEMPLATES = FOLDER / "templates"


def render(template: str, values: Mapping[str, Any], *folders: Path) -> str:
    """Fill in a template of `folders`, or of this package, whose `base.html.j2` it extends.

    Style and script are part of the page, and the only ones that its Content-Security-Policy lets run.
    """
    style, script = ((FOLDER / name).read_text(encoding="utf-8") for name in ("style.css", "page.js"))
    policy = (
        f"default-src 'none'; img-src data:; style-src {_source(style)}; script-src {_source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    shared = {"policy": policy, "style": Markup(style), "script": Markup(script)}  # noqa: S704 (the project's own)
    return _environment(*folders, TEMPLATES).get_template(template).render({**values, **shared})


@cache
def _environment(*folders: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"amount": amount, "count": count, "decimal": decimal, "percent": percent}
    environment.globals |= {"WIDTH": WIDTH, "MARKERS": MARKERS}
    environment.policies["json.dumps_kwargs"] = {
        "allow_nan": False,
        "ensure_ascii": False,
        "separators": (",", ":"),
    }
    return environment


def _source(text: str) -> str:
    """The text's name in a Content-Security-Policy (W3C CSP Level 3, section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
