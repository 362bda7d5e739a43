"""From an image at its own size to a mask at its own size."""

import numpy as np
import torch

from seglib.checkpoint import Card, Segmenter
from seglib.io.planes import merge_planes
from seglib.io.resize import geometry
from seglib.sections.pixels import Pixels


@torch.inference_mode()
def predict(
    segmenter: Segmenter, card: Card, image: np.ndarray, spacing: tuple[float, ...] | None, device: torch.device
) -> np.ndarray:
    """Segment one image [height, width, channels]: mask values, uint8 [height, width].

    The image, whose intensities are clipped as for training, is resized as for training, and the
    probabilities are resized back.
    """
    shape = geometry(image.shape[:-1], spacing, Pixels.model_validate(card.pixels))
    batch = torch.from_numpy(np.ascontiguousarray(shape.image(image).transpose(2, 0, 1)))[None].to(device)
    logits = segmenter(batch).float()
    if card.overlapping:
        return merge_planes(shape.back(logits.sigmoid()[0].cpu().numpy()) > 0.5)
    return shape.back(logits.softmax(1)[0].cpu().numpy()).argmax(0).astype(np.uint8)
