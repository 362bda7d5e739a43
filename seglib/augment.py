"""Augmentation of images: the only file that knows albumentations."""

import inspect
import os
import random
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from seglib.errors import SegError, nearest
from seglib.io.sample import IGNORE
from seglib.sections.augment import NESTS, Entry, leaves

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
import albumentations
from albumentations import BaseCompose, BasicTransform

RENAMED = {"image_size": "size"}
"""Options whose own name DVC's run cache would ignore → albumentations' name."""
NEAREST = (0, 6)
"""OpenCV's interpolations that mix no values: nearest, and its exact form."""


class Augmenter:
    """Applies a preset's transforms to image and mask alike; the seed decides, nothing else."""

    def __init__(self, entries: Sequence[Entry], channels: int | None = None, dtype: str = "uint8") -> None:
        """Build the transforms for images of so many channels; None: of any.

        Raises SegError for unknown transforms, wrong options, and transforms that do not take such images.
        """
        self._compose = albumentations.Compose([_transform(name, kw) for e in entries for name, kw in e.items()])
        if channels is not None:
            _try_out(entries, channels, dtype)

    def __call__(self, image: np.ndarray, mask: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Transform [height, width, channels] and mask values [height, width]; what comes in from outside is ignored.

        What is not uint8 is scaled to 0..1 between its least and its largest value for the transforms, which
        know no other range, and comes back as float32 on its own scale.
        """
        # one stream for all transforms: `set_random_seed` would let each draw the same numbers
        self._compose.set_random_state(np.random.default_rng(seed), random.Random(seed))  # noqa: S311  (no secret)
        if image.dtype == np.uint8:
            result = self._run(image, mask)
            if result["image"].dtype != np.uint8:
                raise SegError(
                    f"augment: the transforms make {result['image'].dtype} of 8-bit images, as Normalize and ToFloat "
                    "do; normalising is the model's own part: take them out"
                )
            return result["image"], result["mask"]
        low, span = float(image.min()), max(float(image.max()) - float(image.min()), 1e-9)
        result = self._run((image.astype(np.float32) - low) / span, mask)
        return result["image"] * np.float32(span) + np.float32(low), result["mask"]

    def _run(self, image: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
        try:
            return self._compose(image=image, mask=mask)
        except Exception as error:  # a transform may raise anything
            if isinstance(error, MemoryError):
                raise
            raise SegError(f"augment: {type(error).__name__}: {error}; change the transform, or take it out") from None


class _CropToOwnExtent(albumentations.RandomResizedCrop):
    """Brings the crop of each image back to that image's own height and width."""

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        self.size = params["shape"][:2]
        return super().get_params_dependent_on_data(params, data)


class _TurnsThatFit(albumentations.RandomRotate90):
    """Turns images that are no square by 0 or 180 degrees only, so that a batch keeps its extent."""

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002  (the library calls it so)
        height, width = params["shape"][:2]
        return {"factor": params["factor"] if height == width else params["factor"] // 2 * 2}


@cache
def _known() -> dict[str, type[BasicTransform | BaseCompose]]:
    found: dict[str, type[BasicTransform | BaseCompose]] = {
        key: kind
        for key, kind in vars(albumentations).items()
        if isinstance(kind, type) and issubclass(kind, BasicTransform)
    }
    nests = {name: getattr(albumentations, name) for name in NESTS}
    return found | nests | {"RandomRotate90": _TurnsThatFit}


def _transform(name: str, options: dict[str, Any]) -> BasicTransform | BaseCompose:
    known = _known()
    if name not in known:
        raise SegError(f"augment: albumentations {albumentations.__version__} has no '{name}'; {nearest(name, known)}")
    kind, ready = known[name], {RENAMED.get(key, key): value for key, value in options.items()}
    if name in NESTS:
        ready["transforms"] = [_transform(inner, kw) for entry in options["transforms"] for inner, kw in entry.items()]
    if name == "RandomResizedCrop" and "size" not in ready:
        kind, ready["size"] = _CropToOwnExtent, (1, 1)
    _settle_masks(name, kind, ready)
    try:
        with warnings.catch_warnings(action="error", category=UserWarning):  # so it tells of unknown options
            return kind(**ready)
    except ZeroDivisionError:
        raise SegError(f"augment: {name}: p of its transforms are weights; one must be above 0") from None
    except (TypeError, ValueError, UserWarning) as error:
        raise SegError(f"augment: {name}: {error}") from None


def _settle_masks(name: str, kind: type, options: dict[str, Any]) -> None:
    """Geometry brings ignored pixels in from outside; dropout, whose default is None, leaves the mask."""
    default = inspect.signature(kind).parameters.get("fill_mask")
    if default is not None and default.default is not None:
        options.setdefault("fill_mask", IGNORE)
    if (wanted := options.get("mask_interpolation", NEAREST[0])) not in NEAREST:
        raise SegError(
            f"augment: {name}.mask_interpolation: {wanted} would mix mask values; leave it out, masks take the nearest"
        )


def _try_out(entries: Sequence[Entry], channels: int, dtype: str) -> None:
    """Raise SegError where a transform fails on such images that does not on colour ones of 8 bits."""
    for name, options in leaves(entries):
        transform = _transform(name, options | {"p": 1.0})
        if (refused := _failure(transform, channels, dtype)) and not _failure(transform, 3, "uint8"):
            raise SegError(
                f"augment: {name} does not take {dtype} images of {channels} channel{'s'[: channels != 1]} "
                f"({refused}); choose another augment.name, or take it out of the list"
            )


def _failure(transform: BasicTransform | BaseCompose, channels: int, dtype: str) -> str:
    """What a library says of any kind, warnings included, since it gives these where it leaves something out."""
    image = np.zeros((64, 64, channels), np.uint8 if dtype == "uint8" else np.float32)
    image[:32] = 1
    try:
        with warnings.catch_warnings(action="error"):
            albumentations.Compose([transform], seed=0)(image=image, mask=np.zeros((64, 64), np.uint8))
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""
