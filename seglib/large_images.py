"""Images too large to be seen at once, or for their probabilities to be held: windows over them, in bands."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor

from seglib.bands import blended_bands, resized_bands
from seglib.errors import SegError
from seglib.inference import Predictor
from seglib.intensity import Intensity, Limits
from seglib.io.resize import Geometry
from seglib.test_time import View, mean

AT_ONCE = 1 << 23
"""Pixels, or voxels, up to which a model that knows no fixed image size sees an image at once."""
TILES = {2: 1024, 3: 128}
"""Number of axes → side of the windows in which it sees a larger one."""
MOST_VALUES = 1 << 26
"""Probabilities, of all planes, up to which those of an image are held whole: 256 MiB."""


class LargeImages:
    """Predicts as `Predictor` does, and never holds the probabilities of a whole image.

    A model of fixed image size sees the whole image at that size, whatever that of the image; one that was trained
    on crops sees windows of that size; one that takes images at their own scale sees windows beyond AT_ONCE.
    """

    def __init__(self, predictor: Predictor, intensity: Intensity) -> None:
        self.predictor, self.intensity = predictor, intensity
        self.dims, self.head = predictor.card.dims, predictor.card.head

    def is_large(self, shape: Geometry) -> bool:
        """Whether an image is better left to `bands`."""
        values = self.head.planes * max(math.prod(shape.native), math.prod(shape.content))
        return values > MOST_VALUES or self._tile(shape) is not None

    def bands(self, image: np.ndarray, limits: Limits | None, shape: Geometry) -> Iterator[np.ndarray]:
        """The probabilities at the image's own size, float32 [planes, rows, *rest] one band after the other.

        `image`: raw values [*shape, channels], which become those between the limits. Raises SegError for other
        scales than 1 in windows.
        """
        own_scale, settings = shape.content == shape.native, self.predictor.settings
        window = self._tile(shape) or self.predictor.pixels.crop(self.dims)
        if window is None or all(side <= most for side, most in zip(shape.content, window, strict=True)):
            found = iter(self.predictor.at_model_size([self.intensity.apply(image, limits)], shape))
        elif settings.scales != [1.0]:
            raise SegError(
                f"predict.scales: {settings.scales}, but an image of {shape.content} pixels is seen in windows, at one "
                "scale; set [1.0]"
            )
        elif own_scale:
            found = self._windows(image, limits, window)
        else:
            found = self._windows(shape.image(self.intensity.apply(image, limits)), None, window)
        return found if own_scale else resized_bands(found, shape.content[0], shape.native)

    def _tile(self, shape: Geometry) -> tuple[int, ...] | None:
        """The window of a model that has none of its own, where the image is too large to be seen at once."""
        takes_any_size = isinstance(self.predictor.pixels.image_size, float)
        is_beyond = takes_any_size and math.prod(shape.content) > AT_ONCE
        return (TILES[self.dims],) * self.dims if is_beyond else None

    def _windows(self, image: np.ndarray, limits: Limits | None, window: tuple[int, ...]) -> Iterator[np.ndarray]:
        """Means over models and views; each window is mirrored and turned for itself."""
        looks = [
            partial(self._look, model, view, limits) for view in self.predictor.views for model in self.predictor.models
        ]
        bands = (blended_bands(look, image, window, self.predictor.settings.overlap) for look in looks)
        for same in zip(*bands, strict=True):
            yield mean(self.head.probabilities(logits[None])[0] for logits in same).numpy()

    @torch.inference_mode()
    def _look(self, model: Callable[[Tensor], Tensor], view: View, limits: Limits | None, window: np.ndarray) -> Tensor:
        """Logits [planes, *window] of raw values [*window, channels]."""
        raw = np.ascontiguousarray(np.moveaxis(self.intensity.apply(window, limits), -1, 0))
        batch = torch.from_numpy(raw)[None].to(self.predictor.device).float()
        return view.undo(model(view.apply(batch)))[0].float().cpu()
