"""What naming files gives: inputs that can be read, and what cannot."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seglib.io.placement import Placement


@dataclass(frozen=True, eq=False)
class Pixels:
    """An image as training samples of the model have it."""

    image: np.ndarray
    """Raw values [height, width, channels], of a volume [depth, height, width, channels] arranged as Volume is."""
    spacing: tuple[float, ...] | None
    """Extent of a pixel along each axis in mm, where it is known."""
    place: Placement | None
    """How a mask of a volume goes back into the place of the file; None for an image."""


@dataclass(frozen=True)
class Input:
    """One image, volume or DICOM series."""

    name: str
    """Relative path without suffix, safe for a file's name, unlike any other even where case makes no difference."""
    read: Callable[[], Pixels]
    """Raises SegError that says what is wrong with it."""


@dataclass(frozen=True)
class Unread:
    """What was named, or looks like an image, and cannot be read."""

    name: str
    """Relative path with suffix."""
    reason: str
