"""Programs of torch.export: a stranger's file is refused before any of it is opened."""

import zipfile

import pytest
import torch

from seglib.errors import SegError
from seglib.formats import program as form
from tests.contracts.test_formats import make


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
