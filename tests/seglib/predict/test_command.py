"""`seg predict` in this process: what is written, what is told, what stays untouched."""

import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from seglib.io.images import read_image, read_indices
from tests.model_cards import card
from tests.predict_command import files, seg_predict, table, write_images
from tests.predicting import affine, segmentation, write_model

MRI = {"modality": "mri", "channels": 1, "image_size": 1.0, "types": ["int16"]}


pytestmark = pytest.mark.usefixtures("own_folder")


def test_a_folder_gets_masks_and_a_table(own, capsys):
    write_images("images", "b.png", "a.jpg", "deep/c.bmp")
    assert seg_predict("images", "--out", "out") == 0
    assert files() == ["cases.csv", "masks/a.png", "masks/b.png", "masks/deep/c.png"]
    model = segmentation(own)
    for name, source in (("a", "a.jpg"), ("b", "b.png"), ("deep/c", "deep/c.bmp")):
        expected = model.segment(read_image(Path("images", source)), None).mask
        assert np.array_equal(read_indices(Path(f"out/masks/{name}.png")), expected)
        rows = [row for row in table() if row["id"] == name]
        assert [row["class"] for row in rows] == ["lung", "heart"]
        assert [int(row["pixels"]) for row in rows] == [int((expected == index).sum()) for index in (1, 2)]
    assert capsys.readouterr().out == "3 segmented: out/masks, out/cases.csv\n"


def test_files_folders_patterns_and_archives_are_named_together(own):
    write_images("images", "a.png", "b.png")
    write_images("more", "x1.png", "x2.png", "y.png")
    with zipfile.ZipFile("packed.zip", "w") as packed:
        packed.write("more/y.png", "y.png")
    assert seg_predict("images", "more/x*.png", "packed.zip", "--out", "out") == 0
    assert len({row["id"] for row in table()}) == 5


def test_everything_that_may_be_asked_for(own):
    write_images("images", "a.png")
    assert seg_predict("images", "--out", "out", "--overlay", "--probabilities", "--tta") == 0
    assert files() == ["cases.csv", "masks/a.png", "overlays/a.png", "probabilities/a.npz"]
    expected = segmentation(own, flips=True).segment(read_image(Path("images/a.png")), None, keep=True)
    assert expected.probabilities is not None
    with np.load("out/probabilities/a.npz") as found:
        np.testing.assert_allclose(found["probabilities"], expected.probabilities, atol=1e-6)
    assert np.array_equal(read_indices(Path("out/masks/a.png")), expected.mask)


def test_the_settings_of_the_folder_hold(own):
    write_images("images", "a.png")
    Path("params.yaml").write_text(
        "predict: {threshold: 0.5, overlap: 0.5, flips: false, rotations: false, scales: [1.0], ensemble: [], "
        "min_pixels: 100000, fill_holes: 0}\n"
    )
    assert seg_predict("images", "--out", "out") == 0
    assert not read_indices(Path("out/masks/a.png")).any()


def test_a_threshold(capsys):
    write_model(Path("models/best.pt"), card())
    write_images("images", "a.png")
    shares = []
    for threshold in ("0.3", "0.5", "0.7"):
        assert seg_predict("images", "--out", f"out{threshold}", "--threshold", threshold) == 0
        shares.append(float(table(f"out{threshold}/cases.csv")[0]["share"]))
    assert shares[0] > shares[1] > shares[2]
    assert seg_predict("images", "--out", "out", "--threshold", "auto") == 1
    assert "auto, but reports/evaluate/metrics.json tells none" in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_later_run_does_not_segment_its_own_masks(own):
    write_images(".", "a.png")
    for _ in range(2):
        assert seg_predict(".", "--out", "out", "--overlay", "--force") == 0
        assert files() == ["cases.csv", "masks/a.png", "overlays/a.png"]
        assert {row["id"] for row in table()} == {"a"}


def test_results_never_lie_among_the_images(own, capsys):
    write_images("photos", "a.png")
    assert seg_predict("photos", "--out", "photos/") == 1
    assert "photos: results among the images would be images of the next run; name another" in capsys.readouterr().err
    assert files("photos") == ["a.png"]


def test_a_folder_that_is_passed_over_for_the_results_is_told(own, capsys):
    write_images("photos", "a.png")
    write_images("other", "b.png")
    assert seg_predict("photos", "other", "--out", "photos") == 0
    assert {row["id"] for row in table("photos/cases.csv")} == {"b"}
    assert capsys.readouterr().err.startswith("photos is passed over: results are written there; ")


def test_a_pattern_finds_no_masks_of_the_run_before(own, capsys):
    write_images(".", "photos/a.png")
    for _ in range(2):
        assert seg_predict("**/*.png", "--out", ".", "--overlay", "--force") == 0
        assert {row["id"] for row in table("cases.csv")} == {"a"}
    assert capsys.readouterr().err == ""


def test_nothing_is_overwritten_without_force(own, capsys):
    write_images("images", "a.png", "b.png")
    assert seg_predict("images/b.png", "--out", "out") == 0
    Path("out/cases.csv").unlink()
    before = Path("out/masks/b.png").read_bytes()
    Path("out/masks/b.png").write_bytes(b"precious")
    assert seg_predict("images", "--out", "out") == 1
    assert "1 of the files to be written are there already: out/masks/b.png; " in capsys.readouterr().err
    assert Path("out/masks/b.png").read_bytes() == b"precious"
    assert files() == ["masks/b.png"]
    assert seg_predict("images", "--out", "out", "--force") == 0
    assert Path("out/masks/b.png").read_bytes() == before


@pytest.mark.parametrize("batch", [2, 8])
def test_a_batch_changes_no_result_and_no_order(own, batch):
    write_images("images", "a.png", "c.png", "e.png")
    write_images("images", "b.png", "d.png", shape=(25, 33))
    Path("images/c2.png").write_bytes(b"no image")
    assert seg_predict("images", "--out", "one") == 1
    assert seg_predict("images", "--out", "some", "--batch", batch) == 1
    assert files("one") == files("some")
    assert all(Path("one", name).read_bytes() == Path("some", name).read_bytes() for name in files("one"))


def write_volume(path, shape=(9, 8, 6), *, turned=False):
    place = np.diag([1.0, 1.2, 2.5, 1.0])
    if turned:
        place[:3, :3] = place[:3, :3][:, [2, 0, 1]] * [-1, 1, -1]
    voxels = np.random.default_rng(0).integers(0, 900, shape).astype(np.int16)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    nibabel.Nifti1Image(voxels, place).to_filename(path)
    return place


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("dims", [2, 3])
def test_a_volume_gets_a_mask_in_its_own_place(dims, turned):
    own = card(dims=dims, **MRI)
    write_model(Path("models/best.pt"), own)
    place = write_volume("scans/a.nii.gz", turned=turned)
    assert seg_predict("scans/a.nii.gz", "--out", "out", "--overlay", "--batch", "4") == 0
    assert files() == ["cases.csv", "masks/a.nii.gz", "overlays/a.png"]
    mask = nibabel.Nifti1Image.from_filename("out/masks/a.nii.gz")
    assert mask.shape == (9, 8, 6)
    np.testing.assert_allclose(affine(mask), place, atol=1e-6)
    (row,) = table()
    assert int(row["pixels"]) == np.count_nonzero(np.asarray(mask.dataobj)) > 0
    assert float(row["volume_ml"]) == pytest.approx(int(row["pixels"]) * 3.0 / 1000)
    assert row["area_mm2"] == ""


@pytest.mark.parametrize(
    ("own", "name", "said"),
    [
        (card(dims=3, **MRI), "picture.png", "is an image, but the model was trained on volumes"),
        (card(), "scan.nii.gz", "has 1 channel, but the model was trained on 3"),
    ],
    ids=["axes", "channels"],
)
def test_an_input_for_another_model(own, name, said, capsys):
    write_model(Path("models/best.pt"), own)
    write_images("images", "picture.png")
    write_volume("images/scan.nii.gz")
    assert seg_predict("images", "--out", "out") == 1
    (failed,) = table("out/failed.csv")
    assert failed["id"] == name.partition(".")[0]
    assert said in failed["reason"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "--out", "out"], "nowhere: does not exist"),
        (["images", "--out", "out", "--model", "other.pt"], "other.pt is missing"),
        (["images", "--out", "images/a.png"], "images/a.png: is no folder; choose another --out"),
    ],
)
def test_what_cannot_begin_writes_nothing(own, arguments, said, capsys):
    write_images("images", "a.png")
    assert seg_predict(*arguments) == 1
    assert said in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ("--batch", "0"),
        ("--batch", "x"),
        ("--threshold", "1.5"),
        ("--threshold", "nan"),
        ("--threads", "-1"),
        ("--device", "tpu"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_read(wrong, capsys):
    assert seg_predict("images", "--out", "out", *wrong) == 2
    assert wrong[0] in capsys.readouterr().err


def test_the_help_tells_exit_codes(capsys):
    assert seg_predict("--help") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "exit code is 0 where all were segmented, 1 where something failed" in said
    assert "cases.csv then tells of this run only, and masks of older runs stay" in said
