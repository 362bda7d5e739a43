"""A repository of the real git and DVC whose one stage, `evaluate`, makes up its figures and takes no time."""

import os
import sys
import warnings
from contextlib import chdir
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dvc.repo import Repo
from dvc.repo.reproduce import reproduce

from tests.project import REPOSITORY, Project

PARAMS = """\
train: {seed: 0, gain: 0.0, workers: 0}
evaluate: {overlays: 0, tolerance: 2.0, confidence: 0.95}
compare: {metric: dice, max_drop: 0.01, confidence: 0.95}
"""
PIPELINE = """\
stages:
  evaluate:
    cmd: python measure.py
    deps: [measure.py]
    params:
    - train.seed
    - train.gain
    - evaluate
    - versions.yaml: [numpy]
    outs:
    - reports/evaluate/cases.csv
    - reports/evaluate/thumbnails
    metrics:
    - reports/evaluate/metrics.json: {cache: false}
"""
SCRIPT = '''\
"""Stands for the whole pipeline."""

from tests.made_up import measure

measure()
'''
IGNORED = "/reports/evaluate/cases.csv\n/reports/evaluate/thumbnails\n__pycache__/\n"


def make_measured(root: Path, *, subdir: bool = False) -> Project:
    """A repository, or a folder of one, with the results of its first commit."""
    root.mkdir(parents=True, exist_ok=True)
    files = {
        "params.yaml": PARAMS,
        "versions.yaml": "numpy: '2'\n",
        "dvc.yaml": PIPELINE,
        "measure.py": SCRIPT,
        ".gitignore": IGNORED,
    }
    for name, text in files.items():
        (root / name).write_text(text)
    project = Project(root)
    project.run("git", "init", "-q", "-b", "main", "../" if subdir else ".")
    project.run("dvc", "init", "-q", *(["--subdir"] if subdir else []))
    commit(project, "start")
    return project


def commit(project: Project, message: str, **params: Any) -> str:
    """Set parameters (`train__gain`), run the pipeline, commit the results; gives the commit's id."""
    project.set_params({key.replace("__", "."): value for key, value in params.items()})
    _reproduce(project.root)
    project.run("git", "add", "-A")
    project.run("git", "commit", "-qm", message, "--allow-empty")
    return project.run("git", "rev-parse", "HEAD").stdout.strip()


def _reproduce(root: Path) -> None:
    """As `dvc repro`, without its start, which takes longer than the stage."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with patch.dict(os.environ, PATH=path, PYTHONPATH=str(REPOSITORY)), warnings.catch_warnings(), chdir(root):
        warnings.simplefilter("ignore")
        with Repo() as repo:
            reproduce(repo)
