"""Predictions that wait for each other, asked over HTTP."""

import http.client
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace

from tests.serving import LIMITS, Bright, encoded, serving

PHOTO = encoded()


def test_a_long_prediction_times_out_and_the_next_one_is_answered():
    go, held = threading.Event(), [True]

    def hold() -> None:
        if held.pop() if held else False:
            go.wait(10)

    with serving(Bright(hold), replace(LIMITS, seconds=2)) as client:
        answer = client.post(PHOTO)
        go.set()
        assert answer.status == 504
        assert "within 2 s" in answer.json["error"]
        assert client.post(PHOTO).status == 200


def wait_until(client, queue: int) -> None:
    """Wait for so many predictions to wait or run."""
    end = time.monotonic() + 60
    while client.get("/health").json["queue"] != queue:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_full_queue_sends_clients_away_and_health_still_answers():
    go = threading.Event()
    with serving(Bright(lambda: go.wait(20)), replace(LIMITS, waiting=2)) as client, ThreadPoolExecutor(3) as pool:
        kept = [pool.submit(client.post, PHOTO) for _ in range(3)]
        wait_until(client, 3)
        health = client.get("/health")
        assert (health.status, health.json["status"]) == (200, "ready")
        assert client.meter("seg_queue") == 3
        away = client.post(PHOTO)
        assert (away.status, away.headers["retry-after"]) == (503, "2")
        assert "3 requests wait" in away.json["error"]
        go.set()
        assert [answer.result().status for answer in kept] == [200] * 3
        wait_until(client, 0)


def wait_until_in_flight(client, number: int) -> None:
    """Wait for so many requests besides the question itself."""
    end = time.monotonic() + 60
    while client.meter("seg_requests_in_flight") != number + 1:
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def slow_uploads(client, number: int) -> Iterator[None]:
    """Clients who have sent a part of their image and no more."""
    with ExitStack() as stack:
        for _ in range(number):
            connection = stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", client.port)))
            connection.putrequest("POST", "/predict")
            connection.putheader("Content-Length", str(len(PHOTO)))
            connection.endheaders(PHOTO[:20])
        wait_until_in_flight(client, number)
        yield


def test_slow_uploads_take_no_place_in_the_queue():
    with serving(Bright(), replace(LIMITS, uploads=4, waiting=0)) as client, slow_uploads(client, 3):
        assert client.post(PHOTO).status == 200
        assert client.get("/health").json["queue"] == 0


def test_beyond_so_many_slow_uploads_clients_are_sent_away():
    with serving(Bright(), replace(LIMITS, uploads=2)) as client:
        with slow_uploads(client, 2):
            away = client.post(PHOTO)
            assert (away.status, away.headers["retry-after"]) == (503, "2")
            assert "2 uploads are under way" in away.json["error"]
        wait_until_in_flight(client, 0)
        assert client.post(PHOTO).status == 200


def test_an_image_whose_queue_has_filled_while_it_came_is_sent_away_at_once():
    go = threading.Event()
    with serving(Bright(lambda: go.wait(20)), replace(LIMITS, waiting=0)) as client, ThreadPoolExecutor(1) as pool:
        late = http.client.HTTPConnection("127.0.0.1", client.port, timeout=10)
        late.putrequest("POST", "/predict")
        late.putheader("Content-Length", str(len(PHOTO)))
        late.endheaders(PHOTO[:20])
        wait_until_in_flight(client, 1)
        first = pool.submit(client.post, PHOTO)
        wait_until(client, 1)
        late.send(PHOTO[20:])
        assert late.getresponse().status == 503
        late.close()
        go.set()
        assert first.result().status == 200


def test_what_nobody_waits_for_is_not_predicted():
    go, begun = threading.Event(), []

    def count() -> None:
        begun.append(1)
        go.wait(20)

    with serving(Bright(count)) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.post, PHOTO)
        wait_until(client, 1)
        gone = http.client.HTTPConnection("127.0.0.1", client.port)
        gone.request("POST", "/predict", PHOTO)
        wait_until(client, 2)
        gone.close()
        wait_until(client, 1)
        go.set()
        assert first.result().status == 200
        assert begun == [1]
        assert client.meter('seg_requests_total{path="/predict",status="499"}') == 1
