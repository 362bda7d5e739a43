import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import stages.prune
from seglib.errors import SegError
from seglib.sections.prune import NO_MODEL

PRUNED = Path("models/pruned.pt")
METRICS = Path("reports/prune/metrics.json")
pytestmark = pytest.mark.usefixtures("inside")


@pytest.fixture
def inside(tmp_path, monkeypatch):
    """A folder of its own, in which nothing has run yet."""
    monkeypatch.chdir(tmp_path)


def choose(ratio: float) -> None:
    YAML().dump({"prune": {"ratio": ratio, "epochs": 1, "lr": 0.001}}, Path("params.yaml"))


def test_switched_off_it_leaves_a_note():
    choose(0.0)
    stages.prune.main()
    assert PRUNED.read_bytes() == NO_MODEL
    assert json.loads(METRICS.read_text()) == {"ratio": 0.0}


def test_a_file_linked_to_a_cache_is_replaced_not_written_through():
    choose(0.0)
    cached = Path("cached")
    cached.write_bytes(b"the last model")
    PRUNED.parent.mkdir()
    os.link(cached, PRUNED)
    stages.prune.main()
    assert PRUNED.read_bytes() == NO_MODEL
    assert cached.read_bytes() == b"the last model"


def test_a_write_that_fails_leaves_the_last_model(monkeypatch):
    choose(0.0)
    PRUNED.parent.mkdir()
    PRUNED.write_bytes(b"the last model")
    write = Path.write_bytes

    def half(path, content):
        write(path, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left"):
        stages.prune.main()
    assert PRUNED.read_bytes() == b"the last model"


def test_without_a_trained_model_it_says_so():
    choose(0.5)
    with pytest.raises(SegError, match=r"models/best.pt is missing: run `dvc repro train`"):
        stages.prune.main()


def test_switched_off_it_starts_light():
    choose(0.0)
    code = (
        "import sys, stages.prune as s; s.main(); print(sorted({'torch', 'monai', 'torch_pruning'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(stages.prune.__file__).parent.parent)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "[]\n"
