"""README's commands are run, block by block, in a throw-away checkout with tiny parameters."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

from seglib.datasets.kvasir import PUBLISHED
from tests.archives import kvasir_archive
from tests.documents import Block, blocks
from tests.environment import lend_environment
from tests.project import REPOSITORY, TINY, Project, make_images, make_project
from tests.server import serve

README = (REPOSITORY / "README.md").read_text()
INSTEAD = {
    "make test": "make --dry-run test",  # it would run this test
    "make lint": "make --dry-run lint",  # takes long, and .ci/run runs it
    "tensorboard --logdir reports/train/logs": "tensorboard --inspect --logdir reports/train/logs",  # never ends
    "dvc gc --workspace": "dvc gc --workspace --force",  # asks before it deletes
    # tiny trainings may get any verdict
    "seg compare main": "seg compare main || true",
    "seg compare main small --html comparison.html": "seg compare main small --html comparison.html || true",
}
NOT_RUN = {
    "pip install dvc-s3": "would change the tests' environment",
    "dvc remote add --default team s3://bucket/segpipe": "needs the package above, the network and an account",
}
DATA_SECTIONS = ("Your own data", "Out of the door", "Kvasir-SEG")
SMALL = {**TINY, "data.name": "mni152", "data.mni152.gap": 20, "train.epochs": 1}
KVASIR = {"preprocess.image_size": 32, "augment.name": "endoscopy"}
KVASIR_RECIPE = "data: {name: kvasir}\n"


BLOCKS = blocks(REPOSITORY / "README.md", "sh")


@pytest.fixture
def checkout(tmp_path: Path, request: pytest.FixtureRequest) -> Project:
    project = make_project(tmp_path / "project", {**SMALL, **request.param})
    lend_environment(project)
    return project


def run(project: Project, block: Block, places: dict[str, str]) -> str:
    """Run a block from the committed state; DVC brings the data along as it needs it."""
    project.run("git", "restore", ".")
    lines = [INSTEAD.get(line, line) for line in block.commands if line not in NOT_RUN]
    script = "\n".join(lines)
    for written, there in places.items():
        script = script.replace(written, there)
    done = project.run("bash", "-euo", "pipefail", "-c", script)
    print(f"$ {script}\n{done.stdout}")
    return done.stdout


def test_shell_commands_stand_in_blocks_that_are_run():
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    assert not re.findall(r"^(?:\$|    ?(?:dvc|seg|make|git|pip) )", prose, re.MULTILINE)
    assert set(re.findall(r"^```(\w*)$", README, re.MULTILINE)) == {"", "sh", "yaml"}
    written = {line for block in BLOCKS for line in block.commands}
    assert {*INSTEAD, *NOT_RUN} <= written, "README no longer has these commands"


def test_paths_and_targets_that_readme_names_exist():
    tree = re.search(r"^## What lies where\n\n```\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert tree
    folder = ""
    for line in tree[1].splitlines():
        for name in re.findall(r"(?:^|(?<=  ))[\w.]+(?:/[\w.]*)?(?=  |$)", line[:20].rstrip()):
            path = f"{folder}{name}" if line.startswith("  ") else name
            assert path in ("data/", "models/", "reports/") or (REPOSITORY / path).exists(), path
        folder = line.strip() if line.endswith("/") else folder
    makefile = (REPOSITORY / "Makefile").read_text()
    for target in re.findall(r"\bmake (?:\w+=\S+ )?(\w+)`", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("checkout", [{}], indirect=True, ids=[""])
def test_first_run_experiments_and_remote(checkout, tmp_path):
    places = {"/srv/dvc": str(tmp_path / "remote")}
    said: dict[str, str] = {}
    for block in BLOCKS:
        if block.section in DATA_SECTIONS:
            continue
        text = run(checkout, block, places)
        said |= dict.fromkeys(block.commands, text)
        if "make repro" in block.commands:
            checkout.run("git", "add", "-A")
            checkout.run("git", "commit", "-qm", "results")
    assert re.search(r"^test side: Dice 0\.\d+, IoU 0\.\d+, n \d+$", said["make repro"], re.MULTILINE)
    assert "dvc repro" in checkout.run("make", "--dry-run", "repro").stdout
    assert re.search(r"model\.unet\.channels\s+\[4, 8\]\s+\[16, 32, 64\]", said["dvc params diff"])
    assert "dvc_plots/index.html" in said["dvc plots diff"]
    assert re.search("^(pass|warn|fail): ", said["seg compare main"], re.MULTILINE)
    assert "small (" in said["seg compare main small --html comparison.html"]
    assert (checkout.root / "comparison.html").exists()
    assert "scalars" in said["tensorboard --logdir reports/train/logs"]
    experiments = checkout.run("dvc", "exp", "list", "--name-only").stdout.split()
    assert {"small", "more-pictures"} < set(experiments)
    assert len(experiments) == 4, "the queue has not run its two"


@pytest.mark.slow
@pytest.mark.parametrize("checkout", [KVASIR], indirect=True, ids=[""])
def test_own_data_and_kvasir(checkout, tmp_path):
    archive, other = kvasir_archive(), kvasir_archive(13)
    copy = tmp_path / "kvasir-seg.zip"
    copy.write_bytes(archive)
    reader = checkout.root / "seglib/datasets/kvasir.py"
    with serve(archive) as simula, serve(other) as mirror:
        text = reader.read_text().replace(PUBLISHED.url, simula.url("kvasir-seg.zip"))
        reader.write_text(text.replace(PUBLISHED.sha256, sha256(archive).hexdigest()))
        (checkout.root / "recipes/kvasir.yaml").write_text(KVASIR_RECIPE)
        checkout.run("git", "commit", "-qam", "Kvasir-SEG from here")
        places = {
            "/data/cells": str(make_images(tmp_path / "cells")),
            "/data/new": str(make_images(tmp_path / "new", 2) / "images"),
            "preprocess.image_size=256": "preprocess.image_size=32",
            "https://mirror.example.org": mirror.address,
            PUBLISHED.sha256: sha256(other).hexdigest(),
            "/data/kvasir-seg.zip": str(copy),
        }
        for block in BLOCKS:
            if block.section in DATA_SECTIONS:
                text = run(checkout, block, places)
                trained = "test side: Dice" in text or "Stage 'evaluate' didn't change" in text
                assert trained or block.section == "Out of the door"
    assert len(simula.requests) == len(mirror.requests) == 1
    assert {path.stem for path in (checkout.root / "predicted/overlays").iterdir()} == {"case00", "case01"}


def test_the_network_is_needed_by_the_listed_commands_only():
    for line in (line for block in BLOCKS for line in block.commands if line not in NOT_RUN):
        assert "://" not in line or "mirror.example.org" in line, line
