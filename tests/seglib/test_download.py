import hashlib
from pathlib import Path

import pytest

from seglib import download
from seglib.download import fetch, file_name
from seglib.errors import SegError
from tests.server import Fault, FileServer, serve

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
HALF = len(CONTENT) // 2
pytestmark = pytest.mark.usefixtures("hurried")


@pytest.fixture
def partial(tmp_path) -> Path:
    return tmp_path / "downloads" / "data.zip.part"


def ranges(server: FileServer) -> list[str | None]:
    return [request.range for request in server.requests]


def break_off(server: FileServer, partial: Path, number: int) -> None:
    """Leave `number` bytes in the partial file, as a run without a second attempt does."""
    server.faults = [Fault(cut=number)] + [Fault(status=503)] * (download.ATTEMPTS - 1)
    with pytest.raises(SegError):
        fetch(server.url(), SHA256, partial)
    server.faults, server.requests = [], []


def test_downloads_and_returns_the_digest(server, partial):
    assert fetch(server.url(), SHA256, partial) == SHA256
    assert partial.read_bytes() == CONTENT
    assert ranges(server) == [None]
    assert list(partial.parent.iterdir()) == [partial]


def test_a_file_without_expected_digest_is_taken_as_it_is(server, partial):
    assert fetch(server.url(), "", partial) == SHA256


@pytest.mark.parametrize("number", [1, 100, 5000, HALF, len(CONTENT) - 1])
def test_goes_on_where_the_connection_broke(server, partial, number):
    server.faults = [Fault(cut=number)]
    assert fetch(server.url(), SHA256, partial) == SHA256
    first, second = server.requests
    kept = number - number % download.BLOCK
    assert second.range == (f"bytes={kept}-" if kept else None)
    assert second.if_range == ('"first"' if kept else None)
    assert first.range is None


def test_survives_a_break_in_each_attempt_but_the_last(server, partial):
    server.faults = [Fault(cut=download.BLOCK)] * (download.ATTEMPTS - 1)
    assert fetch(server.url(), SHA256, partial) == SHA256
    assert ranges(server)[1:] == [f"bytes={download.BLOCK * i}-" for i in range(1, download.ATTEMPTS)]


def test_the_next_run_goes_on_from_the_kept_bytes(server, partial):
    break_off(server, partial, HALF)
    kept = partial.stat().st_size
    assert HALF - download.BLOCK < kept <= HALF
    assert fetch(server.url(), SHA256, partial) == SHA256
    assert ranges(server) == [f"bytes={kept}-"]


def test_a_download_that_was_complete_already_asks_for_nothing_more(server, partial):
    break_off(server, partial, len(CONTENT) - 1)
    partial.write_bytes(CONTENT)
    assert fetch(server.url(), SHA256, partial) == SHA256
    assert ranges(server) == [f"bytes={len(CONTENT)}-"]


def test_starts_anew_where_the_kept_bytes_are_more_than_the_file(server, partial):
    break_off(server, partial, HALF)
    partial.write_bytes(CONTENT + b"more")
    assert fetch(server.url(), SHA256, partial) == SHA256
    assert ranges(server) == [f"bytes={len(CONTENT) + 4}-", None]


@pytest.mark.parametrize("etag", ['"second"', None, 'W/"second"'])
def test_starts_anew_where_the_file_changed_in_between(server, partial, etag):
    break_off(server, partial, HALF)
    server.content, server.etag = CONTENT[::-1], etag
    assert fetch(server.url(), "", partial) == hashlib.sha256(CONTENT[::-1]).hexdigest()


def test_never_joins_bytes_of_a_file_without_tag(server, partial):
    break_off(server, partial, HALF)
    server.content, server.etag = CONTENT[::-1], None
    server.faults = [Fault(cut=HALF)]
    fetch(server.url(), "", partial)
    assert partial.read_bytes() == CONTENT[::-1]
    assert ranges(server)[-1] is None


def test_starts_anew_where_the_server_knows_no_ranges(server, partial):
    server.ranges, server.faults = False, [Fault(cut=HALF)]
    assert fetch(server.url(), SHA256, partial) == SHA256
    assert len(server.requests) == 2


def test_starts_anew_where_the_server_sends_another_range(server, partial):
    break_off(server, partial, HALF)
    server.faults = [Fault(headers={"Content-Range": f"bytes 7-{len(CONTENT) - 1}/{len(CONTENT)}"})]
    assert fetch(server.url(), SHA256, partial) == SHA256
    assert ranges(server)[-1] is None


def test_other_bytes_than_expected_are_named_and_discarded(server, partial):
    expected = "0" * 64
    with pytest.raises(SegError) as caught:
        fetch(server.url(), expected, partial)
    for part in (server.url(), SHA256, expected, f"{len(CONTENT):,}", "data.sha256"):
        assert part in str(caught.value)
    assert not partial.exists()


def test_a_body_that_ends_early_in_silence_is_found_by_its_digest(server, partial):
    server.faults = [Fault(cut=HALF, announce=False)]
    with pytest.raises(SegError, match=f"{HALF:,} bytes"):
        fetch(server.url(), SHA256, partial)
    assert not partial.exists()
    assert fetch(server.url(), SHA256, partial) == SHA256


@pytest.mark.parametrize(("sent", "kept"), [(0, 0), (HALF, HALF - HALF % download.BLOCK)])
def test_a_stalled_server_is_left_and_the_bytes_are_kept(server, partial, monkeypatch, sent, kept):
    monkeypatch.setattr(download, "ATTEMPTS", 2)
    server.faults = [Fault(stall=sent), Fault(stall=0)]
    with pytest.raises(SegError, match=rf"stalled, 2 times; {kept:,} bytes are kept"):
        fetch(server.url(), SHA256, partial)
    assert partial.read_bytes() == CONTENT[:kept]
    assert fetch(server.url(), SHA256, partial) == SHA256


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_told_at_once(server, partial, status):
    server.faults = [Fault(status=status)]
    with pytest.raises(SegError, match=rf"{server.url()}: the server answers {status} .*check data.url"):
        fetch(server.url(), SHA256, partial)
    assert len(server.requests) == 1
    assert not partial.exists()


def test_a_refusal_keeps_what_an_earlier_try_brought(server, partial):
    break_off(server, partial, HALF)
    kept = partial.read_bytes()
    server.faults = [Fault(status=403)]
    with pytest.raises(SegError, match="403"):
        fetch(server.url(), SHA256, partial)
    assert partial.read_bytes() == kept


def test_a_server_error_is_tried_again(server, partial):
    server.faults = [Fault(status=500), Fault(status=503)]
    assert fetch(server.url(), SHA256, partial) == SHA256
    assert len(server.requests) == 3


def test_a_lasting_server_error_is_told(server, partial):
    server.faults = [Fault(status=500)] * download.ATTEMPTS
    with pytest.raises(SegError, match=rf"the server answers 500 .*, {download.ATTEMPTS} times; 0 bytes are kept"):
        fetch(server.url(), SHA256, partial)
    assert len(server.requests) == download.ATTEMPTS


def test_a_server_that_is_gone_is_told(partial):
    with serve(CONTENT) as gone:
        url = gone.url()
    with pytest.raises(SegError, match=r"connection broke .*data\.path"):
        fetch(url, SHA256, partial)


def test_an_address_that_is_none_is_told(partial):
    with pytest.raises(SegError, match=r"cannot be fetched .*check data\.url"):
        fetch("http://.example.com/data.zip", SHA256, partial)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("kvasir-seg.zip", "kvasir-seg.zip"),
        ("a/b/data.zip?download=1#top", "data.zip"),
        ("%2e%2e%2f%2e%2e%2fevil.zip", "evil.zip"),
        ("a%2f..%2f..%2fevil.zip", "evil.zip"),
        ("..%5c..%5cevil.zip", ".._.._evil.zip"),
        ("%2fetc%2fpasswd", "passwd"),
        ("..", "archive.zip"),
        ("%2e%2e", "archive.zip"),
        ("", "archive.zip"),
        ("a%00b.zip", "a_b.zip"),
        ("my%20data%0a.zip", "my_data_.zip"),
        ("x" * 300 + ".zip", "x" * 96 + ".zip"),
    ],
)
def test_the_name_of_an_archive_stays_a_plain_name(path, name):
    assert file_name(f"http://host/{path}") == name
