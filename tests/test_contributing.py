"""CONTRIBUTING and the development container name only what is there."""

import json
import re
from collections.abc import Iterator

from tests.project import REPOSITORY

TEXT = (REPOSITORY / "CONTRIBUTING.md").read_text()
CONTAINER = json.loads((REPOSITORY / ".devcontainer/devcontainer.json").read_text())
TARGETS = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))


def strings(value: object) -> Iterator[str]:
    """All texts in a JSON value."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def test_the_container_makes_the_environment_with_the_extensions():
    assert re.fullmatch(r"make (\w+)", CONTAINER["postCreateCommand"])[1] in TARGETS  # pyright: ignore
    assert ":3.11" in CONTAINER["image"]
    editor = CONTAINER["customizations"]["vscode"]
    assert {"iterative.dvc", "charliermarsh.ruff", "ms-python.python"} <= set(editor["extensions"])
    assert editor["settings"]["python.defaultInterpreterPath"].endswith("/.venv/bin/python")


def test_the_container_needs_no_secret():
    assert "secrets" not in CONTAINER
    assert not [text for text in strings(CONTAINER) if "localEnv" in text or "mount" in text.lower()]


def test_targets_and_paths_that_the_text_names_exist():
    spans = re.findall(r"`([^`\n]+)`", TEXT) + re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    commands = "\n".join(spans)
    named = set(re.findall(r"\bmake (\w+)", commands))
    assert {"env", "test", "slow", "lint", "deps", "lock"} <= named <= TARGETS
    paths = {word for word in commands.split() if re.search(r"^[\w.]+/|\.(?:yaml|toml|lock|md)$", word)}
    assert len(paths) > 10
    for path in paths - {".venv/bin/activate"}:
        assert (REPOSITORY / path).exists(), path
