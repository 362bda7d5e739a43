"""Augmentation of volumes: MONAI's random array transforms, by the names that it gives them."""

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import torch
from monai import transforms
from torch import Tensor

from seglib.errors import SegError, nearest
from seglib.io.sample import IGNORE
from seglib.sections.augment import Entry, check_probability

INTENSITY = (
    "RandAdjustContrast",
    "RandBiasField",
    "RandCoarseDropout",
    "RandGaussianNoise",
    "RandGaussianSharpen",
    "RandGaussianSmooth",
    "RandGibbsNoise",
    "RandHistogramShift",
    "RandRicianNoise",
    "RandScaleIntensity",
    "RandScaleIntensityFixedMean",
    "RandShiftIntensity",
    "RandSimulateLowResolution",
    "RandStdShiftIntensity",
)
"""Applied to the image alone."""
MASK_OPTIONS: dict[str, dict[str, Any]] = {
    "RandAffine": {"mode": "nearest", "padding_mode": "zeros"},
    "RandAxisFlip": {},
    "RandFlip": {},
    "RandGridDistortion": {"mode": "nearest", "padding_mode": "zeros"},
    "RandRotate": {"mode": "nearest", "padding_mode": "zeros"},
    "RandRotate90": {},
    "RandZoom": {"mode": "nearest-exact", "padding_mode": "constant"},
}
"""Applied to image and mask: options for the mask, whose outside becomes 0.

Not Rand3DElastic: half a second a volume, and its last digits depend on the number of threads.
"""
BORDER = {"RandZoom": "edge"}
"""How MONAI calls the repeated border, where it is not `border`."""


class _Transform(Protocol):
    def __call__(self, img: Tensor, *, randomize: bool = True, **options: Any) -> Tensor: ...

    def set_random_state(self, seed: int) -> object: ...


class _Step(NamedTuple):
    name: str
    transform: _Transform


class VolumeAugmenter:
    """Applies a preset's transforms to volume and mask alike; the seed decides, nothing else."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        """Build the transforms; raises SegError for unknown ones or wrong options."""
        self._steps = [_Step(name, _transform(name, options)) for entry in entries for name, options in entry.items()]

    def __call__(self, image: np.ndarray, mask: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Transform [depth, height, width, channels] and mask values [depth, height, width].

        What comes in from outside is ignored; in the image it repeats the border. The transforms see values
        of 0..1: uint8 divided by 255, others between their least and their largest value. uint8 comes back
        as uint8, all else as float32 on its own scale. Raises SegError where a transform changes the extent.
        """
        low, span = (0.0, 255.0) if image.dtype == np.uint8 else (float(image.min()), max(float(np.ptp(image)), 1e-9))
        voxels = (torch.from_numpy(np.moveaxis(image, -1, 0).astype(np.float32)) - low) / span
        labels = torch.from_numpy(mask[None].astype(np.float32)) - IGNORE  # so that what is ignored is 0
        states = np.random.default_rng(seed).integers(2**32, size=len(self._steps))
        for step, state in zip(self._steps, states, strict=True):
            try:
                voxels, labels = _apply(step, int(state), voxels, labels)
            except (ValueError, TypeError, IndexError) as error:
                raise SegError(f"augment: {step.name}: {error}; change its options, or take it out") from None
        values = np.moveaxis(voxels.numpy(), 0, -1) * np.float32(span) + np.float32(low)
        if image.dtype == np.uint8:
            values = values.round().clip(0, 255).astype(np.uint8)
        return np.ascontiguousarray(values), (labels[0] + IGNORE).numpy().astype(np.uint8)


def _apply(step: _Step, state: int, voxels: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    step.transform.set_random_state(seed=state)
    moved = torch.as_tensor(step.transform(voxels))
    if moved.shape != voxels.shape:
        raise SegError(
            f"augment: {step.name} makes {_extent(moved)} voxels of {_extent(voxels)}; volumes must keep their "
            "extent: turn about axes of the same length, and leave out options that set a size"
        )
    if step.name in INTENSITY:
        return _plain(moved), labels
    followed = step.transform(labels, randomize=False, **MASK_OPTIONS[step.name])
    return _plain(moved), _plain(torch.as_tensor(followed))


def _plain(tensor: Tensor) -> Tensor:
    """Without the metadata that MONAI adds."""
    return tensor.as_tensor() if hasattr(tensor, "as_tensor") else tensor  # pyright: ignore[reportAttributeAccessIssue]


def _extent(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape[1:]))


def _transform(name: str, options: dict[str, Any]) -> _Transform:
    known = (*INTENSITY, *MASK_OPTIONS)
    if name not in known:
        raise SegError(f"augment: of MONAI's transforms for volumes, '{name}' is none; {nearest(name, known)}")
    kind = getattr(transforms, name)
    accepted = inspect.signature(kind).parameters
    if unknown := [key for key in options if key not in accepted]:
        raise SegError(f"augment: {name}: no option '{unknown[0]}'; {nearest(unknown[0], accepted)}")
    check_probability(options.get("prob", 1.0), f"augment: {name}.prob")
    border = {"padding_mode": BORDER.get(name, "border")} if "padding_mode" in accepted else {}
    try:
        return cast("_Transform", kind(**{**border, **options}))
    except (TypeError, ValueError) as error:
        raise SegError(f"augment: {name}: {error}") from None
