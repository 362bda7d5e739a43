"""A task of the Medical Segmentation Decathlon, as its tar archive unpacks."""

import json
from pathlib import Path

import nibabel
import numpy as np

from tests.layouts import disc

NUMBERS = (1, 3, 4, 6, 7)
INDEX = {
    "name": "Hippocampus",
    "description": "Left and right hippocampus segmentation",
    "reference": " Vanderbilt University Medical Center",
    "licence": "CC-BY-SA 4.0",
    "relase": "1.0 04/05/2018",
    "tensorImageSize": "3D",
    "modality": {"0": "MRI"},
    "labels": {"0": "background", "1": "Anterior", "2": "Posterior"},
}


def build(root: Path) -> dict[str, object]:
    """Five volumes of two axial slices each, some of bytes and some of floats, with the Mac's `._` files."""
    task = root / "Task04_Hippocampus"
    training = []
    for number in NUMBERS:
        name = f"hippocampus_{number:03d}.nii.gz"
        image, labels = brain(number)
        write(task / "imagesTr" / name, image if number % 2 else image.astype(np.float32) * 11.5)
        write(task / "labelsTr" / name, labels)
        for folder in ("imagesTr", "labelsTr"):
            (task / folder / f"._{name}").write_bytes(b"\0\5\26\7\0\2\0\0Mac OS X")
        training.append({"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"})
    index = {**INDEX, "numTraining": len(training), "numTest": 1, "training": training}
    (task / "dataset.json").write_text(json.dumps({**index, "test": ["./imagesTs/hippocampus_002.nii.gz"]}))
    write(task / "imagesTs/hippocampus_002.nii.gz", brain(2)[0])
    return {"take": "axial"}


def brain(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Voxels and labels, both uint8 [x, y, z]."""
    slices = [disc(10 * seed + z) for z in range(2)]
    image = np.stack([picture[:, :, 0].T for picture, _ in slices], axis=2)
    labels = np.stack([mask.T for _, mask in slices], axis=2)
    labels[labels.shape[0] // 2 :] *= 2
    return image, labels


def write(path: Path, voxels: np.ndarray, affine: np.ndarray | None = None) -> None:
    """Write a NIfTI volume; voxels of 1 mm where no affine says otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4) if affine is None else affine), path)
