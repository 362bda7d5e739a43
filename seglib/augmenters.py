"""The augmentation that fits the data: albumentations for images, MONAI for volumes, neither before it is needed."""

from collections.abc import Callable, Sequence

import numpy as np

from seglib.errors import SegError
from seglib.sections.augment import Entry, misfits

Augmentation = Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]
"""(image [*space, channels], mask [*space], seed) → the same, transformed as the seed says."""


def augmenter(entries: Sequence[Entry], dims: int, channels: int, dtype: str = "uint8") -> Augmentation:
    """The preset's transforms, ready for samples of `dims` axes, so many channels and that type.

    Raises SegError where they are for images and the samples are volumes or the other way round, and where
    one is unknown, misconfigured, or does not take such images.
    """
    if misfit := misfits(entries, dims):
        raise SegError(f"augment: {misfit}")
    if dims == 3:
        from seglib.volume_augment import VolumeAugmenter

        return VolumeAugmenter(entries)
    from seglib.augment import Augmenter

    return Augmenter(entries, channels, dtype)
