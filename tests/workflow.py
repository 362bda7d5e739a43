"""The pull request's job of `.github/workflows/ci.yml`, run here: its own commands, with a stand-in for GitHub."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.project import REPOSITORY, Project

GH = """\
#!/usr/bin/env bash
# Answers as GitHub's command line does: lists the comments of $GITHUB_PLACE, or notes what is written.
set -euo pipefail
if [[ $2 == --paginate ]]; then
  [[ $(<"$GITHUB_PLACE/comments.json") == "[]" ]] || jq --raw-output "$5" "$GITHUB_PLACE/comments.json"
  exit
fi
printf '%s\\n' "${@:1:$#-1}" > "$GITHUB_PLACE/request.txt"
body=${@: -1}
{ printf 'body='; cat "${body#body=@}"; printf '\\n'; } >> "$GITHUB_PLACE/request.txt"
"""


@dataclass
class Job:
    """What became of a job."""

    failed: list[str]
    """Commands that failed; GitHub shows the job red where there is one."""
    request: list[str]
    """Arguments of the request that wrote the pull request's comment, one a line."""
    summary: str
    log: str

    @property
    def comment(self) -> str:
        """What the comment says."""
        return "\n".join(self.request).split("\nbody=", 1)[1]


def compare_steps() -> list[dict[str, Any]]:
    """The steps of the job that compares a pull request with its base."""
    workflow = YAML(typ="safe", pure=True).load(REPOSITORY / ".github/workflows/ci.yml")
    return workflow["jobs"]["compare"]["steps"]


def run_job(project: Project, place: Path, comments: str = "[]", **env: str) -> Job:
    """Run the job's commands in a checkout; after a failure only those that ask for it, as GitHub does."""
    environment = github(place, comments) | {"GITHUB_STEP_SUMMARY": str(place / "summary.md"), **env}
    failed, log = [], ""
    for step in compare_steps():
        if "run" not in step or (failed and "!cancelled()" not in step.get("if", "")):
            continue
        done = project.run("bash", "-e", "-c", step["run"], check=False, **environment)
        log += done.stderr
        if done.returncode:
            failed.append(step["run"])
    request = (place / "request.txt").read_text().splitlines()
    return Job(failed, request, (place / "summary.md").read_text(), log)


def github(place: Path, comments: str) -> dict[str, str]:
    """A stand-in for `gh` in a folder, and the environment in which it is found."""
    (place / "bin").mkdir(parents=True)
    (place / "bin/gh").write_text(GH)
    (place / "bin/gh").chmod(0o755)
    (place / "comments.json").write_text(comments)
    path = f"{place / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {"PATH": path, "GITHUB_PLACE": str(place), "GH_REPO": "owner/name", "PULL_REQUEST": "7"}


def post_comment(text: str, place: Path, comments: str = "[]") -> list[str]:
    """Run `.github/comment.sh`; gives the arguments of the request that writes, one a line."""
    environment = {**os.environ, **github(place, comments)}
    (place / "comment.md").write_text(text)
    command = (str(REPOSITORY / ".github/comment.sh"), "comment.md")
    subprocess.run(command, cwd=place, env=environment, check=True)
    return (place / "request.txt").read_text().splitlines()
