"""The server under many clients at once, bad ones among them."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import torch

from seglib.checkpoint import build_segmenter, save_checkpoint
from seglib.serve.uploads import MEGABYTE
from tests.model_cards import card
from tests.serving import LIMITS, Answer, Bright, Client, encoded, serving

PHOTO = encoded()
AWAY = 503
"""Status of who comes while the queue is full."""


def hang_up(client: Client) -> None:
    """Announce a long body, send a little, and go."""
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + PHOTO)


def babble(client: Client) -> None:
    """Send what is no HTTP."""
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as connection:
        connection.sendall(bytes(range(256)) * 4)
        assert b" 400 " in connection.recv(4096).splitlines()[0]


ASKED: dict[str, tuple[Callable[[Client], Answer | None], int]] = {
    "good": (lambda client: client.post(PHOTO), 200),
    "mask": (lambda client: client.post(encoded(".jpg"), "/predict?only=mask"), 200),
    "text": (lambda client: client.post(b"no image"), 415),
    "empty": (lambda client: client.post(b""), 415),
    "truncated": (lambda client: client.post(PHOTO[:70]), 422),
    "long": (lambda client: client.post(bytes(2 * MEGABYTE)), 413),
    "foreign": (lambda client: client.post(PHOTO, Origin="http://evil.example"), 403),
    "page": (lambda client: client.get("/"), 200),
    "gone": (hang_up, 0),
    "babble": (babble, 0),
}
"""What clients do, and the status that each gets where the queue has a place."""


def ask_all(client: Client, number: int, clients: int) -> Counter[str]:
    """Let so many clients ask so often in all, in an order drawn once; how often each question was sent away."""
    asked = random.Random(0).choices(list(ASKED), k=number)

    def ask(kind: str) -> str | None:
        question, expected = ASKED[kind]
        answer = question(client)
        if answer is None:
            return None
        assert answer.status in (expected, AWAY), (kind, answer)
        assert answer.status < 400 or answer.json["error"]
        return kind if answer.status == AWAY else None

    with ThreadPoolExecutor(clients) as pool:
        return Counter(filter(None, pool.map(ask, asked)))


def watch_health(client: Client, ended: threading.Event) -> None:
    """Ask for health until the event; it is never sent away."""
    while not ended.is_set():
        assert client.get("/health").status == 200
        time.sleep(0.02)


def load(client: Client, number: int, clients: int) -> Counter[str]:
    """Ask, while another client watches the server's health."""
    ended = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch_health, client, ended)
        try:
            away = ask_all(client, number, clients)
        finally:
            ended.set()
        watching.result()
        return away


def is_idle(client: Client) -> bool:
    """Whether nothing is in work but the question itself."""
    return client.meter("seg_queue") == 0 and client.meter("seg_requests_in_flight") == 1


def wait_until_idle(client: Client) -> None:
    """Wait for what clients left behind."""
    end = time.monotonic() + 20
    while not is_idle(client):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_every_client_gets_its_answer_and_nothing_stays_behind():
    with serving(Bright(lambda: time.sleep(0.002)), LIMITS) as client:
        away = load(client, 120, 8)
        wait_until_idle(client)
        assert not away["page"]
        assert not away["foreign"]
        assert client.post(PHOTO).status == 200
        assert client.meter('seg_requests_total{path="/predict",status="422"}') > 0


def test_health_waits_for_no_prediction():
    begun, ended = threading.Event(), threading.Event()

    def predict() -> None:
        begun.set()
        ended.wait(20)

    with serving(Bright(predict), LIMITS) as client, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.post, PHOTO)
        try:
            assert begun.wait(20)
            assert client.get("/health").json["queue"] == 1
        finally:
            ended.set()
        assert asked.result().status == 200


@pytest.mark.slow
def test_a_real_server_survives_a_thousand_requests(tmp_path):
    torch.manual_seed(0)
    own = card()
    model = build_segmenter(own, torch.zeros(3), torch.ones(3))
    save_checkpoint(tmp_path / "best.pt", own, model.state_dict())
    command = [
        sys.executable,
        "-m",
        "seglib",
        "serve",
        "--model",
        str(tmp_path / "best.pt"),
        "--port",
        "0",
        "--max-megabytes",
        "1",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with (
        (tmp_path / "errors.txt").open("w") as errors,
        subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=errors, env=environment) as process,
    ):
        try:
            assert process.stdout
            client = Client(int(process.stdout.readline().split("/")[2].split(":")[1]))
            masks = {client.post(PHOTO, "/predict?only=mask").body for _ in range(3)}
            ask_all(client, 200, 16)
            wait_until_idle(client)
            before = resources(process.pid)
            load(client, 1000, 16)
            wait_until_idle(client)
            masks.add(client.post(PHOTO, "/predict?only=mask").body)
            after = resources(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(30)
    assert code == 0
    assert len(masks) == 1
    assert after["files"] <= before["files"] + 3
    assert after["threads"] <= before["threads"] + 2
    assert after["bytes"] <= before["bytes"] + 64 * MEGABYTE
    assert (tmp_path / "errors.txt").read_text() == ""


def resources(process: int) -> dict[str, int]:
    """What a process holds."""
    found = psutil.Process(process)
    return {"bytes": found.memory_info().rss, "files": found.num_fds(), "threads": found.num_threads()}
