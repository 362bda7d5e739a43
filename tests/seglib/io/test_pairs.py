from pathlib import Path

import pytest

from seglib.errors import SegError
from seglib.io.pairs import by_stem, find_folder, pair_files, paired_folders


def touch(root: Path, *names: str) -> Path:
    for name in ("images/", "masks/", *names):
        if name.endswith("/"):
            (root / name).mkdir(parents=True, exist_ok=True)
        else:
            (root / name).write_bytes(b"")
    return root


def names(root: Path) -> dict[str, tuple[str, str]]:
    return {stem: (image.name, mask.name) for stem, (image, mask) in pair_files(root, "images", "masks").items()}


def test_masks_are_named_alike_or_with_mask_behind(tmp_path):
    touch(tmp_path, "images/b.jpg", "images/a.JPG", "masks/a_mask.png", "masks/b.png")
    assert names(tmp_path) == {"a": ("a.JPG", "a_mask.png"), "b": ("b.jpg", "b.png")}


@pytest.mark.parametrize("ending", ["_mask", "-mask", "_label", "-label", "_seg", "-seg"])
def test_what_may_stand_behind_the_name_of_a_mask(tmp_path, ending):
    touch(tmp_path, "images/a.png", f"masks/a{ending}.png")
    assert names(tmp_path) == {"a": ("a.png", f"a{ending}.png")}


def test_an_image_named_mask_keeps_its_own(tmp_path):
    touch(tmp_path, "images/a_mask.png", "masks/a_mask.png")
    assert names(tmp_path) == {"a_mask": ("a_mask.png", "a_mask.png")}


def test_hidden_and_other_files_are_left_out(tmp_path):
    touch(tmp_path, "images/a.png", "masks/a.png", "images/._a.png", "images/.DS_Store", "masks/readme.txt")
    assert list(names(tmp_path)) == ["a"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (("images/a.png", "images/b.png", "masks/a.png"), r"without mask: .*images/b\.png"),
        (("images/a.png", "masks/a.png", "masks/c.png"), r"without image: .*masks/c\.png"),
        (("images/a.png", "masks/c.png"), r"(?s)without mask: .*a\.png.*without image: .*c\.png"),
        (("images/a.png", "images/a.jpg", "masks/a.png"), "two files for 'a'"),
        (("images/a.png", "masks/a.png", "masks/a_mask.png"), "two masks for 'a'"),
        ((), "no images"),
        (("images/a.png", "masks/a.png", "images/b.jp2", "masks/b.jp2"), r"would not be read: .*images/b\.jp2; put"),
        (("images/a.png", "masks/a.png", "images/c/", "images/c/b.png"), r"would not be read: .*images/c/b\.png; put"),
    ],
)
def test_what_does_not_pair_is_named(tmp_path, files, said):
    touch(tmp_path, *files)
    with pytest.raises(SegError, match=said):
        pair_files(tmp_path, "images", "masks")


def test_many_problems_are_listed_in_short(tmp_path):
    touch(tmp_path, *(f"images/{i:02d}.png" for i in range(40)))
    with pytest.raises(SegError, match="and 35 more"):
        pair_files(tmp_path, "images", "masks")


@pytest.mark.parametrize("below", ["", "Kvasir-SEG", "Kvasir-SEG/Kvasir-SEG"])
def test_the_folders_are_found_below_the_root(tmp_path, below):
    touch(tmp_path / below)
    assert find_folder(tmp_path, "images", "masks") == tmp_path / below


@pytest.mark.parametrize("other", ["two", "one/more"])
def test_several_folders_that_fit_are_told(tmp_path, other):
    touch(tmp_path / "one")
    touch(tmp_path / other)
    with pytest.raises(SegError, match=rf"several folders with images and masks: .*one, .*{other}; keep one"):
        find_folder(tmp_path, "images", "masks")


def test_folders_that_are_missing_are_told(tmp_path):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(SegError, match="expected the folders images and masks, found pictures"):
        find_folder(tmp_path, "images", "masks")


@pytest.mark.parametrize(
    ("images", "masks"), [("image", "label"), ("imgs", "mask"), ("JPEGImages", "Annotations"), ("Images", "Labels")]
)
def test_folders_of_other_names_are_found(tmp_path, images, masks):
    (tmp_path / "membrane/train" / images).mkdir(parents=True)
    (tmp_path / "membrane/train" / masks).mkdir()
    (found,) = paired_folders(tmp_path)
    assert (found.images.name, found.masks.name, found.side) == (images, masks, None)


def test_two_folders_of_one_side_are_refused(tmp_path):
    for side in ("val", "valid"):
        touch(tmp_path / side)
    with pytest.raises(SegError, match="several folders of the side val; keep one"):
        paired_folders(tmp_path)


def test_a_side_without_masks_is_named(tmp_path):
    touch(tmp_path, "images/train/", "images/val/", "masks/train/")
    with pytest.raises(SegError, match=r"masks: lacks the folder val that .*images has"):
        paired_folders(tmp_path)


def test_the_longest_suffix_counts(tmp_path):
    touch(tmp_path, "images/a.nii.gz", "images/b.seg.nrrd", "images/c.nrrd", "images/.nrrd", "images/d.gz")
    assert list(by_stem(tmp_path / "images", (".nii.gz", ".nrrd", ".seg.nrrd"))) == ["a", "b", "c"]
