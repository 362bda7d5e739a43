import asyncio
import http.client
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from functools import partial

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seglib.errors import SegError
from seglib.serve import listening
from seglib.serve.listening import address, listen
from tests.serving import Bright, running, serving

LARGE = 1 << 25

PROGRAM = """
import asyncio
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from seglib.serve.listening import run

async def slow(_):
    print("in work", flush=True)
    await asyncio.sleep(1)
    return PlainTextResponse("done")

async def large(_):
    return PlainTextResponse(bytes(1 << 25))

run(Starlette(routes=[Route("/", slow), Route("/large", large)]), "{host}", 0, {seconds})
"""


def test_a_taken_port_is_told():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SegError, match=rf"cannot listen on 127\.0\.0\.1, port {port} .*--port"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such name"])
def test_an_address_that_cannot_be_had_is_told(host):
    with pytest.raises(SegError, match="choose another --host or --port"):
        listen(host, 0)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", -1), ("127.0.0.1", 65536), ("", 8000)])
def test_what_is_no_address_or_no_port_is_told(host, port):
    with pytest.raises(SegError, match=rf"--host '{host}', --port {port}: give an address, and a port of 0 to 65535"):
        listen(host, port)


def test_the_address_is_one_that_a_browser_opens():
    with listen("0.0.0.0", 0) as listener:
        assert address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}/"


def start(host: str, seconds: float = 20) -> tuple[subprocess.Popen[str], int]:
    """A server of its own process, and its port."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(host=host, seconds=seconds)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    line = process.stdout.readline()
    return process, int(line.split("/")[2].split(":")[1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_after_the_request_in_work(number):
    process, port = start("127.0.0.1")
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", "/")
        assert process.stdout
        assert process.stdout.readline() == "in work\n"
        process.send_signal(number)
        assert connection.getresponse().read() == b"done"
    said = process.communicate(timeout=10)
    assert process.returncode == 0
    assert said == ("", "")


AT_ONCE = """
import signal
from starlette.applications import Starlette
from uvicorn import Server
from seglib.serve.listening import run

serve = Server.run

def end_and_serve(self, sockets):
    signal.raise_signal({number})
    serve(self, sockets)

Server.run = end_and_serve
run(Starlette(), "127.0.0.1", 0, 20)
"""


@pytest.mark.parametrize("number", [int(signal.SIGINT), int(signal.SIGTERM)])
def test_a_signal_before_it_serves_ends_it_too(number):
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE.format(number=number)], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stderr == ""


def test_an_address_that_others_reach_is_warned_of():
    process, _ = start("0.0.0.0")
    process.terminate()
    _, said = process.communicate(timeout=10)
    assert "warning: 0.0.0.0 is reached from other machines, and there is no password" in said


@pytest.mark.parametrize("start_of_request", [b"", b"GET / HTTP/1.1\r\nHost: local"])
def test_a_connection_that_asks_for_nothing_is_closed(monkeypatch, start_of_request):
    monkeypatch.setattr(listening, "SPEECHLESS", 0.3)
    with serving(Bright()) as client, socket.create_connection(("127.0.0.1", client.port), timeout=5) as connection:
        connection.sendall(start_of_request)
        assert connection.recv(100) == b""


ASKED = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def ask(connection: socket.socket) -> None:
    """Ask on a connection that stays open."""
    connection.sendall(ASKED)
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    assert (answer.status, answer.read()[:1]) == (200, b"{")


@pytest.fixture
def ends(monkeypatch):
    """The ends of the waits for a request: a list of functions, and none ends before its function is called."""
    found, call_later = [], asyncio.BaseEventLoop.call_later

    def later(loop, delay, callback, *arguments, **options):
        if delay != listening.SPEECHLESS:
            return call_later(loop, delay, callback, *arguments, **options)
        found.append(partial(loop.call_soon_threadsafe, callback, *arguments))
        return None

    monkeypatch.setattr(asyncio.BaseEventLoop, "call_later", later)
    monkeypatch.setattr(listening, "SPEECHLESS", 1234.5)
    return found


@pytest.mark.parametrize("kept", [0, 1, 20])
def test_a_connection_that_asks_for_half_a_second_thing_is_closed(ends, kept):
    with serving(Bright()) as client, socket.create_connection(("127.0.0.1", client.port), timeout=20) as connection:
        ask(connection)
        connection.sendall(ASKED[:kept])
        until = time.monotonic() + 20
        while len(ends) < 2:
            assert time.monotonic() < until
            time.sleep(0.01)
        ends[1]()
        assert read_all(connection) == 0


def test_a_connection_that_asks_now_and_then_stays_open(ends):
    with serving(Bright()) as client, socket.create_connection(("127.0.0.1", client.port), timeout=20) as connection:
        for number in range(5):
            ask(connection)
            for end in ends[: number + 1]:
                end()


def ask_and_read_nothing(port: int) -> socket.socket:
    """Ask for more than the machine keeps for who does not read."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=5)
    connection.sendall(ASKED.replace(b"health", b"large"))
    time.sleep(0.3)
    return connection


def read_all(connection: socket.socket) -> int:
    """Bytes that come until the connection ends."""
    number = 0
    with suppress(ConnectionResetError):
        while content := connection.recv(1 << 20):
            number += len(content)
    return number


@pytest.mark.parametrize(("seconds", "is_whole"), [(0.3, False), (20, True)])
def test_a_client_that_does_not_read_is_cut_off(monkeypatch, seconds, is_whole):
    async def large(_: Request) -> Response:
        return Response(bytes(LARGE), headers={"Connection": "close"})

    monkeypatch.setattr(listening, "UNREAD", seconds)
    with running(Starlette(routes=[Route("/large", large)])) as client, ask_and_read_nothing(client.port) as connection:
        time.sleep(0.5)
        assert (read_all(connection) > LARGE) == is_whole


def test_a_client_that_does_not_read_holds_up_no_end():
    process, port = start("127.0.0.1", 1)
    with ask_and_read_nothing(port):
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == 0


def test_beyond_so_many_connections_clients_are_sent_away(monkeypatch):
    monkeypatch.setattr(listening, "CONNECTIONS", 3)
    with serving(Bright()) as client:
        idle = [socket.create_connection(("127.0.0.1", client.port), timeout=5) for _ in range(2)]
        assert client.get("/health").status == 200
        idle.append(socket.create_connection(("127.0.0.1", client.port), timeout=5))
        assert client.get("/health").status == 503
        for connection in idle:
            connection.close()
        end = time.monotonic() + 5
        while client.get("/health").status != 200:
            assert time.monotonic() < end
