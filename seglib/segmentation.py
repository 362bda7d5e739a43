"""From the raw values of any picture or volume to its mask: what `seg predict` and `seg serve` share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seglib.errors import SegError
from seglib.inference import Predictor
from seglib.intensity import Intensity, Limits
from seglib.io.resize import Geometry, geometry
from seglib.io.volumes import AXES, Take, slice_spacing, upright_slices
from seglib.large_images import LargeImages
from seglib.mask_values import mask_of
from seglib.postprocessing import clean

Spacing = tuple[float, ...] | None
"""Extent of a pixel along each axis in mm, where it is known."""


@dataclass(frozen=True)
class Segmented:
    """What was found in an image."""

    mask: np.ndarray
    """Mask values, uint8 [*shape]."""
    probabilities: np.ndarray | None
    """float32 [planes, *shape], where they are asked for."""


class Segmentation:
    """Finds masks as evaluation does, of images of any size.

    Beyond the image and its mask a large image takes memory for a band as wide as it and as high as a window, and no
    more for more rows; but probabilities that are asked for, post-processing, and the intensities of volumes are held
    whole.
    """

    def __init__(self, predictor: Predictor, threshold: float, batch: int = 1) -> None:
        """`batch`: slices of a volume that pass the network together."""
        self.predictor, self.threshold, self.batch = predictor, threshold, batch
        self.card = predictor.card
        self.intensity = Intensity(self.card.spec, predictor.pixels)
        self._large = LargeImages(predictor, self.intensity)
        take = self.card.dataset["take"]
        self._take: Take = take if take in AXES else "axial"

    def segment(self, image: np.ndarray, spacing: Spacing, *, keep: bool = False) -> Segmented:
        """Segment raw values [*shape, channels], arranged as those of a sample; `keep` the probabilities.

        A model of slices sees a volume slice by slice, along the axis that it was trained on; one of pictures along
        the first. Raises SegError where the image does not go with the model.
        """
        if image.ndim - 1 <= self.card.dims:
            return self.segment_together([image], spacing, keep=keep)[0]
        self._check(image)
        return self._slice_by_slice(image, spacing, keep=keep)

    def segment_together(
        self, images: Sequence[np.ndarray], spacing: Spacing, *, keep: bool = False
    ) -> list[Segmented]:
        """As `segment`, of images of one type and shape with as many axes as the model has, in one batch."""
        for image in images:
            self._check(image)
        return self._segment(images, None, spacing, keep=keep)

    def _check(self, image: np.ndarray) -> None:
        extent, channels = "×".join(map(str, image.shape[:-1][::-1])), self.card.spec.channels
        if image.ndim - 1 < self.card.dims:
            raise SegError(
                f"an image of {extent} pixels, but the model was trained on volumes; give it a volume, or choose a "
                "model of pictures or slices"
            )
        if image.shape[-1] != channels:
            raise SegError(
                f"an image of {image.shape[-1]} channels ({extent}), but the model was trained on {channels}; convert "
                "it, or choose the model that was trained on such images"
            )

    def _slice_by_slice(self, image: np.ndarray, spacing: Spacing, *, keep: bool) -> Segmented:
        """Intensities are limited as those of the whole volume."""
        mask, limits = np.empty(image.shape[:-1], np.uint8), self.intensity.limits_of(image)
        maps = self._maps(mask.shape) if keep else None
        seen, masks = (upright_slices(each, self._take) for each in (image, mask))
        planes = None if maps is None else upright_slices(np.moveaxis(maps, 0, -1), self._take)
        extent = spacing and slice_spacing(spacing, self._take)
        for start in range(0, len(seen), self.batch):
            slices = [np.ascontiguousarray(each) for each in seen[start : start + self.batch]]
            for place, found in enumerate(self._segment(slices, limits, extent, keep=keep), start):
                masks[place] = found.mask
                if planes is not None and found.probabilities is not None:
                    planes[place] = np.moveaxis(found.probabilities, 0, -1)
        return Segmented(mask, maps)

    def _segment(
        self, images: Sequence[np.ndarray], limits: Limits | None, spacing: Spacing, *, keep: bool
    ) -> list[Segmented]:
        """All with the same limits, or each with its own where these are None."""
        shape = geometry(images[0].shape[:-1], spacing, self.predictor.pixels)
        if self._large.is_large(shape):
            return [self._in_bands(image, limits, shape, keep=keep) for image in images]
        clipped = [self.intensity.apply(image, limits or self.intensity.limits_of(image)) for image in images]
        found = [each.own_size for each in self.predictor.predict_together(clipped, shape)]
        return [Segmented(self.predictor.mask(each, self.threshold)[0], each if keep else None) for each in found]

    def _in_bands(self, image: np.ndarray, limits: Limits | None, shape: Geometry, *, keep: bool) -> Segmented:
        head, settings = self.card.head, self.predictor.settings
        mask, row = np.empty(shape.native, np.uint8), 0
        maps = self._maps(shape.native) if keep else None
        for band in self._large.bands(image, limits or self.intensity.limits_of(image), shape):
            rows = slice(row, row + band.shape[1])
            mask[rows] = mask_of(band, head, self.threshold)
            if maps is not None:
                maps[:, rows] = band
            row = rows.stop
        return Segmented(clean(mask, head, settings.min_pixels, settings.fill_holes)[0], maps)

    def _maps(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.empty((self.card.head.planes, *shape), np.float32)
