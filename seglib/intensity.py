"""Which values an image is clipped to, by modality: Hounsfield window for CT, percentiles for MRI and PET."""

from dataclasses import dataclass, field

import numpy as np

from seglib.io.sample import Sample, Spec
from seglib.sections.pixels import Pixels

Limits = tuple[list[float], list[float]]
"""The least and the largest value, one for all channels or one for each."""
NARROWEST = 1e-12
"""Least distance of the limits, so that no value overflows where both are the same."""


@dataclass(frozen=True)
class Intensity:
    """Clips and scales the images of one data set.

    CT keeps its Hounsfield units, clipped to `preprocess.window`. An MRI or PET image of more than 8 bits
    becomes float32 in 0..1 between `preprocess.percentiles` of its volume, since its scanner's scale
    means nothing. Everything else stays as it is.
    """

    spec: Spec
    pixels: Pixels
    _of_volume: dict[str, Limits] = field(default_factory=dict)

    def limits(self, sample: Sample, image: np.ndarray) -> Limits | None:
        """The values that a sample is clipped to; None where it is left alone."""
        if not self._has_percentiles(image):
            return self._window
        key = (sample.volume if sample.whole else None) or sample.id
        if key not in self._of_volume:
            self._of_volume[key] = self._percentiles(sample.whole() if sample.whole else image)
        return self._of_volume[key]

    def limits_of(self, image: np.ndarray) -> Limits | None:
        """The same for a picture, or for a whole volume and all its slices, that is no sample."""
        return self._percentiles(image) if self._has_percentiles(image) else self._window

    def apply(self, image: np.ndarray, limits: Limits | None) -> np.ndarray:
        """Clip to the limits, and scale where the modality has no unit."""
        if limits is None:
            return image
        if self.spec.modality == "ct":
            return np.clip(image, *_in_range(image, limits[0][0], limits[1][0]))
        low, high = (np.array(values, np.float32) for values in limits)
        return np.clip((image.astype(np.float32) - low) / np.maximum(high - low, np.float32(NARROWEST)), 0, 1)

    @property
    def _window(self) -> Limits | None:
        if self.spec.modality != "ct":
            return None
        return [self.pixels.window[0]], [self.pixels.window[1]]

    def _has_percentiles(self, image: np.ndarray) -> bool:
        return self.spec.modality in ("mri", "pet") and image.dtype != np.uint8

    def _percentiles(self, values: np.ndarray) -> Limits:
        """Of each channel of [*shape, channels]."""
        low, high = np.percentile(values.reshape(-1, values.shape[-1]), self.pixels.percentiles, axis=0)
        return low.tolist(), high.tolist()


def _in_range(image: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Limits that the image's own type can hold, so that clipping keeps the type."""
    if image.dtype == np.float32:
        return low, high
    most = np.iinfo(image.dtype)
    return min(max(int(low), most.min), most.max), min(max(int(high), most.min), most.max)
