"""`seg compare`: reads both sides and brings together all that is told of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seglib.compare.comparison import CaseChange, Comparison, Verdict, compare
from seglib.compare.differences import PERMUTATIONS
from seglib.compare.revisions import Revision, read_thumbnails
from seglib.compare.sides import RecipeChange, as_side, check_conventions, check_truth, notes, read_side, recipe_changes
from seglib.config import parse, section
from seglib.errors import SegError
from seglib.sections.compare import Rule

SEED = 0
"""Of the permutations: the same runs give the same p-values."""
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
    """Compare two revisions, or several seeds a side with commas between them, by base's rule of `compare`.

    `metric`: takes the place of `compare.metric`. Raises SegError where the sides cannot be compared.
    """
    sides = read_side(base), read_side(head)
    rule = _rule(sides[0], params)
    doubts = [
        note for head in sides[1] for note in _rule_notes(rule, sides[0][0], head, {"metric"} if metric else set())
    ]
    if metric:
        rule = rule.model_copy(update={"metric": metric})
    check_conventions([*sides[0], *sides[1]], rule.metric)
    found = compare(as_side(sides[0]), as_side(sides[1]), rule, PERMUTATIONS, SEED)
    check_truth([*sides[0], *sides[1]])
    changes = recipe_changes(*sides)
    return Compared(found, changes, [*doubts, *notes(*sides)], *sides)


def _rule(bases: Sequence[Revision], params: Mapping[str, Any]) -> Rule:
    """That of base, so that no change can loosen what it is judged by; what base lacks is that of the workspace."""
    workspace = section(params, "compare", Rule).model_dump()
    rules = []
    for base in bases:
        own = {key: value for key, value in base.rule.items() if key in Rule.model_fields}
        rules.append(parse(Rule, workspace | own, f"{base.run.name}: compare"))
    if other := next((i for i, rule in enumerate(rules) if rule != rules[0]), 0):
        raise SegError(
            f"two rules of `compare` on the side of base: {bases[0].run.name} has {rules[0].model_dump()}, "
            f"{bases[other].run.name} has {rules[other].model_dump()}; compare runs with one rule"
        )
    return rules[0]


def _rule_notes(rule: Rule, base: Revision, head: Revision, overridden: set[str]) -> Iterator[str]:
    for key, value in rule.model_dump(exclude=overridden).items():
        if key not in base.rule:
            yield f"{base.run.name} has no compare.{key}; the verdict goes by that of the workspace, {value}"
        elif (other := head.rule.get(key, value)) != value:
            yield f"compare.{key} is {other!r:.60} in {head.run.name}; the verdict goes by base's, {value!r}"


def thumbnails(compared: Compared) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Pictures (WebP) of the shown cases that have one, in base and in head; of several runs those of the first."""
    ids = [case.id for case in (*compared.improved, *compared.worsened)]
    return read_thumbnails(compared.base[0], ids), read_thumbnails(compared.head[0], ids)
