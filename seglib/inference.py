"""From an image at its own size to class indices at its own size."""

import numpy as np
import torch

from seglib.checkpoint import Card, Segmenter
from seglib.io.resize import resize_image, resize_probabilities, target_shape


@torch.inference_mode()
def predict(segmenter: Segmenter, card: Card, image: np.ndarray, device: torch.device) -> np.ndarray:
    """Segment one image, uint8 [height, width, channels]: class indices, uint8 [height, width].

    The image is resized as for training, the probabilities are resized back.
    """
    height, width = image.shape[:2]
    resized = resize_image(image, target_shape(height, width, card.image_size))
    batch = torch.from_numpy(np.ascontiguousarray(resized.transpose(2, 0, 1)))[None].to(device)
    probabilities = segmenter(batch).float().softmax(1)[0].cpu().numpy()
    return resize_probabilities(probabilities, (height, width)).argmax(0).astype(np.uint8)
