"""`seg predict` as a new user runs it: real images, outside of any project."""

import csv
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from seglib.cli import main
from seglib.io.images import read_image, read_indices
from tests.archives import unpack
from tests.model_cards import card
from tests.predicting import affine, segmentation, write_model
from tests.project import REPOSITORY

LARGE = 10_000
"""Side of a picture of 300 MB."""
PEAK = "import sys; from seglib.cli import main; from seglib.peak_memory import peak_megabytes; "
PEAK += "main(sys.argv[1:]); print(peak_megabytes())"


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(REPOSITORY), "PATH": "", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_of_real_photographs_and_a_broken_one(tmp_path, real_data):
    own = card(modality="endoscopy", image_size=64)
    model = write_model(tmp_path / "model.pt", own)
    with zipfile.ZipFile(real_data / "kvasir-seg.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("Kvasir-SEG/images/"))[:4]
        for name in names:
            (tmp_path / "photos").mkdir(exist_ok=True)
            (tmp_path / "photos" / Path(name).name).write_bytes(archive.read(name))
    photos = sorted((tmp_path / "photos").iterdir())
    (tmp_path / "photos/broken.jpg").write_bytes(photos[0].read_bytes()[:3000])
    done = python(tmp_path, "-m", "seglib", "predict", "photos", "--model", "model.pt", "--out", "out", "--overlay")
    assert done.returncode == 1, done.stderr
    assert done.stdout == "4 segmented: out/masks, out/cases.csv\n"
    assert done.stderr.startswith("1 failed, see out/failed.csv:\n  broken: ")
    assert "Traceback" not in done.stderr
    rows = {row["id"]: row for row in table(tmp_path / "out/cases.csv")}
    for photo in photos:
        image = read_image(photo)
        found = read_indices(tmp_path / f"out/masks/{photo.stem}.png")
        assert np.array_equal(found, segmentation(own, model).segment(image, None).mask)
        assert int(rows[photo.stem]["pixels"]) == found.sum()
        assert read_image(tmp_path / f"out/overlays/{photo.stem}.png").shape == image.shape


def test_real_volumes_by_a_model_of_slices(tmp_path, real_data, monkeypatch):
    own = card(modality="mri", channels=1, image_size=32, types=["float32", "int16"])
    write_model(tmp_path / "model.pt", own)
    with tarfile.open(real_data / "Task04_Hippocampus.tar") as archive:
        names = sorted(name for name in archive.getnames() if "/imagesTr/hippo" in name)[:2]
        for name in names:
            unpack(archive, name, tmp_path)
    monkeypatch.chdir(tmp_path)
    main(["predict", "Task04_Hippocampus", "--model", "model.pt", "--out", "out", "--batch", "8"])
    for name in names:
        source = nibabel.Nifti1Image.from_filename(tmp_path / name)
        mask = nibabel.Nifti1Image.from_filename(tmp_path / f"out/masks/imagesTr/{Path(name).name}")
        assert mask.shape == source.shape
        np.testing.assert_allclose(affine(mask), affine(source), atol=1e-5)
        assert np.unique(np.asarray(mask.dataobj)).tolist() == [0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("asked", [{"image_size": 256}, {"image_size": 512, "resize": "native"}, {"image_size": 1.0}])
def test_a_picture_of_100_million_pixels_takes_little_more_than_itself(tmp_path, asked):
    """Twice its mask and 300 MiB besides the file and the picture; its probabilities alone would take 763 MiB."""
    write_model(tmp_path / "model.pt", card(**asked))
    tile = np.random.default_rng(0).integers(0, 255, (500, 500, 3)).astype(np.uint8)
    small, large = np.tile(tile, (2, 2, 1)), np.tile(tile, (LARGE // 500, LARGE // 500, 1))
    peaks = []
    for name, picture in (("small", small), ("large", large)):
        cv2.imwrite(str(tmp_path / f"{name}.jpg"), picture)
        done = python(
            tmp_path, "-c", PEAK, "predict", f"{name}.jpg", "--model", "model.pt", "--out", name, "--threads", "1"
        )
        assert done.returncode == 0, done.stderr
        peaks.append(float(done.stdout.split()[-1]))
    content = (tmp_path / "large.jpg").stat().st_size
    assert 1e6 * (peaks[1] - peaks[0]) < content + LARGE**2 * (3 + 2) + (300 << 20)
