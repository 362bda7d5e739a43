import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import stages.weights
from seglib import download
from seglib.errors import SegError
from seglib.sections.network import NO_WEIGHTS
from tests.server import Fault, serve

CONTENT = bytes(range(256)) * 400
SHA256 = hashlib.sha256(CONTENT).hexdigest()
HALF = len(CONTENT) // 2
ENCODER = Path("models/encoder.pth")
pytestmark = pytest.mark.usefixtures("hurried", "inside")


@pytest.fixture
def inside(tmp_path, monkeypatch):
    """A folder of its own, in which nothing has run yet."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.delenv("DVC_STAGE", raising=False)
    monkeypatch.delenv("DVC_ROOT", raising=False)


@pytest.fixture
def local(tmp_path) -> Path:
    """A weight file that lies elsewhere."""
    file = tmp_path / "vgg16.pth"
    file.write_bytes(CONTENT)
    return file


def select(weights: object, sha256: str = SHA256, name: str = "vgg16_unet") -> None:
    """Write a `params.yaml` that selects a network, which has these weights and other options."""
    options = {"weights": str(weights), "sha256": sha256, "freeze": False, "batch_norm": True}
    networks = {"vgg16_unet": options, "unet": {"channels": [4, 8]}, "empty": None}
    YAML().dump({"model": {"name": name, "head": "auto", "padding": True, **networks}}, Path("params.yaml"))


def run() -> bytes:
    stages.weights.main()
    return ENCODER.read_bytes()


def refusal() -> str:
    with pytest.raises(SegError) as caught:
        stages.weights.main()
    return str(caught.value)


def kept() -> list[bytes]:
    return [file.read_bytes() for file in Path(".store/downloads").glob("*.part")]


@pytest.mark.parametrize("name", ["unet", "empty"])
def test_a_network_without_published_weights_gets_a_note(local, name):
    select(local, name=name)
    assert run() == NO_WEIGHTS


def test_no_weights_give_a_note(local):
    select(local)
    assert run() == CONTENT
    select("", "")
    assert run() == NO_WEIGHTS


def test_a_local_file_is_copied(local):
    select(local)
    assert run() == CONTENT
    assert local.read_bytes() == CONTENT
    assert not ENCODER.is_symlink()


@pytest.mark.parametrize("path", ["gone.pth", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path, path):
    select(tmp_path / path)
    told = refusal()
    assert f"model.vgg16_unet.weights: {tmp_path / path}" in told
    assert "check the path" in told
    assert not ENCODER.exists()


@pytest.mark.parametrize("path", ["vgg16.pth", "../vgg16.pth", "ftp://host/vgg16.pth"])
def test_what_is_neither_absolute_nor_an_address_is_refused(local, path):
    select(path)
    assert "model.vgg16_unet.weights: " in refusal()


def test_a_local_file_with_another_sha256_is_refused(local):
    select(local)
    run()
    local.write_bytes(b"other")
    other = hashlib.sha256(b"other").hexdigest()
    select(local, "0" * 64)
    told = refusal()
    for part in (f"model.vgg16_unet.weights: {local}", other, "0" * 64, "model.vgg16_unet.sha256"):
        assert part in told
    assert ENCODER.read_bytes() == CONTENT


def test_weights_without_sha256_are_refused(local):
    select(local, "")
    assert "model.vgg16_unet: weights and sha256 belong together" in refusal()


def test_an_address_is_fetched(server):
    select(server.url("vgg16-397923af.pth"))
    assert run() == CONTENT
    assert [request.path for request in server.requests] == ["/vgg16-397923af.pth"]
    assert not kept()


def test_weights_that_are_there_are_not_fetched_again(server):
    select(server.url())
    run()
    select(server.url("mirror.pth"))
    assert run() == CONTENT
    assert len(server.requests) == 1


def test_damaged_weights_are_fetched_again(server):
    select(server.url())
    run()
    ENCODER.write_bytes(CONTENT[:-1])
    assert run() == CONTENT


def test_a_broken_download_goes_on_in_the_next_run(server):
    select(server.url())
    server.faults = [Fault(cut=HALF), Fault(status=404)]
    told = refusal()
    assert "404" in told
    assert "check model.vgg16_unet.weights" in told
    have = HALF - HALF % download.BLOCK
    assert kept() == [CONTENT[:have]]
    assert not ENCODER.exists()
    assert run() == CONTENT
    assert server.requests[-1].range == f"bytes={have}-"
    assert not kept()


def test_downloaded_weights_with_another_sha256_are_discarded(server):
    select(server.url(), "0" * 64)
    told = refusal()
    for part in (server.url(), SHA256, "0" * 64, "Check model.vgg16_unet.weights and model.vgg16_unet.sha256"):
        assert part in told
    assert "data." not in told.replace("data.zip", "")
    assert not ENCODER.exists()
    assert not kept()


def test_a_server_that_is_gone_is_told():
    with serve(CONTENT) as gone:
        select(gone.url())
    told = refusal()
    assert "connection broke" in told
    assert told.endswith("(model.vgg16_unet.weights) or a copy (model.vgg16_unet.weights)")


@pytest.mark.parametrize("fetched", [False, True])
def test_a_file_linked_to_a_cache_is_replaced_not_written_through(local, server, fetched):
    cached = Path("cached")
    cached.write_bytes(b"the last weights")
    ENCODER.parent.mkdir()
    os.link(cached, ENCODER)
    select(server.url() if fetched else local)
    assert run() == CONTENT
    assert cached.read_bytes() == b"the last weights"


def test_the_stage_starts_light():
    code = "import sys, stages.weights; print(sorted({'torch', 'monai', 'lightning_fabric'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
