"""What stands between the user's data and the list of its samples is told in words."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seglib import plugins
from seglib.errors import SegError
from seglib.io.sample import Sample
from seglib.source import Source, read_source
from tests.archives import kvasir_archive


def read(path: Path) -> Source:
    return read_source({"data": {"name": "kvasir", "path": str(path), "kvasir": {"threshold": 127}}})


def samples_are(monkeypatch: pytest.MonkeyPatch, *ids: str) -> None:
    """Have every data set hold them."""
    samples = [Sample(name, name, lambda: np.zeros(()), lambda: np.zeros(()), str) for name in ids]
    plugin: Any = SimpleNamespace(samples=lambda *_: samples, spec=lambda *_: None)
    monkeypatch.setattr(plugins, "load", lambda *_: plugin)
    monkeypatch.setattr(plugins, "options", lambda *_: None)


def test_the_samples_of_an_archive_are_listed(tmp_path):
    (tmp_path / "a.zip").write_bytes(kvasir_archive(3))
    assert [sample.id for sample in read(tmp_path / "a.zip").samples] == ["case00", "case01", "case02"]


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ((), "holds no samples"),
        (("a", "b", "a"), "ids that stand twice: a; rename the files"),
        (("a", os.fsdecode(b"b\xff")), r"names that are no UTF-8, or hold .*: b\\udcff; rename the files"),
        (("a", "b\rc"), r"hold control characters: b\\rc; rename the files"),
    ],
)
def test_ids_that_cannot_name_samples_are_refused(tmp_path, monkeypatch, ids, said):
    samples_are(monkeypatch, *ids)
    with pytest.raises(SegError, match=said) as caught:
        read(tmp_path)
    str(caught.value).encode()


@pytest.mark.parametrize("broken", ["open_source", "samples", "spec"])
def test_what_may_not_be_read_is_told_wherever_that_shows(tmp_path, monkeypatch, broken):
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "images")

    samples_are(monkeypatch, "a")
    if broken == "open_source":
        monkeypatch.setattr("seglib.source.open_source", denied)
    else:
        setattr(plugins.load(None, ""), broken, denied)  # pyright: ignore
    with pytest.raises(SegError, match=r"cannot be read \(.*Permission denied: 'images'\); make all its files"):
        read(tmp_path)
