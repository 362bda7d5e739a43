"""The COVID-19 CT scans as Kaggle's archive unpacks."""

from pathlib import Path

import numpy as np

from tests.layouts import disc
from tests.layouts.msd import write

NAMES = {
    "coronacases_org_001": "coronacases_001",
    "coronacases_org_002": "coronacases_002",
    "coronacases_org_010": "coronacases_010",
    "radiopaedia_org_covid-19-pneumonia-10_85902_1-dcm": "radiopaedia_10_85902_1",
    "radiopaedia_org_covid-19-pneumonia-10_85902_3-dcm": "radiopaedia_10_85902_3",
    "radiopaedia_org_covid-19-pneumonia-4_85506_1-dcm": "radiopaedia_4_85506_1",
}
"""Name of the scan → name of its masks."""
FOLDERS = ("ct_scans", "lung_mask", "infection_mask", "lung_and_infection_mask")
AFFINE = np.diag([-0.7, 0.7, 1.5, 1])
HEADER = "ct_scan,lung_mask,infection_mask,lung_and_infection_mask"


def build(root: Path, *, nested: bool = False) -> dict[str, object]:
    """Six scans of two slices, two of them of one patient; `nested` puts each file into a folder of its name."""
    lines = [HEADER]
    for number, (scan, masks) in enumerate(NAMES.items()):
        for folder, voxels in zip(FOLDERS, chest(number, windowed="radiopaedia" in scan), strict=True):
            name = f"{scan if folder == 'ct_scans' else masks}.nii"
            write(root / folder / name / name if nested else root / folder / name, voxels, AFFINE)
        paths = [f"../input/covid19-ct-scans/ct_scans/{scan}.nii"]
        paths += [f"../input/covid19-ct-scans/{folder}/{masks}.nii" for folder in FOLDERS[1:]]
        lines.append(",".join(paths))
    (root / "metadata.csv").write_text("\n".join(lines) + "\n")
    return {"classes": "both", "take": "axial"}


def chest(seed: int, *, windowed: bool) -> tuple[np.ndarray, ...]:
    """Scan, lungs (1 left, 2 right), infection, and all three, [x, y, z]; infection is part of the lung."""
    lung = np.stack([disc(10 * seed + z)[1].T for z in range(2)], axis=2).astype(np.float64)
    infection = lung * (np.cumsum(lung, axis=1) > lung.sum(axis=1, keepdims=True) / 2)
    lung[lung.shape[0] // 2 :] *= 2
    noise = np.random.default_rng(seed).integers(-20, 20, lung.shape)
    scan = np.clip(40 - 890 * (lung > 0) + 400 * infection + noise, -1024, 3071).astype(np.int16)
    if windowed:
        scan = ((np.clip(scan, -1250, 250) + 1250) * (255 / 1500)).astype(np.uint8)
    return scan, lung, infection, np.where(infection > 0, 3, lung)
