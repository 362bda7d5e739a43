"""The command `seg`, which is the same as `python -m seglib`."""

import subprocess
from pathlib import Path

import pytest

from seglib.cli import main
from tests.project import Project


def seg(project: Project, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return project.run("python", "-m", "seglib", *arguments, check=False, **env)


def test_deps_are_up_to_date_in_a_fresh_checkout(project):
    done = seg(project, "deps", "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "dvc.yaml and versions.yaml are up to date\n"


def test_deps_sees_a_new_import_and_writes_it_down(project):
    project.append("stages/split.py", "\nimport seglib.padding  # noqa: E402, F401\n")
    before = (project.root / "dvc.yaml").read_bytes()
    refused = seg(project, "deps", "--check")
    assert refused.returncode == 1
    assert refused.stderr == "error: dvc.yaml: not what the imports ask for; run `make deps`\n"
    assert (project.root / "dvc.yaml").read_bytes() == before, "--check must not write"

    assert seg(project, "deps").stdout == "wrote dvc.yaml\n"
    written = project.run("git", "diff", "--unified=0", "dvc.yaml").stdout
    added = [line[1:].strip() for line in written.splitlines() if line.startswith("+ ")]
    assert added == ["- seglib/padding.py"]
    assert seg(project, "deps", "--check").returncode == 0


def test_deps_sees_another_version_in_the_lock(project):
    lock = project.root / "requirements.lock"
    lock.write_text(lock.read_text().replace("numpy==", "numpy==9."))
    refused = seg(project, "deps", "--check")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: versions.yaml: ")
    assert seg(project, "deps").stdout == "wrote versions.yaml\n"
    assert "numpy: '9." in (project.root / "versions.yaml").read_text()


def test_clean_deletes_the_store_and_nothing_else(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    Path("params.yaml").touch()
    for place in (".store/shards/a.pt", ".store/downloads/b.part", "data/raw/archive.zip"):
        Path(place).parent.mkdir(parents=True)
        Path(place).touch()
    main(["clean"])
    assert capsys.readouterr().out == "deleted .store\n"
    assert [str(file) for file in Path().rglob("*") if file.is_file()] == ["params.yaml", "data/raw/archive.zip"]
    main(["clean"])
    assert capsys.readouterr().out == ".store does not exist\n"


def test_a_mistake_is_one_message_without_traceback(project):
    done = seg(project, "recipe", "kvasr")
    assert done.returncode == 1
    assert done.stderr == "error: no recipe 'kvasr'; did you mean 'kvasir'?\n"
    asked_for = seg(project, "recipe", "kvasr", SEG_TRACEBACK="1")
    assert asked_for.returncode == 1
    assert "Traceback" in asked_for.stderr


@pytest.mark.parametrize("arguments", [(), ("recipes",), ("recipe",), ("deps", "--chek")])
def test_wrong_usage_is_answered_with_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("usage: seg")


def test_the_installed_command_and_the_module_are_the_same(project):
    assert project.run("seg", "--help").stdout == seg(project, "--help").stdout
    assert seg(project, "recipe", "kvasir").returncode == 0
    assert project.run("seg", "recipe", "kvasir").stdout == "params.yaml already has these parameters\n"


def test_serve_gets_what_the_command_line_says_in_any_folder(tmp_path, monkeypatch):
    from seglib.serve import server

    asked = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(server, "serve", lambda *arguments: asked.append(arguments))
    main(["serve"])
    limits = ["--max-megabytes", "5", "--timeout", "2.5", "--threads", "3"]
    main(["serve", "--model", "a.onnx", "--host", "::1", "--port", "80", *limits])
    assert asked == [(Path("models/best.pt"), "127.0.0.1", 8000, 32, 60.0, 0), (Path("a.onnx"), "::1", 80, 5, 2.5, 3)]


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_serve_needs_a_time_that_ends(seconds, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["serve", "--timeout", seconds])
    assert stopped.value.code == 2
    assert "must be a number of seconds above 0" in capsys.readouterr().err


def test_other_commands_need_a_project(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(["models"])
    assert stopped.value.code == 1
    assert "no params.yaml in " in capsys.readouterr().err
