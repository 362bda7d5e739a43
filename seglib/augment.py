"""Augmentation: the only file that knows albumentations."""

import os
import warnings
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
    base = albumentations.BasicTransform
    known = {
        key: kind for key, kind in vars(albumentations).items() if isinstance(kind, type) and issubclass(kind, base)
    }
    if name not in known:
        raise SegError(f"augment: albumentations {albumentations.__version__} has no '{name}'; {nearest(name, known)}")
    try:
        with warnings.catch_warnings(action="error", category=UserWarning):  # so it tells of unknown options
            return known[name](**{RENAMED.get(key, key): value for key, value in options.items()})
    except (TypeError, ValueError, UserWarning) as error:
        raise SegError(f"augment: {name}: {error}") from None
