"""`seg summary` over experiments that the real DVC queued and ran, of a stage that takes no time."""

import json
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import pytest

from seglib.cli import main
from tests.project import REPOSITORY, Project

PARAMS = "train: {seed: 0, lr: 0.1, workers: 0}\ncompare: {metric: dice, max_drop: 0.01, confidence: 0.95}\n"
PIPELINE = """\
stages:
  evaluate:
    cmd: python measure.py
    deps: [params.yaml, measure.py]
    params: [train.seed, train.lr]
    metrics:
    - reports/evaluate/metrics.json: {cache: false}
"""
SCRIPT = """\
import json, pathlib
from ruamel.yaml import YAML
train = YAML().load(pathlib.Path("params.yaml"))["train"]
assert (train["seed"], train["lr"]) != (2, 0.2)
place = pathlib.Path("reports/evaluate/metrics.json")
place.parent.mkdir(parents=True, exist_ok=True)
place.write_text(json.dumps({"dice": train["lr"] * train["seed"], "n": 3}))
"""


def scratch(root: Path) -> Project:
    for name, text in {"params.yaml": PARAMS, "dvc.yaml": PIPELINE, "measure.py": SCRIPT}.items():
        (root / name).write_text(text)
    project = Project(root)
    project.run("git", "init", "-q", "-b", "main")
    project.run("dvc", "init", "-q")
    project.run("git", "add", "-A")
    project.run("git", "commit", "-qm", "start")
    return project


def refusal(*names: str) -> str:
    """What `seg summary` says where it fails."""
    with redirect_stderr(StringIO()) as said, pytest.raises(SystemExit):
        main(["summary", *names])
    return said.getvalue().rstrip("\n")


def test_a_queue_of_seeds_and_rates_is_summed_up(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    project = scratch(tmp_path)
    assert refusal().startswith("error: no experiments of this commit; run `dvc exp run --queue -S train.seed=0,1,2`")
    sweep = ("-n", "sweep", "-S", "train.lr=0.1,0.2", "-S", "train.seed=1,2")
    project.run("dvc", "exp", "run", "--queue", *sweep)
    main(["summary"])
    assert capsys.readouterr().out.count("): queued\n") == 4

    project.run("dvc", "exp", "run", "--run-all", "--jobs", "2", check=False)
    project.run("dvc", "exp", "run", "-n", "again", "-S", "train.workers=2", "-S", "train.seed=1")
    command = ("python", "-m", "seglib", "summary", "--json")
    found = json.loads(project.run(*command, PYTHONPATH=str(REPOSITORY)).stdout)
    single, pair = found["groups"]
    assert (single["parameters"], single["n"], single["mean"], single["interval"]) == ({"train.lr": 0.2}, 1, 0.2, None)
    assert (pair["parameters"], pair["n"], pair["least"], pair["greatest"]) == ({"train.lr": 0.1}, 2, 0.1, 0.2)
    names = [entry["name"] for entry in pair["runs"]]
    repeated, failed = found["left_out"]
    assert repeated["reason"].startswith("repeats "), "train.workers, on which no stage depends, makes no difference"
    assert {repeated["name"], *names} > {"again"}
    assert (failed["parameters"], failed["reason"]) == ({"train.seed": 2, "train.lr": 0.2}, "failed")

    assert refusal("agian") == "error: no experiment 'agian'; did you mean 'again'?"
    assert refusal("--metric", "dyce") == "error: no metric 'dyce' in the experiments; did you mean 'dice'?"

    project.append("measure.py", "# another commit\n")
    project.run("git", "commit", "-qam", "go on")
    assert refusal().startswith("error: no experiments of this commit")
    main(["summary", *names])
    assert capsys.readouterr().out.startswith("dice: 2 experiments in 1 group\n")
    project.set_params({"compare.metric": "n"})
    main(["summary", *names])
    assert capsys.readouterr().out.startswith("n: 2 experiments in 1 group\n")


def test_without_a_repository_it_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").touch()
    assert refusal().startswith("error: DVC cannot list the experiments: ")
