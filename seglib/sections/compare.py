"""`compare`: the rule by which `seg compare` passes or fails an experiment."""

from typing import Annotated

from pydantic import Field

from seglib.config import Section


class Rule(Section):
    """Options of the comparison: which figure decides, and how much of it may be lost."""

    metric: str
    """The figure that decides; the others are shown."""
    max_drop: Annotated[float, Field(ge=0)]
    """The worsening that is accepted, in the figure's own unit; 0: none."""
    confidence: Annotated[float, Field(gt=0.5, le=0.999)]
    """Of the two-sided interval that is shown and decides; an unchanged true drop of `max_drop` fails in at most
    half of the rest."""
