"""`kill -9` at any moment of a training: `dvc repro` goes on after the last finished epoch, to the same bytes."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.kill_driver import installed
from tests.project import TINY, Project

EPOCHS = 10
SETTINGS = {
    "train.epochs": EPOCHS,
    "train.batch_size": 2,
    "train.accumulate": 2,
    "train.workers": 2,
    "optimizer.ema": 0.9,
    "scheduler.name": "plateau",
    "scheduler.plateau.patience": 0,
    "scheduler.plateau.min_delta": 0.05,
}
OUTPUTS = ("models/best.pt", "models/last.pt", "reports/train/metrics.json", "reports/train/plots")
WAITING = "another process trains this very run; waiting for it to end"
CHANGED = "were changed while it ran; undo the change and run `dvc repro`"


def results(project: Project) -> dict[str, bytes]:
    """The bytes of everything that training makes."""
    places = [project.root / name for name in OUTPUTS]
    files = [file for place in places for file in ([place] if place.is_file() else sorted(place.iterdir()))]
    assert {"best.pt", "last.pt", "metrics.json", "loss.tsv", "dice.tsv", "lr.tsv"} == {file.name for file in files}
    return {str(file.relative_to(project.root)): file.read_bytes() for file in files}


def told(text: str) -> list[int]:
    """The epochs that a run says it trained."""
    return [int(number) for number in re.findall(rf"^epoch (\d+)/{EPOCHS}:", text, re.MULTILINE)]


def resumed_after(text: str) -> int:
    """The epoch after which a run says it goes on; 0: it began anew."""
    found = re.search(r"^going on after epoch (\d+) of a training that was broken off$", text, re.MULTILINE)
    return int(found[1]) if found else 0


def states(project: Project) -> list[Path]:
    return [file for file in (project.root / ".store/training").glob("*/*") if file.is_file()]


@dataclass
class Running:
    """A `dvc` that runs in the background, and the stage that it started."""

    dvc: subprocess.Popen[str]
    text: str = ""

    def read_until(self, pattern: str) -> re.Match[str]:
        """Read line by line what dvc and its stages print, until a line begins with the pattern."""
        assert self.dvc.stdout
        for line in self.dvc.stdout:
            self.text += line
            if found := re.match(pattern, line):
                return found
        raise AssertionError(f"{pattern!r} never came; there was:\n{self.text}")

    def stage(self) -> psutil.Process:
        """The stage's own process, the parent of its workers."""
        below = psutil.Process(self.dvc.pid).children(recursive=True)
        return next(process for process in below if process.cmdline()[-2:] == ["seglib.stage", "train"])

    def kill_dvc(self) -> None:
        """Kill dvc alone; its stage stays. Waited for, since to others a process that nobody waits for lives on."""
        self.dvc.kill()
        self.dvc.wait()

    def finish(self) -> str:
        """Read until everything that holds the pipe has ended."""
        assert self.dvc.stdout
        self.text += self.dvc.stdout.read()
        self.dvc.wait()
        return self.text


@contextmanager
def background(project: Project, *command: str, **env: str) -> Iterator[Running]:
    """Run a command of which nothing is left in the end, whatever happens."""
    with project.start(*command, **env) as process:
        try:
            yield Running(process)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def ready(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the finished project with the settings of these tests, not yet trained with them."""
    root = tmp_path_factory.mktemp("ready") / "project"
    shutil.copytree(finished.root, root, symlinks=True)
    project = Project(root)
    project.set_params(SETTINGS)
    project.repro("config")
    return project


@pytest.fixture(scope="module")
def undisturbed(ready: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an undisturbed run makes: the epochs, and the bytes of its outputs."""
    project = copy(ready, tmp_path_factory.mktemp("undisturbed") / "project")
    text = project.run("python", "-m", "seglib.stage", "train").stdout
    assert told(text) == list(range(1, EPOCHS + 1))
    assert not states(project)
    return results(project)


@pytest.fixture
def project(ready: Project, tmp_path: Path) -> Project:
    return copy(ready, tmp_path / "project")


def copy(project: Project, root: Path) -> Project:
    shutil.copytree(project.root, root, symlinks=True)
    return Project(root)


def both(run: Running) -> None:
    """The workers are left to notice it themselves."""
    stage = run.stage()
    run.kill_dvc()
    stage.kill()


def stage_alone(run: Running) -> None:
    run.stage().kill()


def whole_group(run: Running) -> None:
    os.killpg(run.dvc.pid, signal.SIGKILL)


def test_a_killed_training_goes_on_to_the_same_bytes(project: Project, undisturbed: dict[str, bytes]) -> None:
    check_kill(project, undisturbed, both, epoch=3)


@pytest.mark.slow
@pytest.mark.parametrize("kill", [stage_alone, whole_group, both], ids=lambda kill: kill.__name__)
@pytest.mark.parametrize(("epoch", "pause"), [(1, 0.05), (4, 0.0), (6, 0.1)])
def test_kills_at_other_moments(
    project: Project, undisturbed: dict[str, bytes], kill: Callable[[Running], None], epoch: int, pause: float
) -> None:
    check_kill(project, undisturbed, kill, epoch, pause)


@pytest.mark.slow
def test_a_training_of_other_settings_goes_on_too(ready: Project, tmp_path: Path) -> None:
    """A schedule of the step, dropout, no average and no workers."""
    values = {"scheduler.name": "cosine", "optimizer.ema": 0.0, "train.workers": 0, "model.unet.dropout": 0.2}
    other, project = (copy(ready, tmp_path / name) for name in ("undisturbed", "killed"))
    for each in (other, project):
        each.set_params(values)
    assert told(other.repro("train").text) == list(range(1, EPOCHS + 1))
    check_kill(project, results(other), both, epoch=4)


def check_kill(
    project: Project, undisturbed: dict[str, bytes], kill: Callable[[Running], None], epoch: int, pause: float = 0.0
) -> None:
    """Kill after an epoch, look at what is left, and go on; a kill that comes late finds the training waiting."""
    waiting = installed(project.root.with_name("driver"), "state", epoch + 3, signal.SIGSTOP)
    with background(project, "dvc", "repro", "train", **waiting) as run:
        run.read_until(f"epoch {epoch}/")
        time.sleep(pause)
        kill(run)
        before = told(run.finish())
    assert run.dvc.returncode
    assert states(project)

    text = project.repro("train").text
    done = resumed_after(text)
    assert before[-1] <= done <= before[-1] + 1  # a state is saved just before it is told
    assert told(text) == list(range(done + 1, EPOCHS + 1))
    assert_ended_well(project, undisturbed)


def assert_ended_well(project: Project, undisturbed: dict[str, bytes]) -> None:
    """The outputs are those of the undisturbed run, DVC agrees, and no state is left."""
    assert results(project) == undisturbed
    assert not states(project)
    again = project.repro("train")
    assert not again.ran
    assert "train" in again.skipped
    assert results(project) == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "count", "finished_epochs"),
    [("state", 1, 0), ("state", 3, 2), ("best-2.pt", 1, 1), ("last.pt", 1, EPOCHS)],
)
def test_kills_inside_a_write(
    project: Project, undisturbed: dict[str, bytes], tmp_path: Path, name: str, count: int, finished_epochs: int
) -> None:
    killed = project.run("dvc", "repro", "train", check=False, **installed(tmp_path / "driver", name, count))
    assert killed.returncode
    assert "exited with -9" in killed.stderr
    assert told(killed.stdout) == list(range(1, finished_epochs + 1))
    text = project.repro("train").text
    assert resumed_after(text) == finished_epochs
    assert told(text) == list(range(finished_epochs + 1, EPOCHS + 1))
    assert_ended_well(project, undisturbed)


@pytest.mark.slow
def test_after_dvc_alone_was_killed_the_next_waits_for_the_orphan(
    project: Project, undisturbed: dict[str, bytes]
) -> None:
    with background(project, "dvc", "repro", "train") as run:
        run.read_until("epoch 1/")
        orphan = run.stage()
        run.kill_dvc()
        orphan.suspend()  # so that the second comes while the first still trains
        with background(project, "dvc", "repro", "train") as second:
            second.read_until(WAITING)
            orphan.resume()
            text = second.finish()
        first = run.finish()
    assert told(first) == list(range(1, EPOCHS + 1))
    assert "Traceback" not in first
    assert second.dvc.returncode == 0, text
    assert resumed_after(text) == EPOCHS
    assert not told(text)
    assert_ended_well(project, undisturbed)


@pytest.mark.slow
def test_an_orphan_of_other_parameters_is_waited_for(project: Project, undisturbed: dict[str, bytes]) -> None:
    """Else it would write its model over the new one."""
    project.set_params({"train.lr": 0.004})
    with background(project, "dvc", "repro", "train") as run:
        run.read_until("epoch 1/")
        orphan = run.stage()
        run.kill_dvc()
        orphan.suspend()
        project.set_params({"train.lr": TINY["train.lr"]})
        with background(project, "dvc", "repro", "train") as second:
            second.read_until("another process trains another run in this folder; waiting for it to end")
            orphan.resume()
            text = second.finish()
        first = run.finish()
    assert told(first) == list(range(1, EPOCHS + 1))
    assert CHANGED in first
    assert second.dvc.returncode == 0, text
    assert told(text) == list(range(1, EPOCHS + 1))
    assert results(project) == undisturbed
    assert not project.repro("train").ran


@pytest.mark.slow
def test_an_edit_during_training_is_never_recorded_as_its_parameters(
    project: Project, undisturbed: dict[str, bytes]
) -> None:
    before = results(project)
    with background(project, "dvc", "repro", "train") as run:
        run.read_until("epoch 1/")
        stage = run.stage()
        stage.suspend()
        project.set_params({"train.lr": 0.004})
        stage.resume()
        assert CHANGED in run.finish()
    assert run.dvc.returncode
    assert results(project) == before
    project.set_params({"train.lr": TINY["train.lr"]})
    text = project.repro("train").text
    assert resumed_after(text) == EPOCHS
    assert not told(text)
    assert_ended_well(project, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("change", ["train.lr", "seglib/losses/dice_ce.py"])
def test_what_was_changed_after_a_kill_begins_anew(project: Project, change: str) -> None:
    with background(project, "dvc", "repro", "train") as run:
        run.read_until("epoch 3/")
        both(run)
        run.finish()
    left = states(project)
    assert left
    if change == "train.lr":
        project.set_params({"train.lr": 0.001})
    else:
        project.append(change, "\n# changed\n")
    text = project.repro("train").text
    assert not resumed_after(text)
    assert told(text) == list(range(1, EPOCHS + 1))
    assert states(project) == left


@pytest.mark.slow
def test_of_two_experiments_of_one_run_the_second_waits(project: Project, undisturbed: dict[str, bytes]) -> None:
    project.run("git", "add", "-A")
    project.run("git", "commit", "-qm", "ready")
    command = ["dvc", "exp", "run", "--temp", "train", "-n"]
    with background(project, *command, "one") as one:
        one.read_until("epoch 1/")
        stage = one.stage()
        stage.suspend()
        with background(project, *command, "two") as two:
            two.read_until(WAITING)
            stage.resume()
            text = two.finish()
        assert told(one.finish()) == list(range(1, EPOCHS + 1))
    assert [one.dvc.returncode, two.dvc.returncode] == [0, 0], text
    assert resumed_after(text) == EPOCHS
    assert not states(project)
    for name in ("one", "two"):
        project.run("dvc", "exp", "apply", name)
        project.run("dvc", "checkout", "train")
        assert results(project) == undisturbed
