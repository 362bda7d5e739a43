"""`.github/compare.sh`, which the pull request's check runs: both sides computed anew on one machine."""

import pytest

from tests.environment import lend_environment
from tests.project import Project


@pytest.fixture
def compared(project: Project) -> Project:
    """A checkout whose last commit trains one epoch longer; the committed figures are of no machine."""
    lend_environment(project)
    project.repro()
    metrics = project.root / "reports/train/metrics.json"
    metrics.write_text(metrics.read_text().replace('"epochs": 2', '"epochs": 77'))
    project.run("git", "add", "-A")
    project.run("git", "commit", "-qm", "base")
    project.set_params({"train.epochs": 3})
    project.run("git", "commit", "-qam", "head")
    return project


@pytest.mark.slow
def test_base_and_head_are_computed_and_compared(compared):
    before = compared.run("git", "rev-parse", "HEAD").stdout
    done = compared.run(".github/compare.sh", "HEAD^1")
    title, _, header, *rows = done.stdout.splitlines()
    assert title.startswith("### Metrics: ")
    assert header.startswith("| Path ")
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert ["reports/train/metrics.json", "epochs", "2", "3", "1"] in cells
    assert rows[-1].startswith("Both sides were computed on the same machine")
    assert compared.run("git", "rev-parse", "HEAD").stdout == before

    again = compared.run(".github/compare.sh", "HEAD")
    assert "No metric changed." in again.stdout


def test_an_unknown_base_is_refused(project):
    done = project.run(".github/compare.sh", "nowhere", check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: no revision 'nowhere' here")
