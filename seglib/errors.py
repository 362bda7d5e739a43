"""The one exception that a user is meant to read."""

import difflib
from collections.abc import Iterable


class SegError(Exception):
    """A problem with the user's input: says what was wrong, what was found and what to do."""


def listing(items: Iterable[object], limit: int = 5) -> str:
    """Join items for a message, cut to `limit` with the count of the rest."""
    shown = [str(item) for item in items]
    rest = len(shown) - limit
    return ", ".join(shown[:limit]) + (f" and {rest} more" if rest > 0 else "")


def nearest(name: object, known: Iterable[object]) -> str:
    """Suggest the known name closest to `name`, or list the known ones."""
    known = sorted(map(str, known))
    match = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    return f"did you mean '{match[0]}'?" if match else f"known: {listing(known, 20)}"
