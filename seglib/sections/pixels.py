"""What becomes of an image before the network sees it: part of `preprocess`, and of the model file."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, field_validator, model_validator

from seglib.config import Section

Side = Annotated[int, Field(ge=8, le=8192)]
Scale = Annotated[float, Field(gt=0, le=4)]
"""Below every side, since DVC takes 8 and 8.0 for the same."""
Millimetres = Annotated[float, Field(gt=0, le=100)]


class Pixels(Section):
    """Geometry and intensities of the network's input."""

    image_size: Side | Scale | Annotated[list[Side], Field(min_length=2, max_length=3)]
    """One whole number: square; [height, width] or [depth, height, width]; a fraction such as 0.5: scale."""
    resize: Literal["stretch", "pad", "native"]
    """stretch to `image_size`; pad: bring the longest side to it and pad; native: crop to it in training."""
    spacing: Annotated[list[Millimetres], Field(max_length=3)]
    """Distance between pixels in mm, one for each axis, that samples are brought to; empty: as they are."""
    window: Annotated[list[float], Field(min_length=2, max_length=2)]
    """Hounsfield units that CT images are clipped to."""
    percentiles: Annotated[list[float], Field(min_length=2, max_length=2)]
    """Of each MRI or PET volume, and picture of more than 8 bits, which become 0 and 1; what lies beyond is clipped."""

    @field_validator("image_size", mode="wrap")
    @classmethod
    def _one_of_three(cls, value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        try:
            parsed = validate(value)
        except ValidationError:
            parsed = None
        if parsed is None or type(parsed) is not type(value):
            raise ValueError(
                "must be a side of 8 to 8192 pixels, [height, width], or a scale such as 0.5 or 1.0, up to 4.0"
            )
        return parsed

    @field_validator("window", "percentiles")
    @classmethod
    def _rises(cls, value: list[float]) -> list[float]:
        if value[0] >= value[1]:
            raise ValueError("the first must be below the second")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.resize != "stretch" and isinstance(self.image_size, float):
            raise ValueError(f"resize: {self.resize} needs an image_size in pixels (found the scale {self.image_size})")
        if not 0 <= self.percentiles[0] < self.percentiles[1] <= 100:
            raise ValueError(f"percentiles: must lie between 0 and 100 (found {self.percentiles})")
        if len(self.spacing) == 1:
            raise ValueError("spacing: one number for each axis, or none")
        return self

    def sides(self, dims: int) -> tuple[int, ...] | None:
        """`image_size` as one side for each axis; None where it is a scale.

        Raises ValueError where it names another number of axes.
        """
        if isinstance(self.image_size, float):
            return None
        sides = [self.image_size] * dims if isinstance(self.image_size, int) else self.image_size
        if len(sides) != dims:
            raise ValueError(f"preprocess.image_size: {sides} has {len(sides)} sides, the samples have {dims}")
        return tuple(sides)

    def crop(self, dims: int) -> tuple[int, ...] | None:
        """The window that training cuts out of each sample; None where samples are taken whole."""
        return self.sides(dims) if self.resize == "native" else None
