"""From an image at its own size to a mask at its own size."""

import numpy as np
import torch

from seglib.checkpoint import Card, Segmenter
from seglib.head import Head
from seglib.io.planes import merge_planes
from seglib.io.resize import geometry
from seglib.sections.pixels import Pixels
from seglib.sliding_window import sliding_logits


@torch.inference_mode()
def predict(
    segmenter: Segmenter, card: Card, image: np.ndarray, spacing: tuple[float, ...] | None, device: torch.device
) -> np.ndarray:
    """Segment one image [*shape, channels]: mask values, uint8 [*shape].

    The image, whose intensities are clipped as for training, is resized as for training, and the
    probabilities are resized back.
    """
    pixels = Pixels.model_validate(card.pixels)
    shape = geometry(image.shape[:-1], spacing, pixels)
    batch = torch.from_numpy(np.ascontiguousarray(np.moveaxis(shape.image(image), -1, 0)))[None].to(device)
    logits = sliding_logits(segmenter, batch, pixels.crop(card.dims))
    return mask_of(shape.back(card.head.probabilities(logits)[0].cpu().numpy()), card.head)


def mask_of(probabilities: np.ndarray, head: Head) -> np.ndarray:
    """Mask values, uint8 [*shape], from probabilities [planes, *shape]; a sigmoid's count from one half."""
    if head.overlapping:
        return merge_planes(probabilities > 0.5)
    best = probabilities.argmax(0).astype(np.uint8)
    return np.where(probabilities.max(0) > 0.5, best + 1, 0).astype(np.uint8) if head.sigmoid else best
