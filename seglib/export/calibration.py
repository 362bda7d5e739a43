"""The images that 8-bit values are calibrated on, and that models are timed with."""

from collections.abc import Iterable, Mapping

import numpy as np

from seglib.checkpoint import Card
from seglib.io.cache import Tensors
from seglib.sections.pixels import Pixels
from seglib.seeding import unit_interval


def calibration_images(cache: Mapping[str, Tensors], ids: Iterable[str], card: Card, number: int) -> list[np.ndarray]:
    """Raw images [channels, *space] as the network sees them, so many of the ids, by the hashes of their names.

    Where training cuts windows out of images, of each the window in its middle.
    """
    chosen = sorted(ids, key=lambda name: (unit_interval("calibration", name), name))[:number]
    window = Pixels.model_validate(card.pixels).crop(card.dims)
    return [_middle(cache[name]["image"].numpy(), window) for name in chosen]


def _middle(image: np.ndarray, window: tuple[int, ...] | None) -> np.ndarray:
    """A copy, for the cache is memory-mapped."""
    starts = [max(have - want, 0) // 2 for have, want in zip(image.shape[1:], window or image.shape[1:], strict=True)]
    within = [slice(start, start + want) for start, want in zip(starts, window or image.shape[1:], strict=True)]
    return np.array(image[:, *within])
