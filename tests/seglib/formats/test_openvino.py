"""OpenVINO: two files that belong together, float32 unless they say otherwise, no telemetry."""

import subprocess
import sys

import pytest
import torch

from seglib.errors import SegError
from seglib.formats import openvino as form
from tests.contracts.test_formats import TINY, make, random
from tests.project import REPOSITORY


@pytest.fixture(scope="module")
def made():
    return make(options=TINY)


@pytest.fixture
def path(made, tmp_path):
    path = tmp_path / "model.xml"
    form.write(path, made.segmenter, made.card)
    return path


def test_both_files_are_needed(path):
    path.with_suffix(".bin").unlink()
    with pytest.raises(SegError, match=r"model.xml: its weights, model.bin, are missing; keep both files together"):
        form.read(path, 0)


def test_cut_weights_are_told(path):
    weights = path.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes()[:-50])
    with pytest.raises(SegError, match="not a readable OpenVINO model"):
        form.read(path, 0)


def test_a_strangers_file_has_no_card(path):
    path.write_text(path.read_text().replace("<seg>", "<other>").replace("</seg>", "</other>"))
    with pytest.raises(SegError, match="has no card, so it was not written by this project"):
        form.read(path, 0)


def test_the_file_says_which_arithmetic_it_wants(path, made):
    raw = random(1, 3, 48, 64)
    wanted = made.logits(raw)
    exact, _ = form.read(path, 1)
    torch.testing.assert_close(exact(raw), wanted, atol=1e-4, rtol=1e-4)
    path.write_text(path.read_text().replace('<precision value="f32" />', '<precision value="bf16" />'))
    rounded, _ = form.read(path, 1)
    torch.testing.assert_close(rounded(raw), wanted, atol=0.1 * float(wanted.abs().max()), rtol=0)


def test_an_unknown_arithmetic_is_told(path):
    path.write_text(path.read_text().replace('<precision value="f32" />', '<precision value="f3" />'))
    with pytest.raises(SegError, match="OpenVINO cannot run it"):
        form.read(path, 0)


def test_results_stay_as_they_are_when_another_image_follows(path):
    logits, _ = form.read(path, 1)
    first = logits(random(1, 3, 32, 32))
    before = first.clone()
    logits(255 - random(1, 3, 32, 32))
    assert torch.equal(first, before)


def test_threads_may_share_a_model(path, made):
    from concurrent.futures import ThreadPoolExecutor

    logits, _ = form.read(path, 1)
    images = [random(1, 3, side, 40) for side in range(20, 36)]
    with ThreadPoolExecutor(4) as pool:
        for raw, found in zip(images, pool.map(logits, images), strict=True):
            torch.testing.assert_close(found, made.logits(raw), atol=1e-4, rtol=1e-4)


SIGNALLED = """
import faulthandler, signal, subprocess, sys, threading
from pathlib import Path
import torch
from seglib.formats import openvino
faulthandler.enable()
signal.signal(signal.SIGCHLD, lambda *_: None)
used = [openvino.read(Path(sys.argv[1]), 1)[0]]
used[0](torch.zeros(1, 3, 32, 32))
last = threading.Thread(target=used.clear)
last.start()
last.join()
subprocess.run(["true"], check=True)
"""


def test_signals_arrive_after_the_last_model_was_closed_in_another_thread(path):
    subprocess.run([sys.executable, "-c", SIGNALLED, path], check=True, cwd=REPOSITORY)


def test_nothing_is_sent_and_nothing_is_left_at_home(tmp_path):
    code = (
        "import socket, sys, threading; socket.socket.connect = lambda *_: sys.exit('a connection'); "
        "from seglib.openvino_runtime import openvino; openvino(); "
        "assert 'openvino' in sys.modules; assert threading.active_count() == 1"
    )
    environment = {"HOME": str(tmp_path / "home"), "PATH": ""}
    (tmp_path / "home").mkdir()
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY, env=environment)
    assert list((tmp_path / "home").iterdir()) == []
