"""The endpoints, asked over HTTP."""

import base64
import gzip
import http.client
import json
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from seglib.errors import SegError
from seglib.serve.application import Service
from tests.model_cards import card
from tests.serving import LIMITS, MODEL, Bright, decoded, encoded, picture, serving

PHOTO = encoded()


@pytest.fixture(scope="module")
def client():
    """A server with the usual limits."""
    with serving(Bright()) as asked:
        yield asked


def gif() -> bytes:
    """The picture as GIF, which OpenCV writes in few builds only."""
    buffer = BytesIO()
    Image.fromarray(picture()).save(buffer, "GIF")
    return buffer.getvalue()


def test_a_prediction_tells_classes_areas_and_mask(client):
    answer = client.post(PHOTO)
    assert answer.status == 200
    found = answer.json
    assert (found["width"], found["height"]) == (48, 40)
    assert found["classes"] == [
        {"name": "bright", "value": 1, "colour": "#090909", "pixels": 144, "share": 0.075, "components": 1}
    ]
    assert found["model"]["name"] == "best.pt"
    expected = (picture().mean(2) > 127).astype(np.uint8)
    assert (decoded(base64.b64decode(found["mask"])) == expected).all()


def test_the_mask_can_be_asked_for_alone(client):
    answer = client.post(PHOTO, "/predict?only=mask")
    assert answer.headers["content-type"] == "image/png"
    assert decoded(answer.body).sum() == 144


def test_the_page_names_the_kind_of_images_as_reports_do():
    with serving(Bright(own=card(modality="mri"))) as client:
        assert "trained on MRI images of the data set own" in client.get("/").body.decode()


def test_an_unknown_part_is_refused(client):
    answer = client.post(PHOTO, "/predict?only=overlay")
    assert answer.status == 400
    assert "only" in answer.json["error"]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif", ".webp", ".gif"])
def test_the_kind_of_image_is_known_by_its_content(client, suffix):
    content = gif() if suffix == ".gif" else encoded(suffix)
    answer = client.post(content, Content_Type="text/plain")
    assert answer.status == 200
    assert answer.json["classes"][0]["components"] == 1


FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + PHOTO + b"\r\n--x--\r\n"


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", gzip.compress(bytes(400), mtime=0), FORM],
    ids=["empty", "text", "svg", "pdf", "volume", "form"],
)
def test_what_is_no_image_is_refused_whatever_it_says(client, content):
    answer = client.post(content, Content_Type="image/png")
    assert answer.status == 415
    assert "curl --data-binary" in answer.json["error"]


@pytest.mark.parametrize("damage", [PHOTO[:60], PHOTO[:-30], PHOTO[:8], b"\xff\xd8\xff", b"BM", b"II*\0", b"GIF89a"])
def test_a_damaged_image_is_told_without_any_path(client, damage):
    answer = client.post(damage)
    assert answer.status == 422
    error = answer.json["error"]
    assert error.startswith("image")
    assert "/" not in error
    assert "Traceback" not in error


FILES = [*(encoded(suffix) for suffix in (".png", ".jpg", ".bmp", ".tif", ".webp")), gif()]


@given(st.sampled_from(FILES), st.integers(0, 400), st.binary(max_size=40))
def test_whatever_is_sent_is_answered_in_json(client, whole, kept, rest):
    answer = client.post(whole[:kept] + rest + whole[kept + len(rest) :])
    assert answer.status in (200, 413, 415, 422)
    assert answer.json.keys() & {"error", "mask"}


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header announces that many pixels, and which holds none."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_refused_by_its_header(client):
    start = time.perf_counter()
    answer = client.post(bomb(200_000, 200_000))
    assert answer.status == 413
    assert "200,000×200,000 pixels" in answer.json["error"]
    assert time.perf_counter() - start < 2


def test_more_than_the_limit_is_refused_by_its_header(client):
    answer = client.post(bytes(3 << 20))
    assert answer.status == 413
    assert "1 MB" in answer.json["error"]


def test_more_than_the_limit_is_refused_without_a_header_too(client):
    answer = client.post(bytes(1 << 16) for _ in range(48))
    assert answer.status == 413


def test_a_client_that_waits_for_leave_to_send_never_gets_it(client):
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as connection:
        connection.sendall(
            b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_slow_upload_times_out():
    with serving(Bright(), replace(LIMITS, seconds=0.3)) as client:
        connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=10)
        connection.putrequest("POST", "/predict")
        connection.putheader("Content-Length", "1000")
        connection.endheaders(PHOTO[:20])
        answer = connection.getresponse()
        assert answer.status == 408
        assert "longer than 0.3 s" in json.load(answer)["error"]
        connection.close()
        assert client.post(PHOTO).status == 200


def test_a_long_prediction_times_out_and_the_next_one_is_answered():
    go, held = threading.Event(), [True]

    def hold() -> None:
        if held.pop() if held else False:
            go.wait(10)

    with serving(Bright(hold), replace(LIMITS, seconds=0.4)) as client:
        answer = client.post(PHOTO)
        go.set()
        assert answer.status == 504
        assert "within 0.4 s" in answer.json["error"]
        assert client.post(PHOTO).status == 200


def wait_until(client, queue: int) -> None:
    """Wait for so many predictions to wait or run."""
    end = time.monotonic() + 10
    while client.get("/health").json["queue"] != queue:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_full_queue_sends_clients_away_and_health_still_answers():
    go = threading.Event()
    with serving(Bright(lambda: go.wait(20)), replace(LIMITS, waiting=2)) as client, ThreadPoolExecutor(3) as pool:
        kept = [pool.submit(client.post, PHOTO) for _ in range(3)]
        wait_until(client, 3)
        start = time.perf_counter()
        health = client.get("/health")
        assert (health.status, health.json["status"]) == (200, "ready")
        assert client.meter("seg_queue") == 3
        assert time.perf_counter() - start < 1
        away = client.post(PHOTO)
        assert (away.status, away.headers["retry-after"]) == (503, "2")
        assert "3 requests wait" in away.json["error"]
        go.set()
        assert [answer.result().status for answer in kept] == [200] * 3
        wait_until(client, 0)


def wait_until_in_flight(client, number: int) -> None:
    """Wait for so many requests besides the question itself."""
    end = time.monotonic() + 10
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
        start = time.perf_counter()
        assert late.getresponse().status == 503
        assert time.perf_counter() - start < 1
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


def test_what_goes_wrong_inside_stays_inside(caplog):
    wrong = [RuntimeError("secret")]

    def fail() -> None:
        if wrong:
            raise wrong.pop()

    with serving(Bright(fail)) as client:
        answer = client.post(PHOTO)
        assert answer.status == 500
        assert b"secret" not in answer.body
        assert "log" in answer.json["error"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert client.get("/health").json["queue"] == 0
        assert client.post(PHOTO).status == 200
    assert "secret" in caplog.text


def test_an_image_that_does_not_go_with_the_model_is_told_without_the_models_path():
    def refuse() -> None:
        raise SegError(f"{MODEL}: failed on values of shape (1, 3, 1, 1)")

    with serving(Bright(refuse)) as client:
        answer = client.post(PHOTO)
    assert (answer.status, answer.json) == (
        422,
        {"error": "image.png: best.pt: failed on values of shape (1, 3, 1, 1)"},
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/../params.yaml", 404), ("GET", "/predict", 405), ("POST", "/health", 405)],
)
def test_other_paths_and_methods_are_refused_in_json(client, method, path, status):
    answer = client.ask(method, path)
    assert answer.status == status
    assert answer.json["error"]


def test_requests_are_counted_and_timed():
    with serving(Bright()) as client:
        client.post(PHOTO)
        client.post(b"no image")
        client.get("/no/such/path")
        assert client.meter('seg_requests_total{path="/predict",status="200"}') == 1
        assert client.meter('seg_requests_total{path="/predict",status="415"}') == 1
        assert client.meter('seg_requests_total{path="other",status="404"}') == 1
        assert client.meter('seg_request_seconds_count{path="/predict"}') == 2
        assert client.meter("seg_prediction_seconds_count") == 1
        assert client.meter("seg_requests_in_flight") == 1


def test_a_model_of_volumes_is_refused():
    with pytest.raises(SegError, match=r"best\.pt segments volumes.*seg predict"):
        Service(Bright(own=card(dims=3)), MODEL, LIMITS, "127.0.0.1")  # pyright: ignore[reportArgumentType]
