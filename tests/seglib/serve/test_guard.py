import pytest

from seglib.serve.guard import is_loopback
from tests.serving import Bright, encoded, serving

PHOTO = encoded()


@pytest.fixture(scope="module")
def client():
    """A server of loopback."""
    with serving(Bright()) as asked:
        yield asked


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_loopback_addresses(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "box.local", ""])
def test_addresses_that_others_reach(host):
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:80", "LOCALHOST"])
def test_loopback_names_are_answered(client, host):
    assert client.get("/health", Host=host).status == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", "192.168.0.7", "[", ""])
def test_foreign_names_are_refused(client, host):
    answer = client.get("/", Host=host)
    assert answer.status == 421
    assert "does not answer to that name" in answer.json["error"]


def test_a_server_for_all_addresses_takes_numbers_but_no_names():
    with serving(Bright(), host="0.0.0.0") as client:
        assert client.get("/health", Host="192.168.0.7:8000").status == 200
        answer = client.get("/health", Host="evil.example")
        assert answer.status == 421
        assert "IP address in numbers, or start it with --host and the name" in answer.json["error"]


def test_a_server_answers_to_the_name_it_was_given():
    with serving(Bright(), host="Box.local") as client:
        assert client.get("/health", Host="box.local:8000").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://localhost:3000"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_other_sites_may_not_post(client, headers):
    answer = client.post(PHOTO, **headers)
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers


def test_its_own_page_may_post(client):
    origin = f"http://127.0.0.1:{client.port}"
    assert client.post(PHOTO, Origin=origin, Sec_Fetch_Site="same-origin").status == 200


def test_every_answer_tells_browsers_what_they_may_do(client):
    for path in ("/", "/page.js", "/look.css", "/page.css", "/health", "/nothing"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
