"""`preprocess`: what the tensors in the cache look like."""

from typing import Annotated, Any

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, field_validator

from seglib.config import Section

Side = Annotated[int, Field(ge=8, le=8192)]
Scale = Annotated[float, Field(gt=0, le=8)]


class Preprocess(Section):
    """Image size of the cache, the number of files in it, and the bound of the store."""

    image_size: Side | Scale | Annotated[list[Side], Field(min_length=2, max_length=2)]
    """One number: square; [height, width]; a fraction such as 0.5: scale of each image."""
    shards: Annotated[int, Field(ge=1, le=4096)]
    """Files the cache is packed into; a changed image costs one of them."""
    store_limit_gb: Annotated[float, Field(ge=0)]
    """Bound of the store of ready shards in GB; the longest unused go first."""

    @field_validator("image_size", mode="wrap")
    @classmethod
    def _one_of_three(cls, value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        try:
            return validate(value)
        except ValidationError:
            raise ValueError(
                "must be a side of 8 to 8192 pixels, [height, width], or a scale above 0.0 and up to 8.0"
            ) from None
