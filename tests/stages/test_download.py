import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import stages.download
from seglib import download
from seglib.errors import SegError
from seglib.splitting import SIDES
from tests.archives import BROKEN, digest, kvasir_archive
from tests.kaggle_server import FROM_KAGGLE, KEY, RULES, SECRETS, USER, serve_kaggle
from tests.project import Project
from tests.server import Fault, FileServer, serve

CONTENT = kvasir_archive()
HALF = len(CONTENT) // 2
pytestmark = pytest.mark.usefixtures("hurried")
DAMAGED = CONTENT[:200] + bytes([CONTENT[200] ^ 1]) + CONTENT[201:]
"""As long as it should be, and opened without complaint."""
UNUSABLE = {**BROKEN, "CRC-32 differs": DAMAGED}


@pytest.fixture
def mirrored(project, server, monkeypatch) -> Project:
    """A project that takes Kvasir from the server; the tests run inside of it."""
    point_at(project, server)
    monkeypatch.chdir(project.root)
    return project


def point_at(project: Project, server: FileServer, path: str = "kvasir.zip", sha256: str = digest(CONTENT)) -> None:
    values = {"data.name": "kvasir", "data.url": server.url(path), "data.sha256": sha256}
    project.set_params({**values, "data.path": "data/published"})


@pytest.fixture
def kaggle():
    with serve_kaggle(CONTENT) as kaggle:
        yield kaggle


@pytest.fixture
def from_kaggle(project) -> Project:
    """A project with a data set that lies at Kaggle."""
    (project.root / "seglib/datasets/small.py").write_text(FROM_KAGGLE)
    project.set_params({"data.name": "small", "data.path": "data/published"})
    return project


def raw(project: Project) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((project.root / "data/raw").glob("*"))}


def broken_off(project: Project) -> list[bytes]:
    return [file.read_bytes() for file in (project.root / ".store/downloads").glob("*.part")]


def test_the_archive_arrives_as_it_was_published(mirrored):
    stages.download.main()
    assert raw(mirrored).keys() == {"kvasir.zip", "source.json"}
    assert raw(mirrored)["kvasir.zip"] == CONTENT
    assert json.loads(raw(mirrored)["source.json"])["sha256"] == digest(CONTENT)
    assert not broken_off(mirrored)


def test_an_archive_without_sha256_tells_the_one_it_has(mirrored, server, capsys):
    point_at(mirrored, server, sha256="")
    stages.download.main()
    assert digest(CONTENT) in capsys.readouterr().out
    assert raw(mirrored)["kvasir.zip"] == CONTENT


def test_a_broken_download_lies_in_the_store_until_it_is_complete(mirrored, server):
    server.faults = [Fault(cut=HALF), Fault(status=404)]
    with pytest.raises(SegError, match="404"):
        stages.download.main()
    kept = HALF - HALF % download.BLOCK
    assert broken_off(mirrored) == [CONTENT[:kept]]
    assert raw(mirrored) == {}
    stages.download.main()
    assert server.requests[-1].range == f"bytes={kept}-"
    assert raw(mirrored)["kvasir.zip"] == CONTENT
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
    assert raw(mirrored)[".._evil.zip"] == CONTENT


@pytest.mark.parametrize("problem", UNUSABLE)
def test_an_unusable_archive_is_refused_and_discarded(mirrored, server, problem):
    server.content = UNUSABLE[problem]
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
        return project.run(
            "python", "-m", "seglib.stage", "download", DVC_ROOT=str(mirrored.root), NO_PROXY="127.0.0.1"
        )

    with ThreadPoolExecutor() as pool:
        list(pool.map(start, (mirrored, other)))
    assert raw(mirrored)["kvasir.zip"] == raw(other)["kvasir.zip"] == CONTENT
    assert [request.range for request in server.requests] == [None, None]


def test_changed_code_takes_the_archive_from_the_cache(mirrored):
    with serve(CONTENT) as server:
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
    assert raw(mirrored)["mirror.zip"] == CONTENT
    assert json.loads(raw(mirrored)["source.json"])["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert all(_is_intact(file) for file in (mirrored.root / ".dvc/cache/files/md5").glob("*/*"))


def _is_intact(cached: Path) -> bool:
    name = (cached.parent.name + cached.name).removesuffix(".dir")
    return hashlib.md5(cached.read_bytes()).hexdigest() == name


def test_a_wrong_sha256_leaves_the_last_archive_in_place(mirrored, server):
    stages.download.main()
    before = raw(mirrored)
    point_at(mirrored, server, sha256="0" * 64)
    with pytest.raises(SegError, match=f"{server.url('kvasir.zip')}: sha256 is {digest(CONTENT)}"):
        stages.download.main()
    assert raw(mirrored) == before
    assert not broken_off(mirrored)


def test_the_real_archive_goes_from_a_mirror_to_the_split(project, real_data):
    content = (real_data / "kvasir-seg.zip").read_bytes()
    with serve(content, faults=[Fault(cut=len(content) // 3)]) as server:
        point_at(project, server, sha256=digest(content))
        ran = project.repro("split").ran
    assert ran == ["config", "download", "preprocess", "check", "split"]
    assert [bool(request.range) for request in server.requests] == [False, True]
    assert raw(project)["kvasir.zip"] == content
    sides = json.loads((project.root / "data/split.json").read_text())
    assert sum(len(sides[side]) for side in SIDES) == 697


def test_an_archive_from_kaggle_arrives_as_it_was_published(from_kaggle, kaggle):
    kaggle.blob.faults = [Fault(cut=HALF)]
    done = kaggle.run_stage(from_kaggle.root)
    assert done.code == 0, done.err
    assert raw(from_kaggle).keys() == {"small.zip", "source.json"}
    assert raw(from_kaggle)["small.zip"] == CONTENT
    record = json.loads(raw(from_kaggle)["source.json"])
    assert record == {"kind": "dataset", "slug": "someone/small", "sha256": digest(CONTENT)}
    assert [bool(request.range) for request in kaggle.blob.requests] == [False, True]
    assert not broken_off(from_kaggle)


@pytest.mark.parametrize("problem", UNUSABLE)
def test_an_unusable_archive_from_kaggle_is_refused_and_discarded(from_kaggle, kaggle, problem):
    kaggle.blob.content = UNUSABLE[problem]
    done = kaggle.run_stage(from_kaggle.root)
    assert done.code == 1
    assert done.err.startswith(
        "error: https://www.kaggle.com/datasets/someone/small sent something else than an intact"
    )
    assert problem in done.err
    assert raw(from_kaggle) == {}
    assert not broken_off(from_kaggle)
    kaggle.blob.content = CONTENT
    assert kaggle.run_stage(from_kaggle.root).code == 0


def test_a_newer_local_file_is_not_taken_unverified(from_kaggle, kaggle):
    stale = [
        from_kaggle.root / "data/raw/small.zip",
        from_kaggle.root / "small.zip",
        from_kaggle.root.parent / "home/small.zip",
    ]
    for file in stale:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(DAMAGED)
    assert kaggle.run_stage(from_kaggle.root).code == 0
    assert raw(from_kaggle)["small.zip"] == CONTENT


def test_kept_bytes_that_were_altered_are_found_and_discarded(from_kaggle, kaggle):
    kaggle.blob.faults = [Fault(cut=HALF), Fault(status=403)]
    assert kaggle.run_stage(from_kaggle.root).code == 1
    (partial,) = (from_kaggle.root / ".store/downloads").glob("*.part")
    partial.write_bytes(DAMAGED)
    done = kaggle.run_stage(from_kaggle.root)
    assert done.code == 1
    assert "CRC-32 differs" in done.err
    assert not broken_off(from_kaggle)


def test_the_last_archive_from_kaggle_is_taken_again_only_as_it_was(from_kaggle, kaggle):
    for _ in range(2):
        assert kaggle.run_stage(from_kaggle.root).code == 0
    assert len(kaggle.signed) == 1
    (from_kaggle.root / "data/raw/small.zip").write_bytes(DAMAGED)
    assert kaggle.run_stage(from_kaggle.root).code == 0
    assert len(kaggle.signed) == 2
    assert raw(from_kaggle)["small.zip"] == CONTENT


def test_a_refusal_by_kaggle_leaves_the_last_archive_in_place(from_kaggle, kaggle):
    assert kaggle.run_stage(from_kaggle.root).code == 0
    plugin = from_kaggle.root / "seglib/datasets/small.py"
    plugin.write_text(FROM_KAGGLE.replace("someone/small", "someone/renamed"))
    before = raw(from_kaggle)
    kaggle.refusals = [(404, {"code": 404, "message": "Not found"})]
    done = kaggle.run_stage(from_kaggle.root)
    assert done.code == 1
    assert done.err.startswith("error: there is no dataset 'someone/renamed'")
    assert raw(from_kaggle) == before


def test_the_stage_tells_and_writes_no_key(from_kaggle, kaggle):
    kaggle.blob.faults = [Fault(cut=HALF), Fault(status=403)]
    before = {file for file in from_kaggle.root.parent.rglob("*") if file.is_file()}
    told = [
        kaggle.run_stage(from_kaggle.root, KAGGLE_API_TOKEN="", SEG_TRACEBACK="1"),
        kaggle.run_stage(from_kaggle.root, KAGGLE_API_TOKEN="SENTINEL-WRONG", SEG_TRACEBACK="1"),
        kaggle.run_stage(from_kaggle.root, SEG_TRACEBACK="1", VERBOSE="1"),
    ]
    kaggle.refusals = [(403, RULES)]
    told += [
        kaggle.run_stage(from_kaggle.root, KAGGLE_API_TOKEN="", KAGGLE_USERNAME=USER, KAGGLE_KEY=KEY) for _ in range(2)
    ]
    assert [done.code for done in told] == [1, 1, 1, 1, 0]
    new = {file for file in from_kaggle.root.parent.rglob("*") if file.is_file()} - before
    assert any(file.name == "source.json" for file in new)
    written = [file.read_bytes() for file in new]
    for secret in SECRETS:
        assert not [done for done in told if secret in done.out + done.err]
        assert not [content for content in written if secret.encode() in content]


def test_the_real_archive_goes_from_kaggle_to_its_samples(project, real_data):
    content = (real_data / "carvana-image-masking-challenge.zip").read_bytes()
    project.set_params({"data.name": "carvana", "data.path": "data/published"})
    with serve_kaggle(content, faults=[Fault(cut=len(content) // 3)]) as kaggle:
        done = kaggle.run_stage(project.root)
    assert done.code == 0, done.err
    assert kaggle.asked("DownloadDataFiles") == [{"competitionName": "carvana-image-masking-challenge"}] * 2
    assert raw(project)["carvana-image-masking-challenge.zip"] == content
    code = "import seglib.source as s, seglib.config as c; print(len(s.read_source(c.read_params()).samples))"
    assert project.run("python", "-c", code).stdout == "40\n"
