"""The committed dvc.lock and metrics belong to the committed code, parameters and versions."""

import hashlib
import json

from ruamel.yaml import YAML

from tests.project import REPOSITORY, STAGES


def read(name):
    return YAML(typ="safe").load(REPOSITORY / name)


def test_lock_names_the_code_as_it_is():
    stages = read("dvc.lock")["stages"]
    assert set(stages) == set(STAGES)
    locked = {
        dep["path"]: dep["md5"] for stage in stages.values() for dep in stage["deps"] if dep["path"].endswith(".py")
    }
    stale = [path for path, md5 in locked.items() if hashlib.md5((REPOSITORY / path).read_bytes()).hexdigest() != md5]
    assert stale == [], "run `make repro` and commit dvc.lock with the metrics"


def test_default_reaches_the_dice_it_is_meant_to():
    metrics = json.loads((REPOSITORY / "reports/evaluate/metrics.json").read_text())
    assert metrics["dice"] >= 0.92
