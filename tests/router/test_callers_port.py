"""Requests go straight to the router, and Serve still knows how many there are."""

import asyncio
import logging
from types import SimpleNamespace

import pytest

from router.deployment.replicas.callers_port import CallersPort, counting_of, straight_to
from router.wire.asgi import respond
from router.wire.listener import Listener
from tests.waiting import until

GET = b"GET %b HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n%b\r\n"
OPTIONS = SimpleNamespace(middlewares=[], root_path="", request_timeout_s=None)
ANY_REQUEST = object()


class Replica:
    """Of Serve's replica, what counts requests."""

    def __init__(self, most: int = 100) -> None:
        self._route_prefix, self._metrics_manager = "/", self
        self._semaphore = asyncio.Semaphore(most)
        self.running = self.most_running = 0
        self.kept = list[tuple[bool, str | None]]()

    def inc_num_ongoing_requests(self, request) -> None:
        assert request is ANY_REQUEST
        self.running += 1
        self.most_running = max(self.most_running, self.running)

    def dec_num_ongoing_requests(self, request) -> None:
        assert request is ANY_REQUEST
        self.running -= 1

    def record_request_metrics(self, *, route, latency_ms, is_error, exception_type) -> None:
        assert (route, latency_ms > 0) == ("/", True)
        self.kept.append((is_error, exception_type))


def counted(replica):
    return counting_of(replica, ANY_REQUEST, collected=True)


class Router:
    """Answers when `release` is set."""

    def __init__(self) -> None:
        self.release, self.begun, self.ended = asyncio.Event(), 0, 0

    async def __call__(self, scope, receive, send) -> None:
        self.begun += 1
        try:
            await self.release.wait()
            await respond(send, 200, scope["path"].encode(), [])
        finally:
            self.ended += 1


async def serves(scope, receive, send) -> None:
    await respond(send, 200, b"Serve's answer to " + scope["path"].encode(), [])


class Port:
    def __init__(self, replica: Replica) -> None:
        self.replica, self.router, self.listener = replica, Router(), Listener()
        self.writers = list[asyncio.StreamWriter]()

    async def __aenter__(self):
        port = CallersPort(self.router, serves, counted(self.replica))
        await self.listener.open(port, host="127.0.0.1")
        return self

    async def __aexit__(self, *_):
        self.router.release.set()
        self.leave()
        await self.listener.close()

    def leave(self) -> None:
        for writer in self.writers:
            writer.transport.abort()

    async def send(self, path: bytes = b"/v1/models", header: bytes = b"") -> asyncio.StreamReader:
        host, _, port = self.listener.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(GET % (path, header))
        self.writers.append(writer)
        return reader


async def test_serve_knows_of_a_request_until_it_is_answered():
    async with Port(Replica()) as port:
        reader = await port.send()
        await until(lambda: port.replica.running == 1)
        port.router.release.set()
        answer = await reader.read()
        await until(lambda: port.replica.kept)
    assert answer.endswith(b"/v1/models")
    assert (port.replica.running, port.replica.kept) == (0, [(False, None)])


@pytest.mark.parametrize("header", [b"", b"x-request-id: mine\r\n"])
async def test_an_answer_names_its_request_as_serve_names_it(header):
    async with Port(Replica()) as port:
        port.router.release.set()
        head = (await (await port.send(header=header)).read()).partition(b"\r\n\r\n")[0]
    [line] = [line for line in head.split(b"\r\n") if line.startswith(b"x-request-id: ")]
    assert line == header.strip() if header else len(line) == len("x-request-id: ") + 36


async def test_a_request_whose_caller_leaves_ends_and_counts_no_more():
    async with Port(Replica()) as port:
        await port.send()
        await until(lambda: port.router.begun)
        port.leave()
        await until(lambda: port.replica.kept)
    assert (port.router.ended, port.replica.running) == (1, 0)
    assert port.replica.kept == [(True, "CancelledError")]


async def test_a_request_beyond_what_a_replica_answers_at_once_waits():
    async with Port(Replica(most=1)) as port:
        first = await port.send()
        await until(lambda: port.router.begun == 1)
        second = await port.send()
        port.router.release.set()
        assert all([await first.read(), await second.read()])
    assert (port.router.begun, port.replica.most_running, port.replica.running) == (2, 1, 0)


async def test_serve_answers_its_own_check_of_health():
    async with Port(Replica()) as port:
        reader = await port.send(b"/-/healthz")
        assert (await reader.read()).endswith(b"Serve's answer to /-/healthz")
        assert port.router.begun == 0


@pytest.mark.parametrize(("knows", "changed"), [(False, {}), (True, {"root_path": "/a"})])
def test_requests_take_serves_way_where_serve_is_another(knows, changed, caplog):
    replica = Replica() if knows else SimpleNamespace()
    options = SimpleNamespace(**{**vars(OPTIONS), **changed})
    with caplog.at_level(logging.WARNING):
        assert straight_to(Router(), serves, options, lambda: counted(replica)) is None
    assert "requests take Ray Serve's own way" in caplog.text


def test_requests_go_straight_where_serve_is_as_we_know_it():
    assert straight_to(Router(), serves, OPTIONS, lambda: counted(Replica())) is not None
