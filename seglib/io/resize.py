"""The one way in which pixels change their number: for the cache, evaluation and prediction."""

import cv2
import numpy as np


def target_shape(height: int, width: int, image_size: int | float | list[int]) -> tuple[int, int]:
    """The (height, width) that `preprocess.image_size` asks for: a side, [height, width], or a scale."""
    if isinstance(image_size, list):
        return image_size[0], image_size[1]
    if isinstance(image_size, int):
        return image_size, image_size
    return max(1, round(height * image_size)), max(1, round(width * image_size))


def resize_image(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Resize [height, width, channels]: area average where it shrinks, else bilinear."""
    if image.shape[:2] == shape:
        return image
    shrinks = shape[0] * shape[1] < image.shape[0] * image.shape[1]
    resized = cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized.reshape(*shape, image.shape[2])


def resize_mask(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Resize class indices [height, width] by the nearest pixel, so that no class appears anew."""
    if mask.shape == shape:
        return mask
    return cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)


def resize_probabilities(probabilities: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Resize float32 [classes, height, width] bilinearly, class by class."""
    if probabilities.shape[1:] == shape:
        return probabilities
    return np.stack([cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_LINEAR) for plane in probabilities])
