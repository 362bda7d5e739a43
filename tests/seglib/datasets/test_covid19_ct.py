"""The COVID-19 scans: masks found by the table, and classes that overlap."""

import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from seglib.datasets import covid19_ct
from seglib.errors import SegError
from seglib.io.archive import open_source
from seglib.io.sample import Kaggle
from tests.layouts.covid19_ct import NAMES, build

BOTH = covid19_ct.Params(classes="both", take="volume")


def test_it_comes_from_kaggle():
    assert Kaggle("dataset", "andrewmvd/covid19-ct-scans") == covid19_ct.PUBLISHED


def test_scans_are_listed_under_the_names_of_their_masks(tmp_path):
    build(tmp_path)
    assert [sample.id for sample in covid19_ct.samples(tmp_path, BOTH)] == sorted(NAMES.values())
    assert len(covid19_ct.samples(tmp_path, covid19_ct.Params(classes="lung", take="axial"))) == 12


def test_two_scans_of_one_patient_are_a_group(tmp_path):
    build(tmp_path)
    groups = {sample.id: sample.group for sample in covid19_ct.samples(tmp_path, BOTH)}
    assert groups["radiopaedia_10_85902_1"] == groups["radiopaedia_10_85902_3"]
    assert len(set(groups.values())) == 5


@pytest.mark.parametrize(
    ("classes", "names", "values"),
    [
        ("lung", ["background", "lung"], {0, 1}),
        ("infection", ["background", "infection"], {0, 1}),
        ("both", ["background", "lung", "infection"], {0, 1, 3}),
    ],
)
def test_classes_are_chosen(tmp_path, classes, names, values):
    build(tmp_path)
    params = covid19_ct.Params(classes=classes, take="volume")
    spec = covid19_ct.spec(tmp_path, params)
    assert [entry.name for entry in spec.classes] == names
    assert (spec.overlapping, spec.modality) == (classes == "both", "ct")
    masks = [sample.read(spec)[1] for sample in covid19_ct.samples(tmp_path, params)]
    assert [set(np.unique(mask)) for mask in masks] == [values] * len(NAMES)


def test_values_are_hounsfield_units_and_spacing_is_kept(tmp_path):
    build(tmp_path)
    sample = covid19_ct.samples(tmp_path, BOTH)[0]
    image, mask = sample.read(covid19_ct.spec(tmp_path, BOTH))
    assert image.dtype == np.int16
    assert image[mask == 1].mean() == pytest.approx(-850, abs=5)
    assert sample.spacing == pytest.approx((1.5, 0.7, 0.7))


def test_windowed_scans_are_of_the_same_type(tmp_path):
    build(tmp_path)
    windowed = covid19_ct.samples(tmp_path, BOTH)[-1].image()
    assert windowed.dtype == np.int16
    assert 0 <= windowed.min() <= windowed.max() <= 255


@pytest.mark.parametrize("nested", [False, True])
def test_folder_and_archive_give_the_same_nested_or_not(tmp_path, nested):
    build(tmp_path / "plain")
    build(tmp_path / "data/covid19-ct-scans", nested=nested)
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for file in sorted((tmp_path / "data").rglob("*"), reverse=True):
            archive.write(file, file.relative_to(tmp_path / "data"))
    roots = (tmp_path / "plain", tmp_path / "data", open_source(tmp_path / "data.zip"))
    listings = [[(one.id, one.group, one.fingerprint()) for one in covid19_ct.samples(root, BOTH)] for root in roots]
    assert listings[0] == listings[1] == listings[2]


def test_a_changed_infection_changes_the_fingerprint_only_where_it_is_read(tmp_path):
    build(tmp_path)
    lung = covid19_ct.Params(classes="lung", take="volume")
    before = [covid19_ct.samples(tmp_path, params)[0].fingerprint() for params in (BOTH, lung)]
    file = tmp_path / "infection_mask/coronacases_001.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((48, 40, 2)), nibabel.Nifti1Image.from_filename(file).affine), file)
    after = [covid19_ct.samples(tmp_path, params)[0].fingerprint() for params in (BOTH, lung)]
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_a_missing_file_is_told(tmp_path):
    build(tmp_path)
    (tmp_path / "lung_mask/coronacases_002.nii").unlink()
    with pytest.raises(SegError, match=r"metadata.csv names lung_mask/coronacases_002, which is not there"):
        covid19_ct.samples(tmp_path, BOTH)


@pytest.mark.parametrize(
    ("table", "message"),
    [(None, "metadata.csv: is missing"), ("a,b\n1,2\n", "expected the columns"), ("", "found no rows")],
)
def test_a_wrong_table_is_told(tmp_path: Path, table: str | None, message: str):
    build(tmp_path)
    (tmp_path / "metadata.csv").unlink()
    if table is not None:
        (tmp_path / "metadata.csv").write_text(table)
    with pytest.raises(SegError, match=message):
        covid19_ct.samples(tmp_path, BOTH)


def test_a_mask_on_another_grid_is_told(tmp_path):
    build(tmp_path)
    file = tmp_path / "lung_mask/coronacases_001.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((48, 40, 2)), np.eye(4)), file)
    with pytest.raises(SegError, match=r"coronacases_org_001.nii and .*coronacases_001.nii have the same shape, but"):
        covid19_ct.samples(tmp_path, BOTH)


def test_a_table_with_old_line_ends_is_read(tmp_path):
    build(tmp_path)
    table = tmp_path / "metadata.csv"
    table.write_bytes(table.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r"))
    assert len(covid19_ct.samples(tmp_path, BOTH)) == len(NAMES)


def test_a_table_that_cannot_be_parsed_is_told(tmp_path):
    build(tmp_path)
    (tmp_path / "metadata.csv").write_text("ct_scan,lung_mask,infection_mask\n" + "a" * 200_000)
    with pytest.raises(SegError, match=r"metadata.csv: is no table of comma-separated values"):
        covid19_ct.samples(tmp_path, BOTH)


def test_two_volumes_of_one_name_are_told(tmp_path):
    build(tmp_path)
    file = tmp_path / "lung_mask/coronacases_001.nii"
    (tmp_path / "lung_mask/zz").mkdir()
    (tmp_path / "lung_mask/zz/coronacases_001.nii").write_bytes(file.read_bytes())
    with pytest.raises(SegError, match=r"two files for 'coronacases_001': .*zz/coronacases_001.nii; keep one"):
        covid19_ct.samples(tmp_path, BOTH)
