"""Own data in each of the layouts that people keep it in."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import SimpleITK

from tests.layouts import disc, save

OPTIONS: dict[str, Any] = {
    "channels": 3,
    "classes": [{"name": "background", "value": 0}, {"name": "foreground", "value": 255}],
    "overlapping": False,
    "group": "",
    "modality": "photograph",
    "take": "axial",
}
IDS = tuple(f"patient{i // 2}_{i}" for i in range(10))
PALETTE = [0, 0, 0, 128, 0, 0, 0, 128, 0, *[224, 224, 192] * 253]
SUFFIXES = (".png", ".PNG", ".tif", ".bmp", ".webp")


def build(root: Path) -> dict[str, object]:
    """Ten pairs of five patients in files of several types; every other mask has `_mask` behind its name."""
    for i, case in enumerate(IDS):
        image, mask = disc(i)
        save(root / "images" / f"{case}{SUFFIXES[i % 5]}", image)
        save(root / "masks" / f"{case}{'_mask' * (i % 2)}.png", mask * 255)
    (root / "images/Thumbs.db").write_bytes(b"windows")
    (root / "masks/.DS_Store").write_bytes(b"mac")
    return {**OPTIONS, "group": r"^(patient\d+)_"}


def build_a_mask_a_class(root: Path) -> dict[str, object]:
    """A folder of masks for each of two classes that overlap; one image shows none of them, one only one."""
    for i, case in enumerate(IDS):
        image, mask = disc(i)
        save(root / "images" / f"{case}.jpg", image)
        if i != 3:
            save(root / "masks/organ" / f"{case}.png", mask * 255)
        if i not in (3, 4):
            save(root / "masks/tumour" / f"{case}_mask.jpg", cv2.erode(mask, np.ones((5, 5), np.uint8)) * 255)
    return {**OPTIONS, "classes": [{"name": name} for name in ("background", "organ", "tumour")], "overlapping": True}


def build_lists(root: Path) -> dict[str, object]:
    """Lists of pairs as PaddleSeg reads them, one with tabs, for masks of indices in a palette."""
    lines: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for i, case in enumerate(IDS):
        image, mask = disc(i)
        save(root / "cells/images" / f"{case}.jpg", image)
        save_palette(root / "cells/labels" / f"{case}.png", mask)
        side = ("train", "val", "test", "train", "train")[i // 2]
        lines[side].append(("\t" if side == "val" else " ").join((f"images/{case}.jpg", f"labels/{case}.png")))
    for side, pairs in lines.items():
        (root / "cells" / f"{side}.txt").write_text("\n".join(pairs) + "\n")
    return {**OPTIONS, "classes": [{"name": "background", "value": 0}, {"name": "cell", "value": 1}]}


def build_sides(root: Path) -> dict[str, object]:
    """`train/images`, `train/masks` and the same for the other sides, with the same names; masks in colour."""
    for i, side in enumerate(("train", "valid", "test")):
        for k in range(3):
            image, mask = disc(3 * i + k)
            save(root / side / "imgs" / f"{k}.png", image[:, :, 0])
            save(root / side / "label" / f"{k}.png", np.array([[0, 0, 0], [128, 0, 64]], np.uint8)[mask])
    classes = [{"name": "background", "colour": [0, 0, 0]}, {"name": "wall", "colour": [128, 0, 64]}]
    return {**OPTIONS, "classes": classes, "channels": 1}


def build_volumes(root: Path) -> dict[str, object]:
    """Four CT volumes as 3D Slicer and ITK write them, in Hounsfield units."""
    for i in range(4):
        planes = [disc(10 * i + k) for k in range(3)]
        image = np.stack([plane[:, :, 0] for plane, _ in planes]).astype(np.int16) * 10 - 1000
        mask = np.stack([plane for _, plane in planes])
        names = [("scan{}.nrrd", "scan{}.seg.nrrd"), ("scan{}.mha", "scan{}-label.mha")][i % 2]
        save_volume(root / "images" / names[0].format(i), image)
        save_volume(root / "masks" / names[1].format(i), mask)
    return {
        **OPTIONS,
        "channels": 1,
        "classes": [{"name": "background", "value": 0}, {"name": "lesion", "value": 1}],
        "modality": "ct",
    }


def save_palette(path: Path, indices: np.ndarray) -> None:
    """Write a PNG of indices whose palette has colours."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.frombytes("P", indices.shape[::-1], indices.astype(np.uint8).tobytes())
    image.putpalette(PALETTE)
    image.save(path)


def save_volume(
    path: Path, voxels: np.ndarray, spacing: tuple[float, ...] = (0.5, 0.7, 3.0), direction: tuple[float, ...] = ()
) -> None:
    """Write [z, y, x] voxels through SimpleITK."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = SimpleITK.GetImageFromArray(voxels)
    image.SetSpacing(spacing[: image.GetDimension()])
    image.SetOrigin((10.0, -20.0, 30.0)[: image.GetDimension()])
    if direction:
        image.SetDirection(direction)
    SimpleITK.WriteImage(image, str(path), useCompression=True)
