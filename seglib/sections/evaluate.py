"""`evaluate`: what is drawn of the test side."""

from typing import Annotated

from pydantic import Field

from seglib.config import Section


class Evaluate(Section):
    """Options of the evaluation."""

    overlays: Annotated[int, Field(ge=0)]
    """Pictures drawn, spread evenly from the worst case to the best; 0 draws none."""
