"""The endpoints, asked over HTTP."""

import base64
import gzip
import http.client
import json
import socket
import struct
import zlib
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
    [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", gzip.compress(bytes(400)), FORM],
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
    answer = client.post(bomb(200_000, 200_000))
    assert answer.status == 413
    assert "200,000×200,000 pixels" in answer.json["error"]


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
    with serving(Bright(), replace(LIMITS, seconds=2)) as client:
        connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=10)
        connection.putrequest("POST", "/predict")
        connection.putheader("Content-Length", "1000")
        connection.endheaders(PHOTO[:20])
        answer = connection.getresponse()
        assert answer.status == 408
        assert "longer than 2 s" in json.load(answer)["error"]
        connection.close()
        assert client.post(PHOTO).status == 200


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
