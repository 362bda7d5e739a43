"""Pages opened in real Chromium."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
BINARY = "SEG_TEST_BROWSER"
"""Environment variable that names the browser, and makes a missing one a failure."""


def find_browser() -> str:
    """The browser's path; skips the test where none is installed and none is asked for."""
    if wanted := os.environ.get(BINARY):
        found = shutil.which(wanted)
        assert found, f"{BINARY} is '{wanted}', which is no program"
        return found
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or pytest.skip(f"no browser: install Chromium, or name one in {BINARY}")


@dataclass
class Opened:
    """A page, and what it did since it was opened."""

    page: Any
    messages: list[str] = field(default_factory=list)
    """Of its console, and errors of its scripts."""
    requests: list[str] = field(default_factory=list)
    """Addresses it asked for, other than data."""


@contextmanager
def browser() -> Iterator[Any]:
    """A running Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        yield chromium
        chromium.close()


def open_file(chromium: Any, file: Path, width: int, scheme: Literal["light", "dark"] = "light") -> Opened:
    """Open a file from disk in a window of a width."""
    return open_address(chromium, file.as_uri(), width, scheme)


def open_address(chromium: Any, address: str, width: int, scheme: Literal["light", "dark"] = "light") -> Opened:
    """Open an address in a window of a width."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened = Opened(context.new_page())
    opened.page.on("console", lambda message: opened.messages.append(message.text))
    opened.page.on("pageerror", lambda error: opened.messages.append(str(error)))
    opened.page.on(
        "request", lambda request: opened.requests.append(request.url) if request.url[:5] != "data:" else None
    )
    opened.page.goto(address)
    return opened
