"""`split`: the chance of a group to go to each side."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from seglib.config import Section

Share = Annotated[float, Field(gt=0, lt=1)]


class Split(Section):
    """Expected shares of the validation and test sides; the rest is for training."""

    val: Share
    test: Share
    seed: int

    @model_validator(mode="after")
    def _leaves_a_training_side(self) -> Self:
        if self.val + self.test >= 1:
            raise ValueError(f"val + test must stay below 1, found {self.val + self.test:g}")
        return self
