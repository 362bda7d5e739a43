from pathlib import Path

import pytest

from seglib.errors import SegError
from seglib.io.pairs import find_folder, pair_files


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


def test_folders_that_are_missing_are_told(tmp_path):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(SegError, match="expected the folders images and masks, found pictures"):
        find_folder(tmp_path, "images", "masks")
