"""`seg predict` in this process: what is written, what is told, what stays untouched."""

import csv
import zipfile
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest
import torch

from seglib.cli import main
from seglib.io.images import read_image, read_indices
from seglib.segmentation import Segmentation
from tests.model_cards import CARD, card
from tests.predicting import THREE, affine, segmentation, write_model

MRI = {"modality": "mri", "channels": 1, "image_size": 1.0, "types": ["int16"]}


pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def own():
    """The card of `models/best.pt`."""
    own = card(classes=THREE)
    write_model(Path("models/best.pt"), own)
    return own


def seg_predict(*arguments):
    """Run the command; gives its exit code."""
    try:
        main(["predict", *map(str, arguments), "--threads", "1"])
    except SystemExit as stopped:
        return stopped.code
    return 0


def write_images(folder, *names, shape=(30, 40)):
    for seed, name in enumerate(names):
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 255, (*shape, 3)).astype(np.uint8))


def files(root="out"):
    return sorted(file.relative_to(root).as_posix() for file in Path(root).rglob("*") if file.is_file())


def table(path="out/cases.csv"):
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


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


def test_a_bad_file_is_told_and_the_rest_goes_on(own, capsys):
    write_images("images", "a.png", "c.png")
    Path("images/b.png").write_bytes(Path("images/a.png").read_bytes()[:200])
    Path("images/empty.jpg").touch()
    assert seg_predict("images", "--out", "out") == 1
    assert files() == ["cases.csv", "failed.csv", "masks/a.png", "masks/c.png"]
    assert {row["id"] for row in table()} == {"a", "c"}
    failed = {row["id"]: row["reason"] for row in table("out/failed.csv")}
    assert failed.keys() == {"b", "empty"}
    said = capsys.readouterr()
    assert said.out.startswith("2 segmented")
    assert "2 failed, see out/failed.csv:\n" in said.err
    assert all(f"{name}: {reason}" in said.err for name, reason in failed.items())
    assert "Traceback" not in said.err


def test_an_image_on_which_the_network_fails_is_told_and_the_rest_goes_on():
    three_levels = CARD.options | {"channels": [4, 8, 8]}
    write_model(Path("models/best.pt"), card(padding=False, image_size=1.0, options=three_levels))
    write_images("images", "a.png", "c.png", shape=(32, 40))
    write_images("images", "b.png", shape=(30, 37))
    assert seg_predict("images", "--out", "out") == 1
    assert files() == ["cases.csv", "failed.csv", "masks/a.png", "masks/c.png"]
    (failed,) = table("out/failed.csv")
    assert failed["id"] == "b"
    assert failed["reason"].startswith("models/best.pt: failed on values of shape (1, 3, 30, 37)")


def fail_on_a(monkeypatch, error):
    """The network raises an error for `images/a.png`."""
    segment = Segmentation.segment_together

    def odd(self, images, spacing, *, keep=False):
        if images[0][0, 0, 0] == read_image(Path("images/a.png"))[0, 0, 0]:
            raise error
        return segment(self, images, spacing, keep=keep)

    monkeypatch.setattr(Segmentation, "segment_together", odd)


def test_any_error_is_that_of_one_image(own, monkeypatch, capsys):
    write_images("images", "a.png", "b.png")
    fail_on_a(monkeypatch, ZeroDivisionError("division\nby zero"))
    assert seg_predict("images", "--out", "out") == 1
    (failed,) = table("out/failed.csv")
    assert failed["id"] == "a"
    assert failed["reason"].startswith("cannot be processed (ZeroDivisionError: division by zero); leave it out, or ")
    assert {row["id"] for row in table()} == {"b"}
    assert "Traceback" not in capsys.readouterr().err
    monkeypatch.setenv("SEG_TRACEBACK", "1")
    assert seg_predict("images", "--out", "out", "--force") == 1
    assert "Traceback" in (said := capsys.readouterr().err)
    assert "in odd\n" in said


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


def test_bad_files_whose_safe_names_are_one_are_all_told(own, capsys):
    write_images("images", "whole.png")
    for name in ("a?.svs", "a*.svs"):
        Path("images", name).touch()
    assert seg_predict("images", "--out", "out") == 1
    assert [row["id"] for row in table("out/failed.csv")] == ["a_.svs", "a_.svs"]
    assert "2 failed" in capsys.readouterr().err


def test_nothing_that_can_be_read_leaves_empty_tables(own):
    Path("images").mkdir()
    Path("images/a.png").write_bytes(b"no image")
    assert seg_predict("images", "--out", "out") == 1
    assert files() == ["cases.csv", "failed.csv"]
    assert table() == []


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


def test_a_second_run_with_force_forgets_what_failed(own):
    write_images("images", "a.png")
    whole = Path("images/a.png").read_bytes()
    Path("images/a.png").write_bytes(whole[:100])
    assert seg_predict("images", "--out", "out") == 1
    Path("images/a.png").write_bytes(whole)
    assert seg_predict("images", "--out", "out") == 1
    assert seg_predict("images", "--out", "out", "--force") == 0
    assert files() == ["cases.csv", "masks/a.png"]


def test_an_interrupted_run_leaves_whole_files_and_a_table_of_them(own, monkeypatch):
    write_images("images", "a.png", "b.png", "c.png")
    segment, calls = Segmentation.segment_together, []

    def interrupted(self, images, spacing, *, keep=False):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return segment(self, images, spacing, keep=keep)

    monkeypatch.setattr(Segmentation, "segment_together", interrupted)
    assert seg_predict("images", "--out", "out") == 130
    assert files() == ["cases.csv", "masks/a.png", "masks/b.png"]
    assert {row["id"] for row in table()} == {"a", "b"}


def test_memory_that_is_not_there_is_a_failed_input(own, monkeypatch):
    write_images("images", "a.png", "b.png")
    fail_on_a(monkeypatch, torch.OutOfMemoryError())
    assert seg_predict("images", "--out", "out") == 1
    (failed,) = table("out/failed.csv")
    assert failed["id"] == "a"
    assert failed["reason"].startswith("needs more memory than there is")
    assert {row["id"] for row in table()} == {"b"}


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
