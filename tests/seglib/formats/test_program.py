"""Programs of torch.export: a stranger's file is refused before any of it is opened."""

import json
import os
import pickle
import re
import zipfile
from pathlib import Path

import pytest
import torch

from seglib.errors import SegError
from seglib.formats import program as form
from tests.contracts.test_formats import TINY, make


def archive(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"model/{name}", content)


@pytest.mark.slow
def test_a_strangers_program_has_no_card(tmp_path):
    path = tmp_path / "strange.pt2"
    torch.export.save(torch.export.export(torch.nn.Linear(2, 2), (torch.zeros(1, 2),)), path)
    with pytest.raises(SegError, match=r"strange.pt2: has no card, so it was not written by this project"):
        form.read(path, 0)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "has no card"),
        ({"archive_format": "pt2", "data/sample_inputs/model.pt": b"cos\nsystem\n"}, "has no card"),
        ({"extra/card": "hello"}, "its card is not readable"),
        ({"extra/card": b"\xff\xfe"}, "not a readable model file"),
        ({"extra/card": "{}"}, "not a model file of this version"),
        pytest.param({"extra/card": make().card.to_json()}, "not a readable program", marks=pytest.mark.slow),
    ],
)
def test_the_card_is_read_first(tmp_path, members, message):
    archive(tmp_path / "file.pt2", **members)
    with pytest.raises(SegError, match=f"file.pt2: {message}"):
        form.read(tmp_path / "file.pt2", 0)


def damaged(content, header, at, value):
    """The archive, in which a header of its only member has another value."""
    start = content.index(header) + at
    return content[:start] + value + content[start + len(value) :]


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([(LOCAL, 30 + len("model/extra/card"), b"\xff\xff\xff")], id="not deflated"),
        pytest.param([(LOCAL, 6, b"\1"), (CENTRAL, 8, b"\1")], id="encrypted"),
        pytest.param([(LOCAL, 8, b"\x63"), (CENTRAL, 10, b"\x63")], id="compressed in an unknown way"),
        pytest.param([(CENTRAL, 42, b"\xff\xff")], id="elsewhere"),
    ],
)
def test_a_card_that_cannot_be_unpacked_is_told(tmp_path, changes):
    path = tmp_path / "file.pt2"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/extra/card", make().card.to_json())
    for change in changes:
        path.write_bytes(damaged(path.read_bytes(), *change))
    with pytest.raises(SegError, match=r"file.pt2: not a readable model file \("):
        form.read(path, 0)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("exploded",)


PICKLED = pickle.dumps(Bomb())
EVAL = "S('__import__')('os').mkdir('exploded')"


def rebuilt(source, target, members=None, changed=None):
    """The archive with other members, and with keys of its JSON files changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename.endswith(".json"):
                content = json.dumps(replaced(json.loads(content), changed or {})).encode()
            new.writestr(info.filename, content)
        for name, content in (members or {}).items():
            new.writestr(name, content)
    return target


def replaced(value, changed):
    if isinstance(value, list):
        return [replaced(item, changed) for item in value]
    if isinstance(value, dict):
        return {key: changed.get(key, replaced(item, changed)) for key, item in value.items()}
    return value


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A file of the project."""
    made = make(options=TINY)
    path = tmp_path_factory.mktemp("program") / "model.pt2"
    form.write(path, made.segmenter, made.card)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("members", "changed", "told"),
    [
        ({}, {"use_pickle": True}, "use_pickle 'True'"),
        ({}, {"path_name": "opaque_obj_0"}, "path_name 'opaque_obj_0'"),
        ({}, {"expr_str": EVAL}, "expr_str "),
        ({}, {"expr_str": ["a"]}, "expr_str "),
        ({}, {"expr_str": "11=" * 100_000 + "!"}, "expr_str "),
        ({}, {"expr_str": "True" * 25_000 + "!"}, "expr_str "),
        ({}, {"guards_code": [EVAL]}, "guards_code "),
        ({}, {"target": "torch.os.system"}, "target 'torch.os.system'"),
        ({}, {"target": "_operator.methodcaller"}, "target "),
        ({"archive/data/weights/model.pt": PICKLED}, {}, "the member 'data/weights/model.pt'"),
        ({"archive/data/constants/opaque_obj_0": PICKLED}, {}, "the member 'data/constants/opaque_obj_0'"),
        ({"archive/data/aotinductor/model/model.wrapper.so": b"\x7fELF"}, {}, "the member 'data/aotinductor/"),
        ({"version": "8.20"}, {}, "the member ''"),
    ],
)
def test_what_could_run_code_is_refused_unopened(tmp_path, monkeypatch, program, members, changed, told):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.export, "load", lambda *_: pytest.fail("it was opened"))
    path = rebuilt(program, tmp_path / "evil.pt2", members, changed)
    with pytest.raises(SegError, match=f"evil.pt2: has {re.escape(told)}.* which this project never writes"):
        form.read(path, 0)
    assert not Path("exploded").exists()


@pytest.mark.slow
def test_examples_are_refused(tmp_path):
    """Torch unpickles them."""
    exported = torch.export.export(torch.nn.Linear(2, 2), (torch.zeros(1, 2),))
    path = tmp_path / "examples.pt2"
    torch.export.save(exported, path, extra_files={"card": make().card.to_json()})
    with pytest.raises(SegError, match=r"examples.pt2: has example inputs, which this project never writes"):
        form.read(path, 0)


@pytest.mark.slow
def test_an_archive_that_is_only_packed_again_is_read(tmp_path, program):
    logits, _ = form.read(rebuilt(program, tmp_path / "same.pt2"), 0)
    assert logits(torch.zeros(1, 3, 20, 30)).shape == (1, 2, 20, 30)
