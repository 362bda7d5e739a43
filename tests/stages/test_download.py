import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import stages.download
from seglib import download
from seglib.errors import SegError
from tests.archives import BROKEN, digest, kvasir_archive
from tests.project import Project
from tests.server import Fault, FileServer, serve

ARCHIVE = kvasir_archive()
HALF = len(ARCHIVE) // 2


@pytest.fixture(autouse=True)
def _hurry(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "PAUSE", 0.0)
    monkeypatch.setattr(download, "READ_TIMEOUT", 0.3)


@pytest.fixture
def server():
    with serve(ARCHIVE) as server:
        yield server


@pytest.fixture
def mirrored(project, server, monkeypatch) -> Project:
    """A project that takes Kvasir from the server; the tests run inside of it."""
    point_at(project, server)
    monkeypatch.chdir(project.root)
    return project


def point_at(project: Project, server: FileServer, path: str = "kvasir.zip", sha256: str = digest(ARCHIVE)) -> None:
    values = {"data.name": "kvasir", "data.url": server.url(path), "data.sha256": sha256}
    project.set_params({**values, "data.path": "data/published"})


def raw(project: Project) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((project.root / "data/raw").glob("*"))}


def broken_off(project: Project) -> list[bytes]:
    return [file.read_bytes() for file in (project.root / ".store/downloads").glob("*.part")]


def test_the_archive_arrives_as_it_was_published(mirrored):
    stages.download.main()
    assert raw(mirrored).keys() == {"kvasir.zip", "source.json"}
    assert raw(mirrored)["kvasir.zip"] == ARCHIVE
    assert json.loads(raw(mirrored)["source.json"])["sha256"] == digest(ARCHIVE)
    assert not broken_off(mirrored)


def test_an_archive_without_sha256_tells_the_one_it_has(mirrored, server, capsys):
    point_at(mirrored, server, sha256="")
    stages.download.main()
    assert digest(ARCHIVE) in capsys.readouterr().out
    assert raw(mirrored)["kvasir.zip"] == ARCHIVE


def test_a_broken_download_lies_in_the_store_until_it_is_complete(mirrored, server):
    server.faults = [Fault(cut=HALF), Fault(status=404)]
    with pytest.raises(SegError, match="404"):
        stages.download.main()
    kept = HALF - HALF % download.BLOCK
    assert broken_off(mirrored) == [ARCHIVE[:kept]]
    assert raw(mirrored) == {}
    stages.download.main()
    assert server.requests[-1].range == f"bytes={kept}-"
    assert raw(mirrored)["kvasir.zip"] == ARCHIVE
    assert not broken_off(mirrored)


def test_a_stalled_server_leaves_the_last_archive_in_place(mirrored, server):
    stages.download.main()
    before = raw(mirrored)
    point_at(mirrored, server, sha256=digest(b"other"))
    server.faults = [Fault(stall=HALF)] + [Fault(stall=0)] * (download.ATTEMPTS - 1)
    with pytest.raises(SegError, match="the server stalled"):
        stages.download.main()
    assert raw(mirrored) == before
    assert len(broken_off(mirrored)) == 1


def test_a_name_that_points_outside_stays_inside(mirrored, server):
    before = {file for file in mirrored.root.parent.rglob("*") if ".git" not in file.parts}
    point_at(mirrored, server, "%2e%2e%2f%2e%2e%2f..%5cevil.zip")
    stages.download.main()
    new = {file for file in mirrored.root.parent.rglob("*") if ".git" not in file.parts} - before
    assert {file.name for file in new if file.is_file()} == {".._evil.zip", "source.json"} | {
        file.name for file in (mirrored.root / ".store/downloads").glob("*.lock")
    }
    assert raw(mirrored)[".._evil.zip"] == ARCHIVE


@pytest.mark.parametrize("problem", BROKEN)
def test_an_unusable_archive_is_refused_and_discarded(mirrored, server, problem):
    server.content = BROKEN[problem]
    point_at(mirrored, server, sha256="")
    with pytest.raises(SegError, match=problem) as caught:
        stages.download.main()
    assert server.url("kvasir.zip") in str(caught.value)
    assert raw(mirrored) == {}
    assert not broken_off(mirrored)


def test_another_source_leaves_nothing_of_the_last(mirrored, images):
    stages.download.main()
    mirrored.set_params({"data.name": "folder", "data.url": "", "data.sha256": "", "data.path": str(images)})
    stages.download.main()
    assert raw(mirrored).keys() == {"source.json"}
    mirrored.set_params({"data.name": "mni152", "data.path": "data/published"})
    stages.download.main()
    assert sum(name.endswith(".nii.gz") for name in raw(mirrored)) == 3


def test_two_experiments_that_download_at_once_get_the_same_archive(mirrored, server):
    server.pause = 0.05
    other = mirrored.clone(mirrored.root.parent / "experiment")

    def start(project: Project):
        return project.run("python", "-m", "stages.download", DVC_ROOT=str(mirrored.root), NO_PROXY="127.0.0.1")

    with ThreadPoolExecutor() as pool:
        list(pool.map(start, (mirrored, other)))
    assert raw(mirrored)["kvasir.zip"] == raw(other)["kvasir.zip"] == ARCHIVE
    assert [request.range for request in server.requests] == [None, None]


def test_changed_code_takes_the_archive_from_the_cache(mirrored):
    with serve(ARCHIVE) as server:
        point_at(mirrored, server)
        assert mirrored.repro("download").ran == ["config", "download"]
        before = raw(mirrored)
        mirrored.append("seglib/io/images.py", "# a comment\n")
        assert mirrored.repro("download").ran == ["config", "download"]
        assert len(server.requests) == 1
    mirrored.append("seglib/io/images.py", "# the server is gone\n")
    assert mirrored.repro("download").ran == ["config", "download"]
    assert raw(mirrored) == before


def test_another_mirror_of_the_same_archive_leaves_a_linked_cache_intact(mirrored, server):
    mirrored.run("dvc", "config", "cache.type", "hardlink")
    mirrored.repro("download")
    point_at(mirrored, server, "mirror.zip")
    mirrored.repro("download")
    assert len(server.requests) == 1
    assert raw(mirrored)["mirror.zip"] == ARCHIVE
    assert json.loads(raw(mirrored)["source.json"])["sha256"] == hashlib.sha256(ARCHIVE).hexdigest()
    assert all(_is_intact(file) for file in (mirrored.root / ".dvc/cache/files/md5").glob("*/*"))


def _is_intact(cached: Path) -> bool:
    name = (cached.parent.name + cached.name).removesuffix(".dir")
    return hashlib.md5(cached.read_bytes()).hexdigest() == name


def test_a_wrong_sha256_leaves_the_last_archive_in_place(mirrored, server):
    stages.download.main()
    before = raw(mirrored)
    point_at(mirrored, server, sha256="0" * 64)
    with pytest.raises(SegError, match=f"{server.url('kvasir.zip')}: sha256 is {digest(ARCHIVE)}"):
        stages.download.main()
    assert raw(mirrored) == before
    assert not broken_off(mirrored)


def test_the_real_archive_goes_from_a_mirror_to_the_split(project, real_data):
    content = (real_data / "kvasir-seg.zip").read_bytes()
    with serve(content, faults=[Fault(cut=len(content) // 3)]) as server:
        point_at(project, server, sha256=digest(content))
        ran = project.repro("split").ran
    assert ran == ["config", "download", "preprocess", "split"]
    assert [bool(request.range) for request in server.requests] == [False, True]
    assert raw(project)["kvasir.zip"] == content
    sides = json.loads((project.root / "data/split.json").read_text())
    assert sum(map(len, sides.values())) == 697
