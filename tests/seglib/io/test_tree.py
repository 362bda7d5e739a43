import pytest

from seglib.errors import SegError
from seglib.io.tree import at, path_inside, unique_ids, walk


def test_files_are_found_at_any_depth_but_for_hidden_ones(tmp_path):
    for name in ("b/c/x.PNG", "a/y.png", "z.png", "a/.hidden.png", "__MACOSX/z.png", ".git/z.png", "a/text.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = walk(tmp_path, (".png",))
    assert list(found) == ["a/y.png", "b/c/x.PNG", "z.png"]
    assert all(at(tmp_path, path) == file for path, file in found.items())


def test_a_link_to_a_folder_above_is_passed_over(tmp_path):
    (tmp_path / "data" / "a").mkdir(parents=True)
    (tmp_path / "data" / "a" / "x.png").write_bytes(b"")
    (tmp_path / "data" / "a" / "again").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "b").symlink_to(tmp_path / "data" / "a")
    assert list(walk(tmp_path / "data", (".png",))) == ["a/x.png", "b/x.png"]


@pytest.mark.parametrize(
    ("folder", "path", "expected"),
    [
        ("", "a.png", "a.png"),
        ("x/y", "a.png", "x/y/a.png"),
        ("x/y", "../a.png", "x/a.png"),
        ("x/y", "..\\..\\z\\a.png", "z/a.png"),
        ("x", "./a//b.png", "x/a/b.png"),
    ],
)
def test_a_path_below_the_root_is_plain(folder, path, expected):
    assert path_inside(folder, path, "list.txt") == expected


@pytest.mark.parametrize("path", ["../../a.png", "..\\..\\a.png", "b/../../../a.png", "/a.png", "\\a", "C:/a", "C:\\a"])
def test_a_path_outside_the_root_is_refused(path):
    with pytest.raises(SegError, match=r"list\.txt: the path '.*' (is absolute|points outside)"):
        path_inside("x", path, "list.txt")


def test_ids_are_stems_unless_these_repeat():
    assert unique_ids(["a/x.png", "b/x.png", "b/y.z.png"]) == {
        "a/x.png": "a-x",
        "b/x.png": "b-x",
        "b/y.z.png": "y.z",
    }
