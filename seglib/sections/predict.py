"""`predict`: how a mask comes from an image."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from seglib.config import Section

Scale = Annotated[float, Field(ge=0.1, le=4)]


def _is_absolute(path: str) -> str:
    if "\0" in path or not Path(path).is_absolute():
        raise ValueError("must be an absolute path")
    return path


class ModelFile(Section):
    """A further model of an ensemble."""

    path: Annotated[str, AfterValidator(_is_absolute)]
    """Absolute path of a file that `train` wrote."""
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """Its digest, since DVC does not watch it: another content is an error, never an old result."""


class Predict(Section):
    """From an image to probabilities, and from these to a mask."""

    threshold: Annotated[float, Field(gt=0, lt=1)] | Literal["auto"]
    """Probability above which a pixel shows a class; auto: the one with the best validation Dice."""
    overlap: Annotated[float, Field(ge=0, lt=1)]
    """Share of a window that the next one covers again, where an image is seen in windows."""
    flips: bool
    """Whether the image is also seen mirrored, along each axis and along all combinations of them."""
    rotations: bool
    """Whether the image is also seen in quarter turns, in the plane of the last two axes."""
    scales: Annotated[list[Scale], Field(min_length=1)]
    """Factors of the model's image size at which the image is seen; 1.0: as trained."""
    ensemble: list[ModelFile]
    """Further models whose probabilities are averaged with those of `models/best.pt`."""
    min_pixels: Annotated[int, Field(ge=0)]
    """Predicted objects with fewer pixels, at the image's own size, are removed; 0 removes none."""
    fill_holes: Annotated[int, Field(ge=0)]
    """Holes with fewer pixels, at the image's own size, are filled; 0 fills none."""

    @field_validator("threshold", mode="wrap")
    @classmethod
    def _number_or_auto(cls, value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        try:
            return validate(value)
        except ValidationError:
            raise ValueError("must be a probability between 0 and 1, or auto") from None

    @model_validator(mode="after")
    def _each_model_once(self) -> Self:
        digests = [member.sha256 for member in self.ensemble]
        if len(set(digests)) < len(digests):
            raise ValueError("ensemble: two members have the same sha256; a model counts once")
        return self


PLAIN = Predict(
    threshold=0.5, overlap=0.5, flips=False, rotations=False, scales=[1.0], ensemble=[], min_pixels=0, fill_holes=0
)
"""One model, seen once, and nothing done to its mask."""
