"""Class lists: names that metrics can carry, and colours that readers can tell apart."""

import re
from collections.abc import Sequence

from seglib.errors import SegError, listing
from seglib.io.sample import SegClass

Colour = tuple[int, int, int]
COLOURS: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
"""Okabe & Ito's palette for the foreground, which colour-blind readers can tell apart; it repeats."""
MOST = 250
"""Classes that a mask of bytes can hold; the values above mean something else."""


def class_list(names: Sequence[str], colours: Sequence[Colour] = ()) -> tuple[SegClass, ...]:
    """Classes in the order of their indices, the first the background; `colours` are one for each, or none.

    What is no letter, digit or underscore in a name becomes an underscore. Raises SegError where two
    names then are the same, a name is that of a metric, or there are too few or too many.
    """
    plain = [re.sub(r"\W+", "_", name.strip()).strip("_") for name in names]
    if doubled := sorted({name for name in plain if plain.count(name) > 1}):
        raise SegError(f"class names that stand twice: {listing(doubled)}; rename one of each")
    if unusable := [name for name in plain if name in ("", "pooled")]:
        raise SegError(f"class names that cannot stand in a metric: {listing(map(repr, unusable))}; rename them")
    if not 2 <= len(plain) <= MOST:
        raise SegError(f"{len(plain)} classes; from 2 (background and one more) to {MOST} are possible")
    shown = list(colours) or [(0, 0, 0), *COLOURS * (len(plain) // len(COLOURS) + 1)]
    return tuple(SegClass(name, colour) for name, colour in zip(plain, shown, strict=False))
