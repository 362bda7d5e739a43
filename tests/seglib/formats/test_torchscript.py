"""TorchScript: runs without this project, and a stranger's file is refused before any of it runs."""

import subprocess
import sys
import warnings

import pytest
import torch

from seglib.errors import SegError
from seglib.formats import torchscript as form
from tests.contracts.test_formats import TINY, make, random


@pytest.mark.slow
def test_another_program_needs_torch_alone(tmp_path):
    made = make(options=TINY)
    form.write(tmp_path / "model.ts", made.segmenter, made.card)
    raw = random(1, 3, 20, 30)
    torch.save(raw.float(), tmp_path / "raw.pt")
    code = (
        "import sys, torch; model = torch.jit.load('model.ts'); torch.save(model(torch.load('raw.pt')), 'logits.pt'); "
        "assert not {'seglib', 'monai'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-P", "-c", code], check=True, cwd=tmp_path)
    torch.testing.assert_close(torch.load(tmp_path / "logits.pt"), made.logits(raw))


def test_a_strangers_file_has_no_card(tmp_path):
    path = tmp_path / "strange.ts"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.trace(torch.nn.Conv2d(3, 2, 1), torch.zeros(1, 3, 4, 4)), path)
    with pytest.raises(SegError, match=r"strange.ts: has no card, so it was not written by this project"):
        form.read(path, 0)


def test_an_archive_with_nothing_but_a_card_is_told(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "empty.ts", "w") as archive:
        archive.writestr("archive/extra/card", make().card.to_json())
    with pytest.raises(SegError, match=r"empty.ts: not a readable TorchScript file"):
        form.read(tmp_path / "empty.ts", 0)
