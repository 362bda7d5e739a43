"""Own data: `images/` and `masks/` side by side in a folder or a zip archive."""

from functools import partial
from importlib.resources.abc import Traversable
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from seglib.config import Section
from seglib.io.images import read_grey, read_image
from seglib.io.masks import class_indices
from seglib.io.pairs import find_folder, pair_files
from seglib.io.sample import Sample, SegClass, Spec, file_sample

PUBLISHED = None

COLOURS = (
    (0, 0, 0),
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
"""Okabe & Ito's palette, which colour-blind readers can tell apart; it repeats after the eighth."""


class MaskClass(Section):
    """A class of the masks."""

    name: Annotated[str, Field(pattern=r"^\w+$")]
    value: Annotated[int, Field(ge=0, le=255)]
    """Its grey value in the mask files."""


class Params(Section):
    """Options of the data set."""

    channels: Literal[1, 3]
    """1 reads the images as grey, 3 as colour."""
    classes: Annotated[list[MaskClass], Field(min_length=2, max_length=250)]
    """In the order of the class indices; the first is the background."""

    @model_validator(mode="after")
    def _classes_differ(self) -> Self:
        for key in ("name", "value"):
            taken = [getattr(entry, key) for entry in self.classes]
            if len(set(taken)) < len(taken):
                raise ValueError(f"classes: two have the same {key}")
        if any(entry.name == "pooled" for entry in self.classes):
            raise ValueError("classes: 'pooled' is the name of a metric; choose another")
        return self


def spec(params: Params) -> Spec:
    """The classes that the parameters declare."""
    colours = (COLOURS[0], *COLOURS[1:] * (len(params.classes) // 7 + 1))
    return Spec(
        classes=tuple(SegClass(entry.name, colour) for entry, colour in zip(params.classes, colours, strict=False)),
        channels=params.channels,
        modality="photograph",
        licence="your own",
        citation="",
    )


def samples(root: Traversable, params: Params) -> list[Sample]:
    """Pairs by file name; a mask may have `_mask` behind the name."""
    pairs = pair_files(find_folder(root, "images", "masks"), "images", "masks")
    mapping = {entry.value: index for index, entry in enumerate(params.classes)}
    image_reader = partial(read_image, channels=params.channels)
    mask_reader = partial(_read_mask, mapping)
    return [file_sample(stem, image, mask, image_reader, mask_reader) for stem, (image, mask) in pairs.items()]


def _read_mask(mapping: dict[int, int], file: Traversable) -> np.ndarray:
    return class_indices(read_grey(file), mapping, file)
