"""What a data set tells about itself and about each of its samples."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.resources.abc import Traversable
from typing import Any, Literal

import numpy as np

from seglib.errors import SegError
from seglib.io.archive import read_bytes

IGNORE = 255
"""Mask value of pixels that neither train nor count."""
DTYPES = ("uint8", "uint16", "int16", "float32")
Modality = Literal["photograph", "endoscopy", "microscopy", "ct", "mri", "pet"]
Side = Literal["train", "val", "test"]
Fact = str | int | float


@dataclass(frozen=True)
class SegClass:
    """A class: its name as in metrics, and its RGB colour in pictures."""

    name: str
    colour: tuple[int, int, int]


@dataclass(frozen=True)
class Spec:
    """What holds for every sample of a data set; class 0 is the background.

    Where classes are `overlapping`, a pixel may belong to several: a mask's value then is the sum of
    2**(c - 1) over its classes c, at most seven of them; 255 still says that the pixel does not count.
    """

    classes: tuple[SegClass, ...]
    channels: int
    modality: Modality
    licence: str
    citation: str
    overlapping: bool = False

    @property
    def largest(self) -> int:
        """The largest value that a mask may have, besides 255."""
        return 2 ** (len(self.classes) - 1) - 1 if self.overlapping else len(self.classes) - 1


@dataclass(frozen=True)
class Published:
    """An archive that its authors serve over HTTP."""

    url: str
    sha256: str


@dataclass(frozen=True)
class Kaggle:
    """An archive that Kaggle serves to those who are logged in: a data set `owner/name`, or a competition."""

    kind: Literal["dataset", "competition"]
    slug: str


@dataclass(frozen=True)
class Embedded:
    """Files that an installed distribution ships: path inside it → sha256."""

    distribution: str
    files: dict[str, str]


@dataclass(frozen=True)
class Generated:
    """Nothing is fetched: the data set makes its samples itself."""


@dataclass(frozen=True)
class Sample:
    """One image with its mask, read only when called for.

    `image()` gives [height, width, channels], or [depth, height, width, channels], of the data's own
    type (uint8, uint16, int16 or float32), and `mask()` class indices, uint8 of the same extent.
    `fingerprint()` is a sha256 of everything that both are read from. Samples of one `group` (patient,
    slab, car, video) never sit on both sides of a split.
    """

    id: str
    group: str
    image: Callable[[], np.ndarray]
    mask: Callable[[], np.ndarray]
    fingerprint: Callable[[], str]
    spacing: tuple[float, ...] | None = None
    """Extent of a pixel along each axis in mm, where it is known."""
    side: Side | None = None
    """The side of the split on which the authors' own lists put it."""
    volume: str | None = None
    """The volume that it is a slice of; slices of one volume lie in one shard."""
    whole: Callable[[], np.ndarray] | None = None
    """The image of that volume, whose percentiles scale all its slices alike."""
    source: str = ""
    """The image's file as findings name it: its name and the folder that holds it."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What else the index is to know of it, such as the number of nuclei."""

    def read(self, spec: Spec) -> tuple[np.ndarray, np.ndarray]:
        """Read image and mask.

        Raises SegError where they do not fit each other or the data set's `spec`.
        """
        image, mask = self.image(), self.mask()
        if str(image.dtype) not in DTYPES or mask.dtype != np.uint8:
            raise SegError(f"sample '{self.id}': {image.dtype} image, {mask.dtype} mask; known: {', '.join(DTYPES)}")
        if image.shape[-1] != spec.channels:
            raise SegError(
                f"sample '{self.id}': the image has {image.shape[-1]} channels, the data set {spec.channels}; "
                "convert it, or declare its channels"
            )
        if image.shape[:-1] != mask.shape:
            raise SegError(
                f"sample '{self.id}': the image has {_extent(image[..., 0])} pixels, its mask {_extent(mask)}; "
                "both must have the same size"
            )
        if image.dtype == np.float32 and not np.isfinite(image).all():
            raise SegError(f"sample '{self.id}': {np.count_nonzero(~np.isfinite(image))} values are not finite")
        beyond = (mask > spec.largest) & (mask != IGNORE)
        if beyond.any():
            raise SegError(f"sample '{self.id}': mask value {mask[beyond][0]}, but the largest is {spec.largest}")
        return image, mask


def file_fingerprint(*files: Traversable) -> str:
    """Hash the names and the contents of the files, in order."""
    parts = [f"{file.name}\0{hashlib.sha256(read_bytes(file)).hexdigest()}" for file in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def place(file: Traversable) -> str:
    """A file as findings name it, the same on every machine: its name and the folder that holds it."""
    return "/".join(str(file).split("/")[-2:])


def file_sample(
    stem: str,
    image: Traversable,
    mask: Traversable,
    read_image: Callable[[Traversable], np.ndarray],
    read_mask: Callable[[Traversable], np.ndarray],
    **known: Any,
) -> Sample:
    """A sample that is one image file and one mask file; without a `group` it is its own.

    `known` holds further fields of Sample.
    """
    return Sample(
        id=stem,
        group=known.pop("group", stem),
        image=partial(read_image, image),
        mask=partial(read_mask, mask),
        fingerprint=partial(file_fingerprint, image, mask),
        source=place(image),
        **known,
    )


def _extent(pixels: np.ndarray) -> str:
    return "×".join(map(str, pixels.shape[::-1]))
