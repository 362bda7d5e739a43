from contextlib import suppress
from pathlib import Path

import pytest

from seglib.whole_files import whole, write_whole


def test_a_file_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("no space")

    path = tmp_path / "export/model.onnx"
    write_whole(path, b"the first")
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        write_whole(path, b"the second")
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == {"model.onnx": b"the first"}


def test_a_broken_off_write_leaves_nothing(tmp_path):
    with suppress(KeyboardInterrupt), whole(tmp_path / "a.nii.gz") as new:
        new.write_bytes(b"half")
        assert new.name.endswith(".nii.gz")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_the_unfinished_files_name_cannot_be_foreseen(tmp_path):
    names = set()
    for _ in range(3):
        with whole(tmp_path / "a.txt") as new:
            names.add(new.name)
    assert len(names) == 3


def test_a_link_gives_way_and_what_it_leads_to_stays(tmp_path):
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "a.txt").symlink_to("precious")
    write_whole(tmp_path / "a.txt", b"new")
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert not (tmp_path / "a.txt").is_symlink()
