"""What a sample that is read from two files says of them."""

import numpy as np

from seglib.io.sample import file_fingerprint, file_sample


def write(folder, **contents):
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


def test_the_fingerprint_is_that_of_contents_and_names(tmp_path):
    known = file_fingerprint(*write(tmp_path / "one", image=b"1", mask=b"2"))
    assert file_fingerprint(*write(tmp_path / "same", image=b"1", mask=b"2")) == known
    others = [
        file_fingerprint(*write(tmp_path / "content", image=b"1", mask=b"3")),
        file_fingerprint(*write(tmp_path / "name", image=b"1", mask_b=b"2")),
        file_fingerprint(*write(tmp_path / "order", mask=b"2", image=b"1")),
        file_fingerprint(*write(tmp_path / "swapped", image=b"2", mask=b"1")),
        file_fingerprint(*write(tmp_path / "fewer", image=b"1")),
    ]
    assert len({known, *others}) == 6


def test_a_renamed_mask_changes_the_fingerprint_of_its_sample(tmp_path):
    image, mask = write(tmp_path / "case", image=b"1", mask=b"2")
    renamed = mask.rename(mask.with_name("mask2"))
    prints = [file_sample("a", image, each, np.array, np.array).fingerprint for each in (mask, renamed)]
    after = prints[1]()
    renamed.rename(mask)
    assert prints[0]() != after


def test_the_source_is_the_image_with_its_folder(tmp_path):
    image, mask = write(tmp_path / "images", image=b"1", mask=b"2")
    assert file_sample("a", image, mask, np.array, np.array).source == "images/image"
