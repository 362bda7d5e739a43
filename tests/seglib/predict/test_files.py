import os
import stat

import pytest

from seglib.errors import SegError
from seglib.predict.files import inside, refuse_existing, write_atomically, write_with


def test_a_place_lies_inside(tmp_path):
    assert inside(tmp_path, "masks/a/b.png", "c") == [tmp_path / "masks/a/b.png", tmp_path / "c"]


@pytest.mark.parametrize("path", ["../a.png", "masks/../../a.png", "masks/..", "/etc/a.png", "//a"])
def test_no_path_leads_out(tmp_path, path):
    with pytest.raises(SegError, match="would lie outside of it"):
        inside(tmp_path, "masks/a.png", path)


def test_no_link_leads_out(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/masks").symlink_to(tmp_path)
    with pytest.raises(SegError, match=r"masks/a.png would lie outside of it; .* take the link away"):
        inside(tmp_path / "out", "masks/a.png")


def test_what_is_there_is_named(tmp_path):
    places = [tmp_path / name for name in ("a", "b", "link")]
    refuse_existing(places)
    places[0].touch()
    places[2].symlink_to(tmp_path / "nowhere")
    with pytest.raises(SegError, match=r"2 of the files .* there already: .*/a, .*/link; .* --force"):
        refuse_existing(places)


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep/a.txt"
    write_atomically(path, b"one")

    def break_off(new):
        new.write_bytes(b"tw")
        raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        write_with(path, break_off)
    assert [(file.name, file.read_bytes()) for file in path.parent.iterdir()] == [("a.txt", b"one")]
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"


@pytest.mark.parametrize("name", ["a.png", "b.nii.gz", "c"])
def test_nothing_is_written_through_a_link(tmp_path, name):
    """Neither one that waits for the unfinished file nor one that has the place of the finished one."""
    out, victim, seen = tmp_path / "out", tmp_path / "victim", []
    victim.write_bytes(b"precious")
    out.mkdir()
    (out / f".new-{name}").symlink_to(victim)
    (out / name).symlink_to(victim)

    def write(new):
        seen.append((new, new.is_symlink()))
        new.write_bytes(b"mask")

    for _ in range(2):
        write_with(out / name, write)
    assert victim.read_bytes() == b"precious"
    assert not (out / name).is_symlink()
    assert (out / name).read_bytes() == b"mask"
    (one, is_link), (other, _) = seen
    assert one != other
    assert not is_link
    assert (one.parent, one.suffixes) == (out, (out / name).suffixes)
    assert sorted(file.name for file in out.iterdir()) == sorted([name, f".new-{name}"])


def test_a_file_has_the_rights_that_files_have(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a.txt", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SegError, match=r"file/a.txt: cannot be written .*; make room, or correct its rights"):
        write_atomically(tmp_path / "file/a.txt", b"")
