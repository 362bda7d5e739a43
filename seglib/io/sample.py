"""What a data set tells about itself and about each of its samples."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.resources.abc import Traversable

import numpy as np

from seglib.errors import SegError
from seglib.io.archive import read_bytes

IGNORE = 255
"""Class index of pixels that neither train nor count."""


@dataclass(frozen=True)
class SegClass:
    """A class: its name as in metrics, and its RGB colour in pictures."""

    name: str
    colour: tuple[int, int, int]


@dataclass(frozen=True)
class Spec:
    """What holds for every sample of a data set; class 0 is the background."""

    classes: tuple[SegClass, ...]
    channels: int
    modality: str
    licence: str
    citation: str


@dataclass(frozen=True)
class Published:
    """An archive that its authors serve over HTTP."""

    url: str
    sha256: str


@dataclass(frozen=True)
class Embedded:
    """Files that an installed distribution ships: path inside it → sha256."""

    distribution: str
    files: dict[str, str]


@dataclass(frozen=True)
class Sample:
    """One image with its mask, read only when called for.

    `image()` gives uint8 [height, width, channels] and `mask()` uint8 [height, width] of class
    indices. `fingerprint()` is a sha256 of everything that both are read from. Samples of one
    `group` (patient, slab, car, video) never sit on both sides of a split. `spacing` is the pixel's
    (height, width) in mm where it is known.
    """

    id: str
    group: str
    image: Callable[[], np.ndarray]
    mask: Callable[[], np.ndarray]
    fingerprint: Callable[[], str]
    spacing: tuple[float, float] | None = None

    def read(self, spec: Spec) -> tuple[np.ndarray, np.ndarray]:
        """Read image and mask.

        Raises SegError where they do not fit each other or the data set's `spec`.
        """
        image, mask = self.image(), self.mask()
        if image.dtype != np.uint8 or mask.dtype != np.uint8 or image.shape[2:] != (spec.channels,):
            found = f"{image.dtype} with {image.shape[2:]} channels, mask {mask.dtype}"
            raise SegError(f"sample '{self.id}': expected uint8 with {spec.channels} channels, found {found}")
        if image.shape[:2] != mask.shape:
            raise SegError(
                f"sample '{self.id}': the image has {_size(image)} pixels, its mask {_size(mask)}; "
                "both must have the same size"
            )
        beyond = (mask >= len(spec.classes)) & (mask != IGNORE)
        if beyond.any():
            raise SegError(f"sample '{self.id}': class index {mask[beyond][0]} of {len(spec.classes)} classes")
        return image, mask


def file_fingerprint(*files: Traversable) -> str:
    """Hash the content of the files, in order."""
    parts = [hashlib.sha256(read_bytes(file)).digest() for file in files]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def file_sample(
    stem: str,
    image: Traversable,
    mask: Traversable,
    read_image: Callable[[Traversable], np.ndarray],
    read_mask: Callable[[Traversable], np.ndarray],
    group: str | None = None,
) -> Sample:
    """A sample that is one image file and one mask file; without a group it is its own."""
    return Sample(
        id=stem,
        group=group or stem,
        image=partial(read_image, image),
        mask=partial(read_mask, mask),
        fingerprint=partial(file_fingerprint, image, mask),
    )


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]}×{pixels.shape[0]}"
