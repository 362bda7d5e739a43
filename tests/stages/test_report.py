import subprocess
import sys
from pathlib import Path

import pytest

import stages.report
from seglib.errors import SegError
from tests.report_files import Made, write_files

IDS = [f"case-{i}" for i in range(6)]


@pytest.fixture
def inside(tmp_path, monkeypatch):
    """A folder of its own with the files of a run."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path, Made(IDS))


@pytest.mark.usefixtures("inside")
def test_the_stage_writes_one_file(capsys):
    stages.report.main()
    page = Path("reports/index.html").read_bytes()
    assert page.startswith(b"<!doctype html>")
    assert b"\r" not in page
    assert capsys.readouterr().out == f"reports/index.html: {len(page) / 1e6:.1f} MB, open it in a browser\n"
    assert not [file for file in Path("reports").glob("*") if file.name not in ("index.html", "evaluate", "train")]


@pytest.mark.usefixtures("inside")
def test_a_missing_result_is_told():
    Path("reports/evaluate/metrics.json").unlink()
    with pytest.raises(SegError, match="run `dvc repro`"):
        stages.report.main()


def test_the_stage_starts_light():
    code = "import sys, stages.report; print(sorted({'torch', 'monai', 'lightning_fabric', 'cv2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
