"""Opens what a user names, for tests of what becomes of it."""

from pathlib import Path

import cv2
import numpy as np

from seglib.inputs import Input, Unread, open_inputs
from tests.model_cards import card

COLOUR, CT = card(), card(channels=1, modality="ct", types=["int16"])
PIXELS = np.random.default_rng(0).integers(0, 255, (6, 8, 3)).astype(np.uint8)
PNG = cv2.imencode(".png", PIXELS[..., ::-1])[1].tobytes()


def write(root: Path, *names: str, content: bytes = PNG) -> None:
    """Write files of the same content."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def opened(*paths: Path | str, to=COLOUR) -> tuple[list[str], dict[str, str]]:
    """Names of the inputs in their order, and name → reason of the others."""
    found = list(open_inputs([str(path) for path in paths], to))
    inputs = [item.name for item in found if isinstance(item, Input)]
    assert len(set(inputs)) == len(inputs)
    return inputs, {item.name: item.reason for item in found if isinstance(item, Unread)}


def depths(*paths: Path | str) -> dict[str, int]:
    """Name → slices of each volume."""
    found = list(open_inputs([str(path) for path in paths], CT))
    return {item.name: item.read().image.shape[0] for item in found if isinstance(item, Input)}
