import io
import random
import tarfile
import warnings
import zipfile
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from pathlib import Path

import pytest

from seglib.errors import SegError
from seglib.io import archive
from seglib.io.archive import enter, open_source, read_bytes
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


def tar(files: Iterable[tuple[str, bytes]], links: Iterable[tuple[str, str, bytes]] = ()) -> bytes:
    """A tar archive of files, and of links: name, target and kind."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as packed:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            packed.addfile(entry, io.BytesIO(data))
        for name, target, kind in links:
            entry = tarfile.TarInfo(name)
            entry.linkname, entry.type = target, kind
            packed.addfile(entry)
    return content.getvalue()


def opened(folder: Path, content: bytes) -> Traversable:
    (folder / "data.tar").write_bytes(content)
    return open_source(folder / "data.tar")


def test_links_in_a_tar_are_the_files_they_lead_to(tmp_path):
    links = [
        ("b/hard.png", "./a/x.png", tarfile.LNKTYPE),
        ("b/soft.png", "../a/x.png", tarfile.SYMTYPE),
        ("b/chain.png", "soft.png", tarfile.SYMTYPE),
    ]
    found = read_all(opened(tmp_path, tar([("./a/x.png", b"x")], links)))
    assert found == dict.fromkeys(("a/x.png", "b/hard.png", "b/soft.png", "b/chain.png"), b"x")


@pytest.mark.parametrize("target", ["gone.png", "../../x.png", "/etc/passwd", "..", "b.png", ""])
@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.SYMTYPE])
def test_a_link_that_leads_nowhere_or_outside_is_refused(tmp_path, target, kind):
    with pytest.raises(SegError, match=r"data\.tar: the link 'a/b\.png' leads to .*, which is no file in it"):
        opened(tmp_path, tar([("a/x.png", b"x")], [("a/b.png", target, kind)]))


def test_a_sparse_file_is_refused(tmp_path):
    with pytest.raises(SegError, match=r"data\.tar: 'b\.png' is packed as a sparse file"):
        opened(tmp_path, tar([("a.png", b"a")], [("b.png", "", tarfile.GNUTYPE_SPARSE)]))


FILES = [(f"{i}.png", bytes([i]) * 600) for i in range(4)]


@pytest.mark.parametrize("place", [2 * 1536 + 5, 3 * 1536 + 130])
def test_a_flipped_bit_in_a_tar_header_is_told(tmp_path, place):
    content = bytearray(tar(FILES))
    content[place] ^= 1
    with pytest.raises(SegError, match=r"truncated one .*damaged at byte"):
        opened(tmp_path, bytes(content))


@pytest.mark.parametrize("length", [1536, 1536 + 100, 1536 + 512 + 10, 4 * 1536, 4 * 1536 + 500])
def test_a_truncated_tar_is_told_wherever_it_ends(tmp_path, length):
    with pytest.raises(SegError, match="truncated"):
        opened(tmp_path, tar(FILES)[:length])


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path):
    files = [("a.png", b"a"), ("z.zip", pack({"evil.png": b"z"}))]
    assert read_all(opened(tmp_path, tar(files))) == dict(files)


@pytest.mark.parametrize("twin", ["a/x.png", "./a/x.png", "a//x.png"])
def test_two_entries_of_one_name_are_refused(tmp_path, twin):
    with pytest.raises(SegError, match=r"holds 'a/x\.png' twice"):
        opened(tmp_path, tar([("a/x.png", b"1"), (twin, b"2")]))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed, warnings.catch_warnings(action="ignore"):
        packed.writestr("a/x.png", b"1")
        packed.writestr(twin, b"2")
    with pytest.raises(SegError, match=r"holds 'a/x\.png' twice"):
        opened(tmp_path, content.getvalue())


def test_folders_of_old_windows_packers_are_folders(tmp_path):
    root = opened(tmp_path, pack({"images\\": b"", "images\\a.png": b"a", "masks/a.png": b"b"}))
    assert read_all(root) == {"images/a.png": b"a", "masks/a.png": b"b"}
    assert (root / "images").is_dir()


def test_a_damaged_zip_in_an_archive_is_told(tmp_path):
    content = bytearray(pack({"images.zip": pack({"a.png": b"content"})}))
    content[content.index(b"content")] ^= 1
    with pytest.raises(SegError, match=r"images\.zip: cannot be read .*fetch its archive again"):
        enter(opened(tmp_path, bytes(content)), "images")
