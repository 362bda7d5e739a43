"""The one way in which pixels change their number: for the cache, evaluation and prediction.

Images are averaged over areas where they shrink, which is anti-aliased, and interpolated linearly where
they grow, axis by axis. A mask takes the nearest pixel (the one whose centre is nearest to the new
centre), so that no class appears anew; what is padded is ignored.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from seglib.errors import SegError
from seglib.io.images import last_line
from seglib.io.sample import IGNORE
from seglib.sections.pixels import Pixels

MOST_CHANNELS = 4
"""Channels that OpenCV resizes at once."""
MOST_PIXELS = 1 << 28
"""Pixels, or voxels, that a sample may grow to."""


@dataclass(frozen=True)
class Geometry:
    """From a native shape to the shape in which the network sees it, and back."""

    native: tuple[int, ...]
    content: tuple[int, ...]
    """The shape that the image is resized to."""
    canvas: tuple[int, ...]
    """The content's shape with what is padded behind it."""

    def image(self, image: np.ndarray) -> np.ndarray:
        """Bring [*native, channels] to [*canvas, channels]; padding repeats the border."""
        return self._pad(resize_image(image, self.content), mode="edge")

    def mask(self, mask: np.ndarray) -> np.ndarray:
        """Bring mask values [*native] to [*canvas]; padding is ignored."""
        return self._pad(resize_mask(mask, self.content), mode="constant", constant_values=IGNORE)

    def back(self, probabilities: np.ndarray) -> np.ndarray:
        """Bring float32 [classes, *canvas] to [classes, *native]."""
        content = probabilities[(slice(None), *(slice(side) for side in self.content))]
        return np.stack([resize_image(plane[..., None], self.native)[..., 0] for plane in content])

    def _pad(self, pixels: np.ndarray, **how: object) -> np.ndarray:
        missing = [(0, side - have) for side, have in zip(self.canvas, self.content, strict=True)]
        missing += [(0, 0)] * (pixels.ndim - len(missing))
        return np.pad(pixels, missing, **how) if any(after for _, after in missing) else pixels  # pyright: ignore


def geometry(native: tuple[int, ...], spacing: tuple[float, ...] | None, pixels: Pixels) -> Geometry:
    """What `preprocess` asks for: first the spacing, then the size.

    Raises SegError where the options do not fit the number of axes, no spacing is known, or a sample
    would grow beyond all measure.
    """
    found = _geometry(native, spacing, pixels)
    if math.prod(found.canvas) > max(MOST_PIXELS, math.prod(native)):
        raise SegError(
            f"preprocess: a sample of {native} pixels would grow to {found.canvas}, more than {MOST_PIXELS:,} pixels; "
            "ask for a smaller image_size or a coarser spacing, or correct the spacing in the sample's header"
        )
    return found


def _geometry(native: tuple[int, ...], spacing: tuple[float, ...] | None, pixels: Pixels) -> Geometry:
    spaced = _respaced(native, spacing, pixels)
    if pixels.resize == "native":
        return Geometry(native, spaced, spaced)
    if isinstance(pixels.image_size, float):
        scaled = tuple(max(1, round(side * pixels.image_size)) for side in spaced)
        return Geometry(native, scaled, scaled)
    try:
        canvas = pixels.sides(len(native))
    except ValueError as error:
        raise SegError(str(error)) from None
    assert canvas
    if pixels.resize == "stretch":
        return Geometry(native, canvas, canvas)
    scale = min(side / have for side, have in zip(canvas, spaced, strict=True))
    return Geometry(native, tuple(max(1, round(have * scale)) for have in spaced), canvas)


def _respaced(native: tuple[int, ...], spacing: tuple[float, ...] | None, pixels: Pixels) -> tuple[int, ...]:
    if not pixels.spacing:
        return native
    if spacing is None or len(pixels.spacing) != len(native):
        raise SegError(
            f"preprocess.spacing: {pixels.spacing} mm is asked for, but the samples have {len(native)} axes "
            f"and {'no known' if spacing is None else 'a'} spacing; set preprocess.spacing: []"
        )
    return tuple(
        max(1, round(min(side * have / want, 2.0 * MOST_PIXELS)))
        for side, have, want in zip(native, spacing, pixels.spacing, strict=True)
    )


def resize_image(image: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Resize [*shape, channels].

    Raises SegError where OpenCV cannot, such as for want of memory.
    """
    if image.shape[:-1] == shape:
        return image
    if len(shape) == 2:
        return _resize_plane(image, (shape[0], shape[1]))
    planes = np.stack([_resize_plane(plane, (shape[1], shape[2])) for plane in image])
    upright = planes.transpose(1, 0, 2, 3)  # the first axis becomes the height of planes
    return np.stack([_resize_plane(plane, (shape[0], shape[2])) for plane in upright], axis=1)


def resize_mask(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Resize mask values by the nearest pixel."""
    if mask.shape == shape:
        return mask
    if len(shape) == 2:
        return cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    for axis, side in enumerate(shape):
        nearest = ((np.arange(side) + 0.5) * mask.shape[axis] / side).astype(int)
        mask = mask.take(nearest, axis)
    return mask


def _resize_plane(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    if image.shape[:2] == shape:
        return image
    if image.shape[2] > MOST_CHANNELS:
        parts = np.split(image, range(MOST_CHANNELS, image.shape[2], MOST_CHANNELS), axis=2)
        return np.concatenate([_resize_plane(part, shape) for part in parts], axis=2)
    shrunk = min(shape[0], image.shape[0]), min(shape[1], image.shape[1])
    if shrunk not in (shape, image.shape[:2]):
        return _resize_plane(_resize_plane(image, shrunk), shape)
    how = cv2.INTER_AREA if shrunk == shape else cv2.INTER_LINEAR
    try:
        resized = cv2.resize(np.ascontiguousarray(image), shape[::-1], interpolation=how)
    except cv2.error as error:
        raise SegError(f"{image.shape} pixels cannot be resized to {shape}: {last_line(error)}; cut it up") from None
    return resized.reshape(*shape, image.shape[2])
