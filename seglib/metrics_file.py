"""`metrics.json`, read strictly."""

import json
import sys
from typing import Any

from seglib.errors import SegError, listing

ANEW = "run `dvc repro` to write it anew"


def parse_json(text: str, source: str) -> Any:
    """Read JSON; raises SegError, with `source` as the file's name, where it is none that can be read."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SegError(f"{source}: not valid JSON ({error}); {ANEW}") from None


def parse_metrics(text: str, source: str, *needed: str) -> dict[str, float]:
    """Read finite numbers under their names, truth values as 0 and 1.

    Raises SegError, with `source` as the file's name, for anything else, and where one of `needed` is missing.
    """
    content = parse_json(text, source)
    if not isinstance(content, dict):
        raise SegError(f"{source}: must hold names and numbers, found {type(content).__name__}; {ANEW}")
    if wrong := [f"{name} is {value!r:.60}" for name, value in content.items() if not _is_finite(value)]:
        raise SegError(f"{source}: must hold finite numbers: {listing(wrong)}; {ANEW}")
    if absent := [name for name in needed if name not in content]:
        raise SegError(f"{source}: no {listing(absent)}, so it is of older code; {ANEW}")
    return content


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max
