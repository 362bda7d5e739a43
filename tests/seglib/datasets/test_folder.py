import re
import shutil
import zipfile

import cv2
import numpy as np
import pytest

from seglib.config import parse
from seglib.datasets import folder
from seglib.errors import SegError
from tests.folder_reading import options, read, refused
from tests.layouts import disc, save
from tests.layouts import folder as layouts


def test_pairs_are_grouped_by_the_pattern(tmp_path):
    given = parse(folder.Params, layouts.build(tmp_path), "data.folder")
    found = read(tmp_path, given)
    assert list(found) == list(layouts.IDS)
    assert [sample.group for sample, _, _ in found.values()] == [f"patient{i // 2}" for i in range(10)]
    assert all((mask == disc(i)[1]).all() for i, (_, _, mask) in enumerate(found.values()))


def test_a_pattern_that_finds_no_group_names_ids(tmp_path):
    layouts.build(tmp_path)
    refused(tmp_path, r"'\^\(case\\d\+\)' finds no group in patient0_0, .* and 5 more", options(group=r"^(case\d+)"))


@pytest.mark.parametrize(
    ("group", "said"), [("^patient", "needs a pair of parentheses"), ("(", "is no regular expression")]
)
def test_a_pattern_without_group_is_refused(group, said):
    with pytest.raises(SegError, match=f"data.folder.group: {said}"):
        options(group=group)


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ([{"name": "a", "value": 0}, {"name": "b"}], "give each a value, or each a colour"),
        ([{"name": "a", "value": 0, "colour": [0, 0, 0]}, {"name": "b", "value": 1}], "give each a value, or each"),
        ([{"name": "a", "colour": [0, 0, 0]}, {"name": "b", "colour": [0, 0, 0]}], "two have the same colour"),
        ([{"name": "a", "colour": [0, 0]}, {"name": "b", "colour": [0, 0, 0]}], "classes.0.colour: List should have"),
        ([{"name": "a", "value": 0}, {"name": "ignore", "value": 255}], "one more is needed besides ignore"),
    ],
)
def test_classes_that_contradict_each_other_are_refused(classes, said):
    with pytest.raises(SegError, match=said):
        options(classes=classes)


def test_a_mask_for_each_class_may_overlap(tmp_path):
    given = parse(folder.Params, layouts.build_a_mask_a_class(tmp_path), "data.folder")
    assert folder.spec(tmp_path, given).overlapping
    values = {name: np.unique(mask).tolist() for name, (_, _, mask) in read(tmp_path, given).items()}
    assert values["patient0_0"] == [0, 1, 3]
    assert values["patient1_3"] == [0]
    assert values["patient2_4"] == [0, 1]


def test_without_overlap_the_later_class_wins(tmp_path):
    given = parse(folder.Params, {**layouts.build_a_mask_a_class(tmp_path), "overlapping": False}, "data.folder")
    assert np.unique(read(tmp_path, given)["patient0_0"][2]).tolist() == [0, 1, 2]


def test_a_mask_that_changes_its_class_changes_the_fingerprint(tmp_path):
    given = parse(folder.Params, layouts.build_a_mask_a_class(tmp_path), "data.folder")
    before = read(tmp_path, given)["patient2_4"][0].fingerprint()
    (tmp_path / "masks/organ/patient2_4.png").rename(tmp_path / "masks/tumour/patient2_4.png")
    assert read(tmp_path, given)["patient2_4"][0].fingerprint() != before


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda root: (root / "masks/tumor").mkdir(), "no declared class: tumor; .*did you mean 'tumour'"),
        (lambda root: shutil.rmtree(root / "masks/tumour"), "no folder for the class tumour, found organ"),
        (lambda root: save(root / "masks/organ/x.png", disc(0)[1]), r"without image: .*masks/organ/x\.png"),
        (
            lambda root: save(root / "masks/organ/patient0_0.png", disc(0)[0][..., 0]),
            "holds the values 1, 2, .* beside",
        ),
        (lambda root: save(root / "masks/organ/patient0_0.png", disc(0)[1][:30]), r"patient0_0.*\(30, 48\)"),
    ],
)
def test_wrong_masks_of_a_class_are_named(tmp_path, harm, said):
    given = parse(folder.Params, layouts.build_a_mask_a_class(tmp_path), "data.folder")
    harm(tmp_path)
    refused(tmp_path, said, given)


def test_one_mask_for_all_classes_cannot_overlap(tmp_path):
    layouts.build(tmp_path)
    refused(tmp_path, "one mask for all classes, which cannot overlap", options(overlapping=True))
    refused(tmp_path, "declare a value or a colour", options(classes=[{"name": "a"}, {"name": "b"}]))


@pytest.mark.parametrize(
    "stray", ["images/sub/2.png", "images/1.heic", "masks/organ/1.jp2", "masks/organ/sub/2.png", "masks/2.png"]
)
def test_images_that_no_mask_of_a_class_goes_with_are_refused(tmp_path, stray):
    given = parse(folder.Params, layouts.build_a_mask_a_class(tmp_path), "data.folder")
    (tmp_path / stray).parent.mkdir(exist_ok=True)
    (tmp_path / stray).write_bytes(b"")
    refused(tmp_path, rf"images that would not be read: .*{re.escape(stray)}; put them", given)


def test_masks_of_the_background_and_other_files_do_no_harm(tmp_path):
    given = parse(folder.Params, layouts.build_a_mask_a_class(tmp_path), "data.folder")
    save(tmp_path / "masks/background/patient0_0.png", disc(0)[1])
    save(tmp_path / "preview.png", disc(0)[0])
    (tmp_path / "images/README.txt").write_text("text")
    assert len(read(tmp_path, given)) == 10


def test_it_is_told_which_of_two_folders_is_unclear(tmp_path):
    layouts.build(tmp_path)
    (tmp_path / "labels").mkdir()
    assert len(read(tmp_path, options())) == 10
    (tmp_path / "masks").rename(tmp_path / "label")
    refused(tmp_path, "unclear which is meant of label, labels")


def test_ignored_pixels_are_declared_by_name(tmp_path):
    layouts.build(tmp_path)
    mask = disc(0)[1] * 255
    mask[0] = 7
    save(tmp_path / "masks/patient0_0.png", mask)
    classes = [*layouts.OPTIONS["classes"], {"name": "ignore", "value": 7}]
    given = options(classes=classes)
    assert len(folder.spec(tmp_path, given).classes) == 2
    assert np.unique(read(tmp_path, given)["patient0_0"][2][0]).tolist() == [255]


@pytest.mark.parametrize(
    ("values", "declared", "said"),
    [
        (255, 1, r"patient0_0\.png: .* 255 .*holds 0 and 255; declare value: 255"),
        (1, 255, "holds 0 and 1, but 255 is declared; declare value: 1"),
    ],
)
def test_the_usual_mistake_is_named(tmp_path, values, declared, said):
    layouts.build(tmp_path)
    save(tmp_path / "masks/patient0_0.png", disc(0)[1] * np.uint8(values))
    refused(tmp_path, said, options(classes=[{"name": "a", "value": 0}, {"name": "b", "value": declared}]))


def test_a_mask_in_colour_asks_for_colours(tmp_path):
    layouts.build(tmp_path)
    save(tmp_path / "masks/patient0_0.png", disc(0)[0])
    refused(tmp_path, r"patient0_0\.png: the mask is in colour; declare colour: \[r, g, b\]")


def test_colours_that_are_not_declared_are_named(tmp_path):
    given = parse(folder.Params, layouts.build_sides(tmp_path), "data.folder")
    save(tmp_path / "train/label/0.png", np.full((40, 48, 3), (1, 2, 3), np.uint8))
    refused(tmp_path, r"colours outside the declared classes: \[1, 2, 3\] \(100\.00%", given)


def test_sixteen_bits_and_bands_are_kept(tmp_path):
    import tifffile

    bands = np.random.default_rng(0).integers(0, 60000, (40, 48, 5)).astype(np.uint16)
    (tmp_path / "images").mkdir()
    tifffile.imwrite(tmp_path / "images/a.tif", bands, photometric="minisblack", planarconfig="contig")
    save(tmp_path / "masks/a.tif", disc(0)[1] * 255)
    _, image, _ = read(tmp_path, options(channels=5))["a"]
    assert image.dtype == np.uint16
    assert (image == bands).all()
    refused(tmp_path, r"a\.tif: has 5 bands, but channels: 3 is declared; declare channels: 5")


def test_volumes_keep_their_spacing_and_their_hounsfield_units(tmp_path):
    given = parse(folder.Params, layouts.build_volumes(tmp_path), "data.folder")
    found = read(tmp_path, given)
    sample, image, mask = found["scan0-axial-0002"]
    assert (sample.group, sample.spacing, sample.volume) == ("scan0", (0.7, 0.5), "scan0")
    assert image.dtype == np.int16
    assert image.min() == -1000
    assert mask.sum() == disc(2)[1].sum()
    whole = read(tmp_path, given.model_copy(update={"take": "volume"}))
    assert whole["scan1"][1].shape == (3, 40, 48, 1)
    assert whole["scan1"][0].spacing == (3.0, 0.7, 0.5)


@pytest.mark.parametrize("change", ["spacing", "direction", "shape"])
def test_a_mask_on_another_grid_is_refused(tmp_path, change):
    given = parse(folder.Params, layouts.build_volumes(tmp_path), "data.folder")
    mask = np.zeros((4 if change == "shape" else 3, 40, 48), np.uint8)
    changed = {"spacing": {"spacing": (1, 1, 1)}, "direction": {"direction": (-1, 0, 0, 0, -1, 0, 0, 0, 1)}}
    layouts.save_volume(tmp_path / "masks/scan0.seg.nrrd", mask, **changed.get(change, {}))
    refused(tmp_path, r"scan0\.nrrd .*scan0\.seg\.nrrd", given)


def test_a_volume_needs_a_volume_as_its_mask(tmp_path):
    given = parse(folder.Params, layouts.build_volumes(tmp_path), "data.folder")
    (tmp_path / "masks/scan0.seg.nrrd").unlink()
    save(tmp_path / "masks/scan0.png", disc(0)[1])
    refused(tmp_path, r"scan0\.png: the mask of the volume", given)


def test_a_picture_in_a_volume_format_stays_a_picture(tmp_path):
    image, mask = disc(0)
    layouts.save_volume(tmp_path / "images/a.nrrd", image[:, :, 0])
    layouts.save_volume(tmp_path / "masks/a.nrrd", mask * 255)
    (name,) = found = read(tmp_path, options(channels=1))
    sample, read_image, read_mask = found[name]
    assert (name, sample.spacing) == ("a", (0.7, 0.5))
    assert (read_image[:, :, 0] == image[:, :, 0]).all()
    assert (read_mask == mask).all()


def test_slices_of_nifti_pairs(tmp_path):
    import nibabel

    for kind, voxels in (("image", np.arange(60).reshape(5, 4, 3)), ("label", np.ones((5, 4, 3)))):
        (tmp_path / kind).mkdir()
        nibabel.Nifti1Image(voxels.astype(np.int16), np.diag([2.0, 3.0, 4.0, 1.0])).to_filename(
            tmp_path / kind / "p1.nii.gz"
        )
    given = options(channels=1, modality="mri", classes=[{"name": "a", "value": 0}, {"name": "b", "value": 1}])
    found = read(tmp_path, given)
    assert list(found) == [f"p1-axial-000{i}" for i in range(3)]
    assert found["p1-axial-0000"][1].shape == (4, 5, 1)
    assert found["p1-axial-0000"][0].spacing == (3.0, 2.0)


def test_membrane_from_its_archive(real_data):
    found = read(real_data / "membrane.zip", options(channels=1, modality="microscopy"))
    assert len(found) == 30
    assert all(sample.side is None and image.shape == (512, 512, 1) for sample, image, _ in found.values())
    assert 0.6 < np.mean([mask.mean() for _, _, mask in found.values()]) < 0.9


def test_an_archive_reads_as_its_folder(tmp_path):
    given = parse(folder.Params, layouts.build_volumes(tmp_path / "own"), "data.folder")
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        for file in (tmp_path / "own").rglob("*.*"):
            archive.write(file, f"cases/{file.relative_to(tmp_path / 'own')}")
    packed, loose = read(tmp_path / "own.zip", given), read(tmp_path / "own", given)
    assert list(packed) == list(loose)
    for name, (sample, image, mask) in packed.items():
        assert sample.fingerprint() == loose[name][0].fingerprint()
        assert (image == loose[name][1]).all()
        assert (mask == loose[name][2]).all()
    assert cv2.countNonZero(packed["scan0-axial-0000"][2])
