"""`dvc.yaml` says what the import graph says."""

import sys

import pytest

from seglib.dependencies import ImportGraph, outdated_files
from tests.project import STAGES


def test_generated_files_are_up_to_date():
    assert outdated_files() == []


def test_selected_plugin_stands_as_a_template_and_unselected_ones_do_not():
    code = ImportGraph().code("train", light=False)
    assert "seglib/models/${model.name}.py" in code
    assert "seglib/models/unet.py" not in code


def test_editing_metrics_trains_nothing():
    graph = ImportGraph()
    assert [s for s in STAGES if "seglib/metrics.py" in graph.code(s, light=False)] == ["evaluate", "export"]


def test_new_import_is_noticed(project):
    project.append("seglib/metrics.py", "\nfrom seglib import recipes  # noqa\n")
    assert project.run("seg", "deps", "--check", check=False).returncode == 1
    project.run("seg", "deps")
    assert "seglib/recipes.py" in (project.root / "dvc.yaml").read_text().partition("evaluate:")[2]


def test_unlisted_library_is_refused(project):
    project.append("seglib/metrics.py", "\nimport pandas  # noqa\n")
    done = project.run("seg", "deps", check=False)
    assert done.returncode == 1
    assert "'pandas' is imported" in done.stderr


@pytest.mark.parametrize("stage", ["config", "download", "split", "weights", "prune", "export", "report"])
def test_light_stage_never_imports_torch(finished, stage):
    command = (
        "import runpy, sys\n"
        f"sys.argv = ['seglib.stage', '{stage}']\n"
        "runpy.run_module('seglib.stage', run_name='__main__')\n"
        "assert not {'torch', 'monai', 'lightning_fabric'} & sys.modules.keys()"
    )
    done = finished.run(sys.executable, "-c", command, check=False)
    assert done.returncode == 0, done.stderr
