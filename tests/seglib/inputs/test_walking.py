"""Folders are walked in an order that people expect, once each, and without holding their files."""

import os
import tracemalloc
from importlib.resources.abc import Traversable
from pathlib import Path

import pytest

from seglib.inputs.items import Unread
from seglib.inputs.walking import Found, walk
from seglib.io.archive import open_source
from tests.archives import pack


def paths(root: Traversable, before: str = "") -> list[str]:
    return [found.path for found in walk(root, before) if isinstance(found, Found)]


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


NAMES = ("b2.png", "b10.png", "a/10/x.png", "a/9/x.png", "c.png/1.png")
ORDERED = ["a/9/x.png", "a/10/x.png", "b2.png", "b10.png", "c.png/1.png"]


def test_files_come_in_natural_order_folders_in_their_place(tmp_path):
    write(tmp_path, *NAMES)
    assert paths(tmp_path) == ORDERED
    assert paths(tmp_path, "all") == [f"all/{name}" for name in ORDERED]


def test_an_archive_is_walked_alike(tmp_path):
    (tmp_path / "a.zip").write_bytes(pack(dict.fromkeys(NAMES, b"x")))
    assert paths(open_source(tmp_path / "a.zip")) == ORDERED


def test_what_systems_leave_is_passed_over(tmp_path):
    write(tmp_path, ".DS_Store", "Thumbs.db", "a/desktop.ini", "__MACOSX/a.png", ".git/a.png", "DICOMDIR", "a/b.png")
    assert paths(tmp_path) == ["a/b.png"]


def test_links_in_a_circle_end(tmp_path):
    write(tmp_path, "a/x.png", "b/y.png")
    (tmp_path / "a/up").symlink_to(tmp_path)
    (tmp_path / "a/b").symlink_to(tmp_path / "b")
    (tmp_path / "b/a").symlink_to(tmp_path / "a")
    (tmp_path / "loop").symlink_to("loop")
    assert paths(tmp_path) == ["a/b/y.png", "a/x.png", "loop"]


def test_folders_may_be_deeper_than_python_nests_calls(tmp_path):
    name = "d/" * 1500 + "x.png"
    (tmp_path / "a.zip").write_bytes(pack({name: b"x"}))
    assert paths(open_source(tmp_path / "a.zip")) == [name]


def test_a_folder_that_cannot_be_read_is_told_and_the_rest_goes_on(tmp_path, monkeypatch):
    write(tmp_path, "a/x.png", "b/y.png")
    listed = Path.iterdir

    def forbidden(folder):
        if folder.name == "a":
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", forbidden)
    first, second = walk(tmp_path, "")
    assert first == Unread("a", f"{tmp_path}/a: cannot be looked into (Permission denied)")
    assert isinstance(second, Found)
    assert second.path == "b/y.png"


def peak_of_walking(root: Path, number: int) -> int:
    for i in range(number):
        os.close(os.open(root / f"image_of_a_patient_{i}.png", os.O_CREAT))
    tracemalloc.start()
    assert sum(1 for _ in walk(root, "")) == number
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_many_files_cost_no_more_than_their_names(tmp_path):
    assert peak_of_walking(tmp_path, 5_000) < 5_000 * 400


@pytest.mark.slow
def test_a_hundred_thousand_files_cost_no_memory(tmp_path):
    assert peak_of_walking(tmp_path, 100_000) < 40 << 20


def test_the_folder_of_the_results_is_passed_over_unless_it_is_the_root(tmp_path):
    write(tmp_path, "a.png", "out/masks/a.png", "x/out/b.png")
    (tmp_path / "link").symlink_to(tmp_path / "out")

    def without(root: Path, folder: Path) -> list[str]:
        return [found.path for found in walk(root, "", [folder]) if isinstance(found, Found)]

    assert without(tmp_path, tmp_path / "out") == ["a.png", "x/out/b.png"]
    assert without(tmp_path / "out", tmp_path / "out") == ["masks/a.png"]
    assert without(tmp_path / "out/masks", tmp_path / "out") == ["a.png"]
    assert without(tmp_path, tmp_path / "nowhere") == paths(tmp_path)
