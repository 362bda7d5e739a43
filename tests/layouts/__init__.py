"""Small data sets in the layouts in which they are published; `build` of each file writes one."""

from pathlib import Path

import cv2
import numpy as np


def disc(seed: int, height: int = 40, width: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """A noisy RGB picture of a bright disc, and the disc as a mask of 0 and 1."""
    random = np.random.default_rng(seed)
    mask = np.zeros((height, width), np.uint8)
    centre = (int(random.integers(12, width - 12)), int(random.integers(12, height - 12)))
    cv2.circle(mask, centre, int(random.integers(6, 10)), 1, -1)
    image = random.integers(0, 90, (height, width, 3)) + 150 * mask[:, :, None]
    return image.astype(np.uint8), mask


def save(path: Path, pixels: np.ndarray) -> None:
    """Write RGB, RGBA or grey pixels in the format that the file's name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    stored = cv2.cvtColor(pixels, order[pixels.shape[2]]) if pixels.ndim == 3 else pixels
    done, content = cv2.imencode(path.suffix, stored)
    assert done
    path.write_bytes(content.tobytes())
