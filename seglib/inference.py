"""From an image at its own size to probabilities and a mask, by one model or several."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from seglib.checkpoint import Card
from seglib.errors import SegError
from seglib.io.resize import Geometry, geometry, resize_mask
from seglib.mask_values import HALF, has_threshold, mask_of
from seglib.postprocessing import Changes, clean
from seglib.sections.pixels import Pixels
from seglib.sections.predict import Predict
from seglib.sliding_window import sliding_logits
from seglib.test_time import mean, scaled, views


@dataclass(frozen=True)
class Prediction:
    """Probabilities of one image, float32 [planes, *shape], at two sizes."""

    model_size: np.ndarray
    """As the network was trained to see the image, without padding."""
    own_size: np.ndarray
    """Resized to the image's own shape."""

    def truth_at_model_size(self, truth: np.ndarray) -> np.ndarray:
        """Mask values of the image's own shape, brought to that of `model_size`."""
        return resize_mask(truth, self.model_size.shape[1:])


class Predictor:
    """Models that predict together, and how."""

    def __init__(
        self, models: Sequence[Callable[[Tensor], Tensor]], card: Card, settings: Predict, device: torch.device
    ) -> None:
        """`models`: raw values on the device to logits; `card`: what they have in common.

        Raises SegError for settings that do not go with it.
        """
        if found := list(_misfits(card, settings)):
            raise SegError("\n".join(found))
        self.models = models
        self.card, self.settings, self.device = card, settings, device
        self.pixels = Pixels.model_validate(card.pixels)
        self.views = views(card.dims, flips=settings.flips, rotations=settings.rotations)

    def predict(self, image: np.ndarray, spacing: tuple[float, ...] | None) -> Prediction:
        """Find the probabilities of an image [*shape, channels], whose intensities are clipped as for training.

        It is resized as for training; the probabilities are means over models, views and scales. Raises
        SegError where the image does not go with the geometry of training.
        """
        return self.predict_together([image], geometry(image.shape[:-1], spacing, self.pixels))[0]

    def predict_together(self, images: Sequence[np.ndarray], shape: Geometry) -> list[Prediction]:
        """As `predict`, of images of one type and native shape, which pass the network as one batch."""
        return [Prediction(found, shape.back(found)) for found in self.at_model_size(images, shape)]

    @torch.inference_mode()
    def at_model_size(self, images: Sequence[np.ndarray], shape: Geometry) -> np.ndarray:
        """The probabilities before they are resized back, float32 [images, planes, *content]."""
        return mean(self._at_scale(images, shape, factor) for factor in self.settings.scales)

    def mask(self, probabilities: np.ndarray, threshold: float) -> tuple[np.ndarray, Changes]:
        """Mask values, uint8 [*shape], of probabilities at the image's own size, and what post-processing changed."""
        return self.clean(mask_of(probabilities, self.card.head, threshold))

    def clean(self, mask: np.ndarray) -> tuple[np.ndarray, Changes]:
        """Post-process mask values, uint8 [*shape], and tell what that changed."""
        return clean(mask, self.card.head, self.settings.min_pixels, self.settings.fill_holes)

    def _at_scale(self, images: Sequence[np.ndarray], shape: Geometry, factor: float) -> np.ndarray:
        """Probabilities of the images seen at a scale, float32 [images, planes, *content] of the shape at scale 1."""
        seen = scaled(shape, factor)
        raw = np.ascontiguousarray(np.stack([np.moveaxis(seen.image(image), -1, 0) for image in images]))
        batch = torch.from_numpy(raw).to(self.device).float()
        found = mean(view.undo(self._probabilities(view.apply(batch))) for view in self.views).cpu().numpy()
        back = replace(seen, native=shape.content).back
        return np.stack([back(each) for each in found])

    def _probabilities(self, images: Tensor) -> Tensor:
        """The mean over the models, float32 [batch, planes, *space]."""
        window, overlap = self.pixels.crop(self.card.dims), self.settings.overlap
        each = (sliding_logits(model, images, window, overlap) for model in self.models)
        return mean(self.card.head.probabilities(logits) for logits in each)


def _misfits(card: Card, settings: Predict) -> Iterator[str]:
    if settings.threshold != HALF and not has_threshold(card.head):
        yield (
            f"predict.threshold: {settings.threshold}, but a softmax head of {card.head.classes} classes takes the "
            "most probable one, which needs no threshold; set 0.5, or train with model.head: sigmoid"
        )
    if not card.padding and any(factor != 1 for factor in settings.scales):
        yield (
            f"predict.scales: {settings.scales}, but the model was trained with model.padding: false and takes its own "
            "size only; set [1.0], or train with model.padding: true"
        )
