"""Augmentation: the only file that knows albumentations."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from seglib.errors import SegError, nearest

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
import albumentations

RENAMED = {"image_size": "size"}
"""Options whose own name DVC's run cache would ignore → albumentations' name."""


class Augmenter:
    """Applies a preset's transforms to image and mask alike; the seed decides, nothing else."""

    def __init__(self, entries: Sequence[dict[str, dict[str, Any]]]) -> None:
        """Build the transforms; raises SegError for unknown ones or wrong options."""
        self._compose = albumentations.Compose([_transform(name, kw) for e in entries for name, kw in e.items()])

    def __call__(self, image: np.ndarray, mask: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Transform uint8 [height, width, channels] and class indices [height, width]."""
        self._compose.set_random_seed(seed)
        result = self._compose(image=image, mask=mask)
        return result["image"], result["mask"]


def _transform(name: str, options: dict[str, Any]) -> albumentations.BasicTransform:
    kind = getattr(albumentations, name, None)
    if not (isinstance(kind, type) and issubclass(kind, albumentations.BasicTransform)):
        known = [key for key, value in vars(albumentations).items() if isinstance(value, type)]
        raise SegError(f"augment: albumentations {albumentations.__version__} has no '{name}'; {nearest(name, known)}")
    try:
        return kind(**{RENAMED.get(key, key): value for key, value in options.items()})
    except (TypeError, ValueError) as error:
        raise SegError(f"augment: {name}: {error}") from None
