"""Options that U-Nets share: those whose number of levels is free, and those of five levels."""

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from seglib.sections.network import Network

Extent = int | Sequence[int]
"""Pixels along every axis, or a number for each."""
Stride = Annotated[int, Field(ge=1, le=4)]


class Levels(Network):
    """Feature maps and strides from full resolution down."""

    channels: Annotated[list[Annotated[int, Field(ge=1, le=4096)]], Field(min_length=2, max_length=10)]
    """Feature maps a level, from full resolution down."""
    strides: list[Stride | Annotated[list[Stride], Field(min_length=2, max_length=3)]]
    """Down-scaling from each level to the next, one number or one for each axis; empty: 2 everywhere."""
    dropout: Annotated[float, Field(ge=0, lt=1)]

    @model_validator(mode="after")
    def _strides_fit(self) -> Self:
        if self.strides and len(self.strides) != len(self.channels) - 1:
            raise ValueError(f"strides: {len(self.channels)} channels need {len(self.channels) - 1} strides, or none")
        if len({len(step) for step in self.strides if isinstance(step, list)}) > 1:
            raise ValueError("strides: some name 2 axes, some 3; name those of the images")
        return self

    @property
    def steps(self) -> Sequence[Extent]:
        """Down-scaling from each level to the next."""
        return self.strides or [2] * (len(self.channels) - 1)

    @property
    def divisor(self) -> int:
        """The product of all strides; where the axes differ, the least common multiple of theirs."""
        axes = max((len(step) for step in self.steps if isinstance(step, Sequence)), default=1)
        each = [[step] * axes if isinstance(step, int) else step for step in self.steps]
        return math.lcm(*map(math.prod, zip(*each, strict=True)))

    def misfits(self, dims: int) -> list[str]:
        """Strides for another number of axes."""
        return axes_misfits("strides", self.steps, dims)


class FiveLevels(Network):
    """Feature maps of the U-Net of 2015 and of those that keep its five levels."""

    DIMS: ClassVar = (2, 3)
    WIDTHS: ClassVar = "features"
    features: Annotated[list[Annotated[int, Field(ge=2, le=4096, multiple_of=2)]], Field(min_length=6, max_length=6)]
    """Feature maps of the five levels, from full resolution down, and of the last part of the decoder."""
    norm: Literal["batch", "instance"]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    upsample: Literal["deconv", "nontrainable", "pixelshuffle"]

    @property
    def divisor(self) -> int:
        """Four poolings by two."""
        return 16


def axes_misfits(option: str, extents: Sequence[Extent], dims: int) -> list[str]:
    """Say which of the extents name another number of axes than `dims`."""
    return [
        f"{option}: {list(extent)} names {len(extent)} axes, the images have {dims}; "
        "give one number for each, or one for all"
        for extent in extents
        if isinstance(extent, Sequence) and len(extent) != dims
    ]
