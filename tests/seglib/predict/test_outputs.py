"""What is written of an image or a volume, and where."""

import nibabel
import numpy as np
import pytest
from PIL import Image

from seglib.errors import SegError
from seglib.inputs import Pixels, Placement
from seglib.intensity import Intensity
from seglib.io.images import read_indices
from seglib.io.volumes import Arrangement
from seglib.predict import outputs as module
from seglib.predict.outputs import Outputs
from seglib.sections.pixels import Pixels as PixelSettings
from seglib.segmentation import Segmented
from tests.model_cards import card
from tests.predicting import THREE, affine

OBLIQUE = np.array([[-0.7, 0.1, 0, 30], [0.1, 0.7, 0, -20], [0, 0, 3, 5], [0, 0, 0, 1]])
OVERLAPPING = {"overlapping": True, "sigmoid": True, "classes": THREE}


def outputs(root, own=None, *, overlay=False, probabilities=False):
    own = own or card(classes=THREE)
    intensity = Intensity(own.spec, PixelSettings.model_validate(own.pixels))
    return Outputs(root / "out", own, intensity, overlay=overlay, probabilities=probabilities)


def files(root):
    return sorted(file.relative_to(root / "out").as_posix() for file in (root / "out").rglob("*") if file.is_file())


def picture(mask):
    return Pixels(np.repeat(mask[..., None] * 50, 3, -1), None, None)


def volume(shape, channels=1):
    place = Placement.of(Arrangement.of(shape[::-1], OBLIQUE, "here"))
    return Pixels(np.zeros((*shape, channels), np.int16), (3.0, 0.7, 0.7), place)


def test_a_picture_gets_a_mask_of_indices(tmp_path):
    mask = np.random.default_rng(0).integers(0, 3, (11, 14)).astype(np.uint8)
    outputs(tmp_path).write("ward/a.b", picture(mask), Segmented(mask, None))
    assert files(tmp_path) == ["masks/ward/a.b.png"]
    assert np.array_equal(read_indices(tmp_path / "out/masks/ward/a.b.png"), mask)


def test_overlapping_classes_have_a_mask_each(tmp_path):
    mask = np.arange(4, dtype=np.uint8).reshape(1, 4)
    outputs(tmp_path, card(**OVERLAPPING)).write("a", picture(mask), Segmented(mask, None))
    assert files(tmp_path) == ["masks/heart/a.png", "masks/lung/a.png"]
    found = {name: read_indices(tmp_path / f"out/masks/{name}/a.png").tolist() for name in ("lung", "heart")}
    assert found == {"lung": [[0, 1, 0, 1]], "heart": [[0, 0, 1, 1]]}
    with Image.open(tmp_path / "out/masks/lung/a.png") as image:
        assert np.asarray(image.convert("RGB"))[0, 1].tolist() == [200, 30, 0]


def test_names_of_classes_lead_nowhere_else(tmp_path):
    classes = [THREE[0], {"name": "../GTV", "colour": [1, 1, 1]}, {"name": "a/b", "colour": [2, 2, 2]}]
    mask = np.array([[3]], np.uint8)
    writer = outputs(tmp_path, card(**OVERLAPPING | {"classes": classes}))
    writer.check(["x"], force=False)
    writer.write("x", picture(mask), Segmented(mask, None))
    assert len(files(tmp_path)) == 2
    assert all(name.startswith("masks/") and name.endswith("/x.png") for name in files(tmp_path))


@pytest.mark.parametrize("own", [card(classes=THREE, channels=1), card(channels=1, **OVERLAPPING)])
def test_a_volume_gets_masks_on_its_own_grid(tmp_path, own):
    pixels, mask = volume((4, 5, 6)), np.zeros((4, 5, 6), np.uint8)
    mask[0, :2] = 1
    maps = np.random.default_rng(0).random((own.head.planes, 4, 5, 6), dtype=np.float32)
    outputs(tmp_path, own, overlay=True, probabilities=True).write("a", pixels, Segmented(mask, maps))
    folders = ["heart", "lung"] if own.overlapping else ["background", "heart", "lung"]
    masks = ["masks/heart/a.nii.gz", "masks/lung/a.nii.gz"] if own.overlapping else ["masks/a.nii.gz"]
    maps_of = [f"probabilities/{each}/a.nii.gz" for each in folders]
    assert files(tmp_path) == sorted([*masks, *maps_of, "overlays/a.png"])
    written = nibabel.Nifti1Image.from_filename(tmp_path / "out" / masks[-1])
    assert written.shape == (6, 5, 4)
    np.testing.assert_allclose(affine(written), OBLIQUE, atol=1e-5)
    assert pixels.place is not None
    assert np.array_equal(np.asarray(written.dataobj), pixels.place.stored(mask))
    lung = nibabel.Nifti1Image.from_filename(tmp_path / "out/probabilities/lung/a.nii.gz")
    assert np.array_equal(np.asarray(lung.dataobj), pixels.place.stored(maps[own.head.foreground][0]))


def test_probabilities_come_with_the_names_of_their_planes(tmp_path):
    mask = np.zeros((3, 4), np.uint8)
    for own, names in (
        (card(classes=THREE), ["background", "lung", "heart"]),
        (card(**OVERLAPPING), ["lung", "heart"]),
    ):
        maps = np.random.default_rng(0).random((len(names), 3, 4), dtype=np.float32)
        outputs(tmp_path, own, probabilities=True).write("a", picture(mask), Segmented(mask, maps))
        with np.load(tmp_path / "out/probabilities/a.npz") as found:
            assert found["classes"].tolist() == names
            assert np.array_equal(found["probabilities"], maps)


def test_an_overlay_shows_the_classes_in_their_colours(tmp_path):
    mask = np.zeros((20, 30), np.uint8)
    mask[5:15, 5:20] = 1
    outputs(tmp_path, overlay=True).write("a", picture(mask), Segmented(mask, None))
    with Image.open(tmp_path / "out/overlays/a.png") as image:
        shown = np.asarray(image)
    assert shown.shape == (20, 30, 3)
    assert shown[0, 0].tolist() == [0, 0, 0]
    assert shown[5, 5].tolist() == [200, 30, 0]
    assert shown[10, 10].tolist() == [int(50 * 0.55 + part * 0.45) for part in (200, 30, 0)]


def test_a_large_overlay_is_made_smaller(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 16)
    mask = np.zeros((20, 40), np.uint8)
    outputs(tmp_path, overlay=True).write("a", picture(mask), Segmented(mask, None))
    with Image.open(tmp_path / "out/overlays/a.png") as image:
        assert image.size == (16, 8)


def test_a_scan_is_drawn_within_its_window(tmp_path):
    own = card(modality="ct", channels=1, window=[0.0, 100.0])
    pixels, mask = volume((2, 8, 8)), np.zeros((2, 8, 8), np.uint8)
    pixels.image[:, :, 4:] = 100
    pixels.image[1, 0, 0] = 3000
    outputs(tmp_path, own, overlay=True).write("a", pixels, Segmented(mask, None))
    with Image.open(tmp_path / "out/overlays/a.png") as image:
        shown = np.asarray(image)
    assert (shown[1, 0, 0], shown[1, 7, 0], shown[0, 0, 0]) == (0, 255, 255)


def test_what_is_there_is_looked_at_before_anything_is_written(tmp_path):
    writer = outputs(tmp_path, overlay=True, probabilities=True)
    writer.check(["a", "b"], force=False)
    for place in ("cases.csv", "masks/b.nii.gz", "masks/a.png", "overlays/b.png", "probabilities/a.npz"):
        path = tmp_path / "out" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        with pytest.raises(SegError, match="1 of the files to be written are there already"):
            writer.check(["a", "b"], force=False)
        writer.check(["a", "b"], force=True)
        path.unlink()
    (tmp_path / "out/masks/c.png").touch()
    writer.check(["a", "b"], force=False)


def test_the_folder_may_be_no_file(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(SegError, match="out: is no folder; choose another --out"):
        outputs(tmp_path).check(["a"], force=True)


def test_no_name_leads_out_of_the_folder_even_with_force(tmp_path):
    with pytest.raises(SegError, match="would lie outside"):
        outputs(tmp_path).check(["../../a"], force=True)
