"""Whatever is named becomes inputs and reasons, one bad file never hides the others, and nothing is read unasked."""

import os
import tarfile
import warnings
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from seglib.errors import SegError
from seglib.inputs import Input, Unread, open_inputs
from tests.archives import bomb, pack
from tests.layouts import dicom as series
from tests.layouts.msd import write as write_nifti
from tests.opening_inputs import COLOUR, CT, PIXELS, PNG, depths, opened, write


def test_a_folder_of_photographs_with_what_systems_leave_there(tmp_path):
    write(tmp_path, "b10.png", "b9.JPG", "a/x.tif", "c.png/y.webp")
    write(
        tmp_path, "Thumbs.db", ".DS_Store", "notes.txt", "a/desktop.ini", "__MACOSX/._b9.png", ".x.png", content=b"text"
    )
    assert opened(tmp_path) == (["a/x", "b9", "b10", "c_png/y"], {})


def test_images_that_cannot_be_read_are_not_passed_over(tmp_path):
    write(tmp_path, "a.png", "b.HEIC", "c.mhd", "d.jp2")
    names, reasons = opened(tmp_path)
    assert names == ["a"]
    assert list(reasons) == ["b.HEIC", "c.mhd", "d.jp2"]
    assert reasons["b.HEIC"].startswith(f"{tmp_path}/b.HEIC: is of no format that is read; known: .png, .jpg")


def test_what_is_named_itself_is_never_passed_over(tmp_path):
    write(tmp_path, "notes.txt", ".hidden.png", content=b"text")
    names, reasons = opened(tmp_path / "notes.txt", tmp_path / ".hidden.png")
    assert names == ["hidden"]
    assert "notes.txt: is of no format that is read; known" in reasons["notes.txt"]


def test_results_of_an_earlier_run_are_no_inputs(tmp_path, monkeypatch):
    write(tmp_path, "a.png", "out/masks/a.png")
    monkeypatch.chdir(tmp_path)
    for paths in (["."], ["*"], ["a.png", "out"], [str(tmp_path)]):
        assert [item.name for item in open_inputs(paths, COLOUR, without=[Path("out")])] == ["a"]


def test_a_file_that_must_not_be_looked_at_is_told(tmp_path, monkeypatch):
    write(tmp_path, "a.png", "b.png")

    def is_file(path: Path) -> bool:
        if path.name == "a.png":
            raise PermissionError(13, "Permission denied")
        return True

    monkeypatch.setattr(Path, "is_file", is_file)
    names, reasons = opened(tmp_path)
    assert names == ["b"]
    assert reasons == {"a.png": f"{tmp_path}/a.png: cannot be looked into (Permission denied)"}


def test_a_damaged_file_is_told_when_it_is_read_and_the_rest_goes_on(tmp_path):
    write(tmp_path, "a.png", "c.png")
    write(tmp_path, "b.png", content=PNG[:40])
    first, second, third = open_inputs([str(tmp_path)], COLOUR)
    assert isinstance(second, Input)
    with pytest.raises(SegError, match=r"b\.png: not a readable image"):
        second.read()
    for good in (first, third):
        assert isinstance(good, Input)
        assert (good.read().image == PIXELS).all()


def test_files_may_go_while_others_are_read(tmp_path):
    write(tmp_path, "a.png", "b.png")
    found = open_inputs([str(tmp_path)], COLOUR)
    first = next(found)
    (tmp_path / "a.png").unlink()
    assert isinstance(first, Input)
    with pytest.raises(SegError, match=r"a\.png: cannot be read"):
        first.read()
    assert [item.name for item in found] == ["b"]


def test_what_is_not_there_is_told_before_anything_else(tmp_path):
    write(tmp_path, "a.png")
    with pytest.raises(SegError, match=r"b\.png: does not exist.*\n.*\*\.tif: no file matches"):
        open_inputs([str(tmp_path), str(tmp_path / "b.png"), str(tmp_path / "*.tif")], COLOUR)


def test_files_of_one_stem_are_told_apart(tmp_path):
    write(tmp_path, "a.jpg", "a.png", "A.png", "x/a.png")
    assert opened(tmp_path)[0] == ["a", "A-png", "a-2", "x/a"]


def test_names_are_relative_to_what_holds_all_that_is_named(tmp_path):
    write(tmp_path, "d/train/1.png", "d/test/1.png")
    (tmp_path / "d/more.zip").write_bytes(pack({"x/1.png": PNG}))
    assert opened(tmp_path / "d/train", tmp_path / "d/test", tmp_path / "d/more.zip")[0] == [
        "train/1",
        "test/1",
        "more/x/1",
    ]
    assert opened(tmp_path / "d/*/1.png")[0] == ["test/1", "train/1"]
    assert opened(tmp_path / "d/more.zip")[0] == ["x/1"]


@pytest.mark.parametrize("name", ["empty", "empty.zip"])
def test_a_folder_or_archive_of_nothing_is_told(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.zip").write_bytes(pack({"notes.txt": b"text"}))
    assert opened(tmp_path / name)[1][name].startswith(f"{tmp_path}/{name}: holds no image, volume or DICOM series")


def test_an_archive_is_read_without_being_unpacked(tmp_path):
    (tmp_path / "a.zip").write_bytes(pack({"x/b10.png": PNG, "x/b9.png": PNG, "notes.txt": b""}))
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as packed:
        write(tmp_path, "x.png")
        packed.add(tmp_path / "x.png", "y/x.png")
    assert opened(tmp_path / "a.zip") == (["x/b9", "x/b10"], {})
    (found,) = open_inputs([str(tmp_path / "a.tar.gz")], COLOUR)
    assert isinstance(found, Input)
    assert (found.read().image == PIXELS).all()


def twice() -> bytes:
    with warnings.catch_warnings(action="ignore"):
        with zipfile.ZipFile("twice.zip", "w") as packed:
            for _ in range(2):
                packed.writestr("a.png", PNG)
        return Path("twice.zip").read_bytes()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda: pack({"../a.png": PNG, "b.png": PNG}), r"entry '\.\./a\.png' points outside the archive"),
        (lambda: pack({"/a.png": PNG}), "points outside the archive"),
        (twice, "holds 'a.png' twice"),
        (bomb, "a decompression bomb"),
        (
            lambda: pack({"ü.png": PNG}).replace("ü".encode(), b"\xc3\xff"),
            "not a zip or tar archive, or a truncated one",
        ),
        (lambda: b"", r"not a zip or tar archive, or a truncated one \(0 bytes"),
        (lambda: pack({"a.png": PNG})[:-30], "not a zip or tar archive, or a truncated one"),
    ],
)
def test_an_archive_that_cannot_be_trusted_is_told_and_the_rest_goes_on(tmp_path, monkeypatch, content, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.zip").write_bytes(content())
    write(tmp_path, "good.png")
    names, reasons = opened("bad.zip", "good.png")
    assert names == ["good"]
    with pytest.raises(SegError, match=f"bad.zip: .*{said}|bad.zip: {said}"):
        raise SegError(reasons["bad.zip"])


def test_an_encrypted_archive_says_that_a_password_is_asked_for(tmp_path):
    content = bytearray(pack({"a.png": PNG, "b.dcm": b"x"}))
    for start, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = content.find(start)
        while place >= 0:
            content[place + flags] |= 1
            place = content.find(start, place + 1)
    (tmp_path / "a.zip").write_bytes(content)
    first, second = open_inputs([str(tmp_path / "a.zip")], COLOUR)
    assert isinstance(first, Input)
    with pytest.raises(SegError, match=r"a\.zip/a\.png: cannot be read \(File .* is encrypted, password required"):
        first.read()
    assert isinstance(second, Unread)
    assert "is encrypted, password required" in second.reason


def test_an_archive_inside_is_not_opened_but_told(tmp_path):
    inner = pack({"c.png": PNG})
    (tmp_path / "a.zip").write_bytes(pack({"inner.zip": inner, "b.png": PNG}))
    write(tmp_path, "d/inner.tar", content=inner)
    for path in ("a.zip", "d"):
        reasons = opened(tmp_path / path)[1]
        assert len(reasons) == 1
        assert "is an archive inside of what was named, which is not opened; name it itself" in reasons.popitem()[1]


def test_links_in_a_circle_and_pipes_are_told(tmp_path):
    write(tmp_path, "a.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "gone.txt").symlink_to("nowhere.txt")
    (tmp_path / "up").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe.zip")
    names, reasons = opened(tmp_path)
    assert names == ["a"]
    assert sorted(reasons) == ["gone.png", "loop.png", "pipe.png", "pipe.zip"]
    assert all("is no plain file, or a link that leads nowhere" in reason for reason in reasons.values())
    assert list(opened(tmp_path / "pipe.zip")[1]) == ["pipe.zip"]


def test_volumes_and_images_and_series_lie_side_by_side(tmp_path):
    series.write_series(tmp_path / "CT", "p", series.scan(0)[0])
    write(tmp_path, "a.png", content=cv2.imencode(".png", PIXELS.astype(np.uint16))[1].tobytes())
    write_nifti(tmp_path / "b.nii.gz", np.zeros((3, 4, 5), np.int16), np.eye(4))
    assert opened(tmp_path, to=CT) == (["a", "b", "CT"], {})
    assert depths(tmp_path) == {"a": 6, "b": 5, "CT": 3}
