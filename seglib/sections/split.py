"""`split`: which samples train, validate and test."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from seglib.config import Section

Share = Annotated[float, Field(gt=0, lt=1)]


class Split(Section):
    """Shares of the validation and test sides, or folds; the rest is for training."""

    val: Share
    test: Share
    seed: int
    stratify: bool
    """false: each group has these chances, so new data moves no old sample. true: even shares, by class
    presence and foreground share; new data then moves those near a boundary."""
    folds: Annotated[int, Field(ge=0, le=100)]
    """0: one split; k: cross-validation, in which each of k parts is the test side once."""
    fold: Annotated[int, Field(ge=0)]
    """Which of the folds is the test side."""
    official: bool
    """Honour the sides that the data set's own lists give."""

    @model_validator(mode="after")
    def _leaves_a_training_side(self) -> Self:
        if self.val + self.test >= 1:
            raise ValueError(f"val + test must stay below 1, found {self.val + self.test:g}")
        if self.folds == 1:
            raise ValueError("folds: at least 2, or 0 for a single split")
        if self.fold >= max(self.folds, 1):
            raise ValueError(f"fold: must be below folds, found {self.fold} of {self.folds}")
        return self
