"""Where the result comes from: the software around it, and the commands that make it again."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seglib.fingerprint import stage_versions
from seglib.paths import BEST
from seglib.report.numbers import amount


@dataclass(frozen=True)
class Origin:
    """What the page says of how it came about."""

    software: Mapping[str, str]
    settings: Sequence[tuple[str, str]]
    sha256: str
    """Of the model's file."""
    search: str
    """The command that finds the commits that record the model."""


def origin(params: Mapping[str, Any]) -> Origin:
    """Name versions, settings and the model's file.

    `dvc.lock` records the MD5 of the model, so git can search its history for it; while the report is
    written, the commit that will hold this result does not exist yet.
    """
    train = params["train"]
    return Origin(
        software=dict(sorted(stage_versions("report").items())),
        settings=(
            ("Python", platform.python_version()),
            ("Platform", f"{platform.system()}, {platform.machine()}"),
            ("Device, as set", f"{train['device']}, {amount(train['devices'] * train['nodes'], 'device')}"),
            ("CPU threads", str(train["threads"])),
            ("Precision, as set", train["precision"]),
            ("Deterministic", "yes" if train["deterministic"] else "no"),
        ),
        sha256=_digest("sha256"),
        search=f"git log --all --oneline -S {_digest('md5')} -- dvc.lock",
    )


def _digest(name: str) -> str:
    with BEST.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.new(name, usedforsecurity=False)).hexdigest()
