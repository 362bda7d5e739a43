import hashlib
import platform
import subprocess
from pathlib import Path

from seglib.report.origin import origin
from tests.report_files import VERSIONS


def test_versions_are_those_that_the_stage_lists(params):
    software = origin(params).software
    assert software == VERSIONS
    assert list(software) == sorted(software)


def test_settings_and_digest(params):
    params["train"] |= {"threads": 3, "precision": "bf16", "device": "cuda", "devices": 2, "nodes": 2}
    found = origin(params)
    settings = dict(found.settings)
    assert settings["Python"] == platform.python_version()
    assert (settings["CPU threads"], settings["Precision, as set"]) == ("3", "bf16")
    assert settings["Device, as set"] == "cuda, 4 devices"
    assert found.sha256 == hashlib.sha256(Path("models/best.pt").read_bytes()).hexdigest()


def test_the_command_finds_the_commit_that_records_the_model(params):
    digest = hashlib.md5(Path("models/best.pt").read_bytes()).hexdigest()
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    for number, text in enumerate(("nothing", f"md5: {digest}", f"md5: {digest}\nmore")):
        Path("dvc.lock").write_text(text)
        subprocess.run([*git, "add", "dvc.lock"], check=True)
        subprocess.run([*git, "commit", "-qm", f"state {number}"], check=True)
    found = subprocess.run(origin(params).search.split(), capture_output=True, text=True, check=True).stdout
    assert [line.partition(" ")[2] for line in found.splitlines()] == ["state 1"]
