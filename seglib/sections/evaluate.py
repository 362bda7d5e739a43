"""`evaluate`: how the test side is measured, and what is drawn of it."""

from typing import Annotated

from pydantic import Field

from seglib.config import Section


class Evaluate(Section):
    """Options of the evaluation."""

    overlays: Annotated[int, Field(ge=0)]
    """Cases drawn, spread evenly from the worst to the best; 0 draws none."""
    tolerance: Annotated[float, Field(gt=0)]
    """Distance up to which a boundary counts as found by the NSD: mm where all spacings are known, else pixels."""
    confidence: Annotated[float, Field(gt=0.5, le=0.999)]
    """Of the intervals."""
