"""`loss`: which loss, its class weights, and what every loss says of itself."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from seglib.config import Section
from seglib.sections.selection import Selection

Weight = Annotated[float, Field(ge=0, le=1e6)]


class Objective(Selection):
    """The selected loss, and what surrounds it whichever it is."""

    class_weights: Literal["none", "balanced"] | list[Weight]
    """none; balanced: inverse to the frequencies on the training side; or one number a class."""
    deep_supervision: list[Weight]
    """Weights of the network's outputs, the finest first; empty: only the finest is trained on."""

    @field_validator("deep_supervision")
    @classmethod
    def _trains_the_finest(cls, weights: list[float]) -> list[float]:
        if weights and not weights[0]:
            raise ValueError("the first weight must be above 0, since the finest output is the one that is kept")
        return weights


class Loss(Section):
    """Base of the options of a loss."""

    HEADS: ClassVar[tuple[str, ...]] = ("softmax", "sigmoid")
    """Heads that it can train."""
