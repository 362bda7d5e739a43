"""Hand-made comparisons for the tests of their forms."""

from dataclasses import replace
from typing import Any

from seglib.compare.comparing import Compared
from seglib.compare.comparison import CaseChange, Change, Comparison
from seglib.compare.revisions import Revision
from seglib.compare.sides import Kind, RecipeChange
from seglib.measures import MEASURES
from seglib.sections.compare import Rule
from seglib.statistics import Interval
from seglib.summary import Run
from tests.made_up import made_up

RULE = Rule(metric="dice", max_drop=0.01, confidence=0.95)
MEASURE = {measure.name: measure for measure in MEASURES}
CHANGES = (
    Change(MEASURE["dice"], 0.9, 0.85, Interval(-0.05, -0.07, -0.03), 0.0004, 0.25, 0.75),
    Change(MEASURE["hd95"], 12.3456, 10.0, Interval(-2.3456, -4.0, -0.5), 0.0312, 0.6, 0.4),
    Change(MEASURE["volume_difference"], -0.3, 0.1, Interval(0.4, 0.1, 0.7), 0.01, 0.5, 0.5),
    Change(MEASURE["nsd"], 0.5, 0.52, Interval(0.02, -0.01, 0.05), 0.4, 0.55, 0.45),
    Change(MEASURE["assd"], 1.0, 1.5, Interval(0.5, None, None), 1.0, None, None),
)
CASES = (
    CaseChange("up", "g1", 0.5, 0.75, 0.25),
    CaseChange("same", "g1", 0.5, 0.5, 0.0),
    CaseChange("down", "g2", 0.9, 0.4, -0.5),
)
RECIPE = (
    RecipeChange(Kind.PARAMETER, "train.lr", (0.004,), (0.001,)),
    RecipeChange(Kind.PARAMETER, "model.unetpp.depth", (), (5,)),
    RecipeChange(Kind.CODE, "seglib/engine.py", ("1234567",), ("89abcde",)),
)


def compared(recipe=RECIPE, notes=(), runs=(1, 1), base="main (0a1b2c3)", **changes: Any) -> Compared:
    """Two sides of 40 cases, with fields of `Comparison` replaced; without arguments the verdict is fail."""
    found = Comparison(base, "workspace", runs, 40, 20, RULE, CHANGES, CASES, Interval(0.05, 0.03, 0.07), 0.05, ())
    sides = [(_revision(name),) * count for name, count in zip((base, "workspace"), runs, strict=True)]
    return Compared(replace(found, **changes), recipe, notes, *sides)


def _revision(name: str) -> Revision:
    return Revision(name, Run(name, "finished", {}, {"conventions": 1}), made_up(0), (), {})
