import re

import pytest

from seglib.config import parse
from seglib.datasets import folder
from tests.folder_reading import options, read, refused
from tests.layouts import disc, save
from tests.layouts import folder as layouts


def test_lists_of_pairs_give_the_sides(tmp_path):
    given = parse(folder.Params, layouts.build_lists(tmp_path), "data.folder")
    found = read(tmp_path, given)
    assert [sample.side for sample, _, _ in found.values()] == [
        *["train"] * 2,
        *["val"] * 2,
        *["test"] * 2,
        *["train"] * 4,
    ]
    assert all((mask == disc(i)[1]).all() for i, (_, _, mask) in enumerate(found.values()))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("images/a.jpg", r"train\.txt: 'images/a\.jpg' is not the path of an image and that of its mask"),
        ("images/none.jpg labels/none.png", r"listed but missing: .*none\.jpg, .*none\.png"),
        ("../../a.jpg labels/a.png", r"'\.\./\.\./a\.jpg' points outside the data set"),
        ("/etc/a.jpg labels/a.png", "'/etc/a.jpg' is absolute"),
        ("C:\\a.jpg labels/a.png", "is absolute"),
        ("images/patient1_2.jpg labels/patient1_2.png", r"val\.txt: .*also stands in train\.txt"),
    ],
)
def test_a_wrong_line_of_a_list_is_named(tmp_path, line, said):
    given = parse(folder.Params, layouts.build_lists(tmp_path), "data.folder")
    with (tmp_path / "cells/train.txt").open("a") as file:
        file.write(line + "\n")
    refused(tmp_path, said, given)


def test_listed_images_of_one_name_are_told(tmp_path):
    for name in ("1.png", "1.jpg"):
        save(tmp_path / "images" / name, disc(0)[0])
        save(tmp_path / "labels" / f"{name[2:]}.png", disc(0)[1] * 255)
    (tmp_path / "train.txt").write_text("images/1.png labels/png.png\nimages/1.jpg labels/jpg.png\n")
    refused(tmp_path, r"listed images of the same name: images/1\.png, images/1\.jpg; rename")


def test_lists_of_names_give_sides_to_pairs(tmp_path):
    layouts.build(tmp_path)
    (tmp_path / "train.txt").write_text("patient0_0\npatient0_1.PNG\n")
    (tmp_path / "val.txt").write_text("images/patient1_2.tif\n")
    found = read(tmp_path, options())
    assert [found[name][0].side for name in ("patient0_0", "patient0_1", "patient1_2", "patient1_3")] == [
        "train", "train", "val", None,
    ]  # fmt: skip


def test_a_name_with_a_space_is_no_pair(tmp_path):
    image, mask = disc(0)
    save(tmp_path / "images/my image.png", image)
    save(tmp_path / "masks/my image.png", mask * 255)
    (tmp_path / "train.txt").write_text("my image.png\n")
    assert read(tmp_path, options())["my image"][0].side == "train"


def test_folders_of_sides_and_masks_in_colour(tmp_path):
    given = parse(folder.Params, layouts.build_sides(tmp_path), "data.folder")
    found = read(tmp_path, given)
    assert {sample.side for sample, _, _ in found.values()} == {"train", "val", "test"}
    assert list(found)[:2] == ["test-0", "test-1"]
    assert (found["train-1"][2] == disc(1)[1]).all()
    assert folder.spec(tmp_path, given).classes[1].colour == (128, 0, 64)


def test_sides_inside_the_folders_of_images(tmp_path):
    for i, side in enumerate(("train", "val")):
        image, mask = disc(i)
        save(tmp_path / "images" / side / f"a{i}.png", image)
        save(tmp_path / "labels" / side / f"a{i}.png", mask * 255)
    assert {name: sample.side for name, (sample, _, _) in read(tmp_path, options()).items()} == {
        "a0": "train",
        "a1": "val",
    }


def test_several_folders_that_are_no_sides_are_refused(tmp_path):
    layouts.build(tmp_path / "first")
    layouts.build(tmp_path / "second")
    refused(tmp_path, "several folders with images and masks, one of them first")


@pytest.mark.parametrize("stray", ["images/batch2/2.png", "images/2.png", "masks/2.png"])
def test_images_beside_folders_of_sides_are_refused(tmp_path, stray):
    save(tmp_path / "images/train/1.png", disc(0)[0])
    save(tmp_path / "masks/train/1.png", disc(0)[1] * 255)
    save(tmp_path / stray, disc(0)[0])
    refused(tmp_path, rf"images that would not be read: .*{re.escape(stray)}; put them")


def test_pairs_above_a_folder_of_a_side_are_refused(tmp_path):
    layouts.build(tmp_path)
    layouts.build(tmp_path / "train")
    refused(tmp_path, "several folders with images and masks")
