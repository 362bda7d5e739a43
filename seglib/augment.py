"""Augmentation: the only file that knows albumentations."""

import inspect
import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from seglib.errors import SegError, nearest
from seglib.io.sample import IGNORE

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
        """Transform [height, width, channels] and mask values [height, width]; what comes in from outside is ignored.

        What is not uint8 is scaled to 0..1 between its least and its largest value for the transforms, which
        know no other range, and comes back as float32 on its own scale.
        """
        self._compose.set_random_seed(seed)
        if image.dtype == np.uint8:
            result = self._compose(image=image, mask=mask)
            return result["image"], result["mask"]
        low, span = float(image.min()), max(float(image.max()) - float(image.min()), 1e-9)
        result = self._compose(image=((image.astype(np.float32) - low) / span), mask=mask)
        return result["image"] * np.float32(span) + np.float32(low), result["mask"]


def _transform(name: str, options: dict[str, Any]) -> albumentations.BasicTransform:
    base = albumentations.BasicTransform
    known = {
        key: kind for key, kind in vars(albumentations).items() if isinstance(kind, type) and issubclass(kind, base)
    }
    if name not in known:
        raise SegError(f"augment: albumentations {albumentations.__version__} has no '{name}'; {nearest(name, known)}")
    renamed = {RENAMED.get(key, key): value for key, value in options.items()}
    if "fill_mask" in inspect.signature(known[name]).parameters:
        renamed.setdefault("fill_mask", IGNORE)
    try:
        with warnings.catch_warnings(action="error", category=UserWarning):  # so it tells of unknown options
            return known[name](**renamed)
    except (TypeError, ValueError, UserWarning) as error:
        raise SegError(f"augment: {name}: {error}") from None
