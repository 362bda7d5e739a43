"""A throw-away checkout of the project, driven by the real `dvc` as a user would drive it."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ruamel.yaml import YAML

REPOSITORY = Path(__file__).parent.parent
STAGES = (
    "config",
    "download",
    "preprocess",
    "check",
    "split",
    "weights",
    "train",
    "evaluate",
    "prune",
    "export",
    "report",
)
OUTPUTS = (
    "data/index.json",
    "data/cache",
    "data/quality.json",
    "reports/check/contact_sheet.png",
    "data/split.json",
    "models/encoder.pth",
    "models/best.pt",
    "models/last.pt",
    "reports/train/metrics.json",
    "reports/train/plots",
    "reports/evaluate/metrics.json",
    "reports/evaluate/cases.csv",
    "reports/evaluate/plots",
    "reports/evaluate/overlays",
    "reports/evaluate/pictures",
    "reports/evaluate/thumbnails",
    "models/pruned.pt",
    "reports/prune/metrics.json",
    "models/export",
    "reports/export/metrics.json",
    "reports/export/timing.json",
    "reports/export/plots",
    "reports/index.html",
)
TINY = {
    "data.name": "folder",
    "preprocess.image_size": 32,
    "preprocess.shards": 4,
    "augment.name": "mri",
    "model.unet.channels": [4, 8],
    "train.epochs": 2,
    "train.lr": 0.002,
    "train.threads": 1,
    "evaluate.overlays": 2,
    "export.variants": [],
}
"""Parameters with which the whole pipeline takes seconds."""


@dataclass
class Repro:
    """What one `dvc repro` did."""

    ran: list[str]
    skipped: list[str]
    restored: list[str]
    text: str


@dataclass
class Project:
    """A checkout in a folder of its own, with git history, DVC cache and store of its own."""

    root: Path

    def run(self, *command: str, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout with the tests' Python first on the PATH."""
        environment = {**os.environ, **_environment(), **env}
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} exited with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, *command: str, **env: str) -> subprocess.Popen[str]:
        """Start a command as `run` does, in a process group of its own; all that it prints goes into one pipe."""
        environment = {**os.environ, **_environment(), **env}
        return subprocess.Popen(
            command, cwd=self.root, env=environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def repro(self, *arguments: str, **env: str) -> Repro:
        """Run `dvc repro` and sort the stages by what became of them."""
        return parse_repro(self.run("dvc", "repro", *arguments, check=True, **env).stdout)

    def set_params(self, values: dict[str, Any]) -> None:
        """Set dotted keys of params.yaml; None deletes a key."""
        yaml = YAML()
        file = self.root / "params.yaml"
        params = yaml.load(file)
        for key, value in values.items():
            *parents, last = key.split(".")
            section = params
            for parent in parents:
                section = section[parent]
            section[last] = value
        yaml.dump(params, file)

    def append(self, path: str, text: str) -> None:
        """Add text to the end of a file."""
        with (self.root / path).open("a") as file:
            file.write(text)

    def outputs(self) -> dict[str, bytes]:
        """The bytes of every output that must be the same wherever it is made."""
        found: dict[str, bytes] = {}
        for name in OUTPUTS:
            place = self.root / name
            files = [place] if place.is_file() else sorted(file for file in place.rglob("*") if file.is_file())
            assert files, f"{name} is missing"
            found |= {str(file.relative_to(self.root)): file.read_bytes() for file in files}
        return found

    def clone(self, root: Path) -> "Project":
        """Clone with the working tree's state, but an empty cache and an empty store."""
        self.run("git", "add", "-A")
        self.run("git", "commit", "-qm", "state", "--allow-empty")
        subprocess.run(["git", "clone", "-q", str(self.root), str(root)], check=True)
        return Project(root)


def parse_repro(text: str) -> Repro:
    """Read DVC's own words."""
    return Repro(
        ran=re.findall(r"Running stage '(\w+)'", text),
        skipped=re.findall(r"Stage '(\w+)' didn't change", text),
        restored=re.findall(r"Stage '(\w+)' is cached", text),
        text=text,
    )


def make_project(root: Path, params: dict[str, Any]) -> Project:
    """Copy the repository's files as they are now, committed or not, into a new git repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file() and name != "dvc.lock" and not name.startswith("reports/"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, root / name)
    project = Project(root)
    project.set_params(params)
    project.run("git", "init", "-q", "-b", "main")
    project.run("git", "add", "-A")
    project.run("git", "commit", "-qm", "start")
    return project


def make_images(root: Path, number: int = 12, height: int = 40, width: int = 48) -> Path:
    """Write `images/` and `masks/`: a bright disc on noise, seeded."""
    (root / "images").mkdir(parents=True)
    (root / "masks").mkdir()
    for i in range(number):
        write_pair(root, f"case{i:02d}", seed=i, height=height, width=width)
    return root


def write_pair(root: Path, stem: str, seed: int, height: int = 40, width: int = 48) -> None:
    """Write one image with its mask."""
    random = np.random.default_rng(seed)
    mask = np.zeros((height, width), np.uint8)
    centre = (int(random.integers(12, width - 12)), int(random.integers(12, height - 12)))
    cv2.circle(mask, centre, int(random.integers(5, 11)), 255, -1)
    noise = random.integers(0, 90, (height, width, 3))
    image = np.where(mask[:, :, None] > 0, 160 + noise // 2, noise).astype(np.uint8)
    cv2.imwrite(str(root / "images" / f"{stem}.png"), image)
    cv2.imwrite(str(root / "masks" / f"{stem}.png"), mask)


def _environment() -> dict[str, str]:
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in {"NAME": "test", "EMAIL": "test@example.org"}.items()
    }
    return {
        **identity,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DVC_NO_ANALYTICS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "200",
    }
