"""`preprocess.image_size`, which training puts into the model file as well."""

from typing import Annotated, Any

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, field_validator

from seglib.config import Section

Side = Annotated[int, Field(ge=8, le=8192)]
Scale = Annotated[float, Field(gt=0, le=4)]
"""Below every side, since DVC takes 8 and 8.0 for the same."""


class ImageSize(Section):
    """The size that images are resized to."""

    image_size: Side | Scale | Annotated[list[Side], Field(min_length=2, max_length=2)]
    """One whole number: square; [height, width]; a fraction such as 0.5: scale of each image."""

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
