"""The commands and programs of docs/deploy.md are run in its order, each in a process of its own, on small models."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from seglib import formats, plugins
from seglib.checkpoint import build_segmenter, save_checkpoint
from tests.documents import Block, blocks
from tests.model_cards import card
from tests.project import REPOSITORY, TINY, Project, make_images, make_project

BLOCKS = blocks(REPOSITORY / "docs/deploy.md", "sh", "python")
PIPELINE = ("The files", "16 and 8 bits", "Fewer channels", "NVIDIA GPU")
"""Sections that run the pipeline."""
GPU = "tensorrt.engine"
"""File that is made only where there is an NVIDIA GPU."""
WRITTEN = "http://127.0.0.1:8000"
"""Where the document's server is found."""
Follow = Callable[[Project, Block], str]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two photographs, the first of them `a.png`."""
    folder = make_images(tmp_path / "new", 2) / "images"
    return (folder / "case00.png").rename(folder / "a.png").parent


@pytest.fixture
def follow(photos: Path) -> Iterator[Follow]:
    """Runs a block in a checkout and returns what it printed; a server that it starts stays until the test ends."""
    places, servers = {"/data/photos": str(photos)}, []

    def serve(project: Project) -> str:
        server = project.start("seg", "serve", "--port", "0")
        servers.append(server)
        line = next(line for line in server.stdout or () if "http://" in line)
        places[WRITTEN] = re.findall(r"http://[\d.]+:\d+", line)[0]
        return line

    def run(project: Project, block: Block) -> str:
        text = "\n".join(block.commands)
        if text == "seg serve":
            return serve(project)
        for written, there in places.items():
            text = text.replace(written, there)
        start = ("bash", "-euo", "pipefail", "-c") if block.language == "sh" else (sys.executable, "-c")
        return project.run(*start, text).stdout

    yield run
    for server in servers:
        server.terminate()
        server.communicate(timeout=30)


@pytest.fixture
def shipped(tmp_path: Path) -> Project:
    """A checkout with an untrained model and its exported files, made without the pipeline."""
    project = make_project(tmp_path / "project", TINY)
    described = card(image_size=32)
    torch.manual_seed(1)
    segmenter = build_segmenter(described, torch.full((3,), 90.0), torch.full((3,), 50.0)).eval()
    save_checkpoint(project.root / "models/best.pt", described, segmenter.state_dict())
    for name in ("onnx", "openvino", "torchscript", "program"):
        plugin = plugins.load(formats, name)
        plugin.write(project.root / f"models/export/{name}{plugin.SUFFIX}", segmenter, described)
    return project


def read_mask(path: Path) -> np.ndarray:
    """A grey picture as it is."""
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert found is not None, path
    return found


def test_every_way_to_use_a_model_gives_the_same_mask(shipped, follow):
    said = {block.section: follow(shipped, block) for block in BLOCKS if block.section not in PIPELINE}
    masks = [read_mask(shipped.root / name) for name in ("python.png", "mask.png", "onnx.png")]
    assert all(0.01 < mask.mean() < 0.99 for mask in masks)
    assert np.array_equal(masks[0], masks[1])
    assert (masks[0] != masks[2]).mean() < 0.001
    area = int(masks[0].sum())
    assert f"a,bright,{area},," in (shipped.root / "predicted/cases.csv").read_text()
    assert json.loads((shipped.root / "answer.json").read_text())["classes"][0]["pixels"] == area
    assert '"ready"' in said["seg serve"]
    assert (shipped.root / "by-onnx/masks/a.png").exists()
    assert "torch.Size([1, 2, 40, 48])" in said["Python"]
    assert "(8, 2, 64, 64)" in said["OpenVINO"]
    assert said["TorchScript and torch.export"].count("torch.Size([8, 2, 64, 64])") == 2
    assert "['background', 'bright']" in said["What a file says of itself"]


@pytest.mark.slow
def test_the_document_holds_from_training_on(tmp_path, images, follow):
    """What is not so good after two epochs may be as it is."""
    own = {"data.path": str(images), "export.variants": ["onnx"], "export.max_dice_drop": 1.0}
    project = make_project(tmp_path / "project", TINY | own)
    project.repro()
    project.run("git", "add", "-A")
    project.run("git", "commit", "-qm", "results")
    said = {}
    for block in BLOCKS:
        if GPU not in block.commands[-1]:
            said[block.section] = follow(project, block)
            print(said[block.section])
    assert "torchscript/dice_drop" in said["The files"]
    page = (project.root / "reports/index.html").read_text()
    assert '<th scope="row">pruned_onnx<span' in page
    assert 'id="speed-8-title"' in page
    assert "['background', 'foreground']" in said["What a file says of itself"]
    for name in ("by-int8", "by-pruned"):
        assert (project.root / name / "masks/a.png").exists()


def test_files_and_parameters_that_the_document_names_exist():
    text = (REPOSITORY / "docs/deploy.md").read_text()
    params = (REPOSITORY / "params.yaml").read_text()
    for section, key in re.findall(r"(?<!torch\.)\b(export|prune|preprocess)\.(\w+)\b", text):
        own = re.search(rf"^{section}:\n((?:  .*\n)+)", params, re.MULTILINE)
        assert own, section
        assert f"  {key}: " in own[1], key
