import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from seglib.checkpoint import build_segmenter, save_checkpoint
from seglib.errors import SegError
from seglib.io.encoding import as_png
from seglib.opening import open_segmentation
from seglib.serve.server import serve
from tests.model_cards import card
from tests.serving import Client, encoded, picture

ROOT = Path(__file__).parents[3]
PROGRAM = """
from pathlib import Path
from seglib.serve.server import serve
serve(Path("best.pt"), "127.0.0.1", 0, 1, 20, 1)
"""


@pytest.fixture
def model(tmp_path):
    """A small untrained model."""
    torch.manual_seed(0)
    own = card()
    path = tmp_path / "best.pt"
    save_checkpoint(path, own, build_segmenter(own, torch.full((3,), 60.0), torch.full((3,), 60.0)).state_dict())
    return path


def test_the_masks_are_those_of_the_model_and_a_signal_ends_it(model):
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=model.parent, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        line = process.stdout.readline()
        assert line.endswith("in a browser; Ctrl+C ends it\n")
        client = Client(int(line.split("/")[2].split(":")[1]))
        mask = client.post(encoded(), "/predict?only=mask").body
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    expected = open_segmentation(model, "cpu", 1).segment(picture(), None).mask
    assert 0 < expected.sum() < expected.size
    assert mask == as_png(expected)
    assert (process.returncode, said) == (0, "")


BUSY = """
import time
from pathlib import Path
from seglib.serve import server
from tests.serving import Bright
server.open_segmentation = lambda *_, **__: Bright(lambda: time.sleep(60))
server.serve(Path("best.pt"), "127.0.0.1", 0, 1, 0.5)
"""


def test_a_prediction_that_nobody_waits_for_holds_up_no_end():
    command = [sys.executable, "-c", BUSY]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        client = Client(int(process.stdout.readline().split("/")[2].split(":")[1]))
        assert client.post(encoded()).status == 504
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, "")


def test_a_missing_model_is_told(tmp_path):
    with pytest.raises(SegError, match=r"best\.pt"):
        serve(tmp_path / "best.pt", "127.0.0.1", 0, 1, 20)
