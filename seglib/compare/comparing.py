"""`seg compare`: reads both sides and brings together all that is told of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seglib.compare.comparison import CaseChange, Comparison, Verdict, compare
from seglib.compare.revisions import Revision, read_thumbnails
from seglib.compare.sides import RecipeChange, as_side, check_conventions, check_truth, notes, read_side, recipe_changes
from seglib.config import section
from seglib.sections.compare import Rule
from seglib.sections.evaluate import Evaluate

SEED = 0
"""Of the resampling: the same runs give the same verdict."""
EXIT_CODES = {Verdict.PASS: 0, Verdict.WARN: 2, Verdict.FAIL: 1}
SHOWN = 5
"""Cases that are shown of the most improved, and of the most worsened."""


@dataclass(frozen=True)
class Compared:
    """The comparison, and what the runs of the two sides started from."""

    comparison: Comparison
    recipe: Sequence[RecipeChange]
    notes: Sequence[str]
    base: Sequence[Revision]
    head: Sequence[Revision]

    @property
    def improved(self) -> tuple[CaseChange, ...]:
        """The cases to show, the most improved first."""
        return self.comparison.most_improved(SHOWN)

    @property
    def worsened(self) -> tuple[CaseChange, ...]:
        """The cases to show, the most worsened first."""
        return self.comparison.most_worsened(SHOWN)


def compare_revisions(base: str, head: str, params: Mapping[str, Any], metric: str = "") -> Compared:
    """Compare two revisions, or several seeds a side with commas between them, by the rule of `compare`.

    `metric`: takes the place of `compare.metric`. Raises SegError where the sides cannot be compared.
    """
    rule = section(params, "compare", Rule)
    resamples = section(params, "evaluate", Evaluate).resamples
    if metric:
        rule = rule.model_copy(update={"metric": metric})
    sides = read_side(base), read_side(head)
    check_conventions([*sides[0], *sides[1]])
    found = compare(as_side(sides[0]), as_side(sides[1]), rule, resamples, SEED)
    check_truth([*sides[0], *sides[1]])
    changes = recipe_changes(*sides)
    return Compared(found, changes, notes(*sides, changes), *sides)


def thumbnails(compared: Compared) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Pictures (WebP) of the shown cases that have one, in base and in head; of several runs those of the first."""
    ids = [case.id for case in (*compared.improved, *compared.worsened)]
    return read_thumbnails(compared.base[0], ids), read_thumbnails(compared.head[0], ids)
