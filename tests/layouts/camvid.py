"""CamVid as SegNet's authors arranged it."""

from pathlib import Path

import numpy as np

from tests.layouts import disc, save

FRAMES = {
    "train": ("0001TP_006690", "0001TP_006870", "0006R0_f00930", "0006R0_f00960", "0016E5_00390"),
    "val": ("0016E5_07959", "0016E5_07961"),
    "test": ("0001TP_008550", "Seq05VD_f00000", "Seq05VD_f00030"),
}


def build(root: Path) -> dict[str, object]:
    """Ten frames of four drives, whose masks show every class and void; the lists have foreign folders."""
    for side, frames in FRAMES.items():
        for frame in frames:
            image, mask = disc(int(frame[-5:].strip("f")))
            save(root / "CamVid" / side / f"{frame}.png", image)
            save(root / "CamVid" / f"{side}annot" / f"{frame}.png", annotation(mask))
        lines = [f"/SegNet/CamVid/{side}/{frame}.png /SegNet/CamVid/{side}annot/{frame}.png\n" for frame in frames]
        (root / "CamVid" / f"{side}.txt").write_text("".join(lines))
    return {}


def annotation(mask: np.ndarray) -> np.ndarray:
    """A car before stripes of all twelve indices."""
    stripes = np.repeat(np.arange(12, dtype=np.uint8), mask.shape[1] // 12)
    return np.where(mask == 1, np.uint8(8), np.broadcast_to(stripes, mask.shape)).astype(np.uint8)
