import io
import random
import zipfile
from importlib.resources.abc import Traversable

import pytest

from seglib.errors import SegError
from seglib.io import archive
from seglib.io.archive import open_source, read_bytes
from tests.archives import BROKEN, kvasir_archive, pack


def read_all(folder: Traversable) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for child in folder.iterdir():
        if child.is_dir() and child.name:
            found |= {f"{child.name}/{name}": content for name, content in read_all(child).items()}
        elif child.is_file():
            found[child.name] = read_bytes(child)
    return found


def test_an_archive_and_its_folder_read_alike(tmp_path):
    file = tmp_path / "data.zip"
    file.write_bytes(kvasir_archive(2))
    zipfile.ZipFile(file).extractall(tmp_path / "folder")
    assert read_all(open_source(file)) == read_all(open_source(tmp_path / "folder")) != {}


@pytest.mark.parametrize("problem", BROKEN)
def test_a_broken_archive_is_refused_in_words(tmp_path, problem):
    file = tmp_path / "data.zip"
    file.write_bytes(BROKEN[problem])
    with pytest.raises(SegError, match=problem) as caught:
        open_source(file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    "name", ["../a.png", "a/../../b.png", "/etc/passwd", "..\\a.png", "C:\\a.png", "\\\\host\\a.png", "a/..\\..\\b"]
)
def test_an_entry_that_points_outside_is_refused(tmp_path, name):
    file = tmp_path / "data.zip"
    file.write_bytes(pack({"a.png": b"0", name: b"0"}))
    with pytest.raises(SegError, match="points outside"):
        open_source(file)


@pytest.mark.parametrize("name", ["..a.png", "a..b/c.png", "a/...", "α β.png"])
def test_an_odd_name_inside_is_read(tmp_path, name):
    file = tmp_path / "data.zip"
    file.write_bytes(pack({name: b"content"}))
    assert read_all(open_source(file)) == {name: b"content"}


def test_what_packs_well_but_is_small_is_no_bomb(tmp_path):
    file = tmp_path / "data.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("mask.png", bytes(1 << 20))
    assert len(read_all(open_source(file))["mask.png"]) == 1 << 20


def test_a_bomb_is_told_by_its_real_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "HARMLESS_BYTES", 1000)
    file = tmp_path / "data.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("mask.png", bytes(1 << 20))
    with pytest.raises(SegError, match=r"would unpack to 1,048,576: a decompression bomb"):
        open_source(file)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(SegError, match="does not exist"):
        open_source(tmp_path / "nowhere.zip")


def test_a_file_that_is_gone_is_told(tmp_path):
    (tmp_path / "a.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(SegError, match=r"a\.png: cannot be read"):
        read_bytes(tmp_path / "a.png")


def test_damage_anywhere_is_told_in_words_or_does_no_harm(tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            packed.writestr(f"images/{kind}.png", bytes(range(256)) * 2, compress_type=kind)
    file, chance = tmp_path / "data.zip", random.Random(0)
    told = 0
    for _ in range(600):
        damaged = bytearray(content.getvalue())
        for _ in range(chance.choice((1, 1, 3))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        file.write_bytes(damaged[: chance.choice((len(damaged), len(damaged), chance.randrange(len(damaged))))])
        try:
            read_all(open_source(file))
        except SegError:
            told += 1
    assert told > 200
