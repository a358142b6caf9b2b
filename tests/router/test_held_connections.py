"""Callers that hold connections of our own ports: silent, slow, endless, or too many of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from router.wire.asgi import respond
from router.wire.bounded_protocol import ConnectionBounds
from router.wire.listener import Listener
from tests.waiting import until

GET = b"GET /works HTTP/1.1\r\nhost: localhost\r\n\r\n"
LAST = GET[:-2] + b"connection: close\r\n\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"
HALF = b"GET /works HTTP/1.1\r\nhost: loc"
ALL = ConnectionBounds(8, frozenset({"/health"}))
QUICK = ConnectionBounds(8, head_seconds=0.5)


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, sent: bytes = GET) -> bytes:
        """The head of the answer, with all of the body that came with it."""
        self.writer.write(sent)
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(self.reader.read(65536), 60)
        return b""

    async def until_closed(self) -> bytes:
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(self.reader.read(), 60)
        return b""


class Server:
    """An application that can be held: `/held` answers when `release` is set, piece by piece."""

    def __init__(self, bounds: ConnectionBounds) -> None:
        self.listener, self.release, self.held = Listener(bounds), asyncio.Event(), 0
        self.clients: list[Client] = []

    async def __call__(self, scope, receive, send) -> None:
        if scope["path"] == "/held":
            self.held += 1
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"first ", "more_body": True})
            await self.release.wait()
            await send({"type": "http.response.body", "body": b"last"})
        else:
            await respond(send, 200, b"works", [])

    async def client(self, sent: bytes = b"") -> Client:
        host, _, port = self.listener.address.rpartition(":")
        client = Client(*await asyncio.open_connection(host, int(port)))
        client.writer.write(sent)
        self.clients.append(client)
        return client


@contextlib.asynccontextmanager
async def server(bounds: ConnectionBounds) -> AsyncIterator[Server]:
    opened = Server(bounds)
    await opened.listener.open(opened, host="127.0.0.1")
    try:
        yield opened
    finally:
        opened.release.set()
        for client in opened.clients:
            client.writer.transport.abort()
        await opened.listener.close()


async def test_a_silent_connection_is_closed():
    async with server(QUICK) as s:
        assert await (await s.client()).until_closed() == b""


@pytest.mark.parametrize("before", [b"", GET], ids=["first", "second"])
async def test_a_header_that_does_not_end_is_told_so_and_closed(before):
    async with server(QUICK) as s:
        client = await s.client()
        if before:
            assert b"works" in await client.ask(before)
        client.writer.write(HALF)
        answer = await client.until_closed()
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"The header did not arrive within 0.5 seconds." in answer


async def test_a_header_that_comes_byte_by_byte_gets_no_more_time():
    async with server(QUICK) as s:
        client = await s.client(HALF)
        reading = asyncio.ensure_future(client.until_closed())
        while not reading.done():
            client.writer.write(b"x")
            await asyncio.sleep(0.05)
        assert b"408" in await reading


async def test_empty_lines_do_not_keep_an_idle_connection():
    async with server(QUICK) as s:
        client = await s.client()
        assert b"works" in await client.ask()
        client.writer.write(b"\r\n")
        assert await client.until_closed() == b""


async def test_a_header_without_an_end_takes_no_memory():
    async with server(ALL) as s:
        client = await s.client(HALF + b"x" * 200_000)
        answer = await client.until_closed()
    assert answer == b"" or b"The header is longer than 65536 bytes." in answer


async def test_an_answer_that_streams_is_never_closed():
    async with server(QUICK) as s:
        client = await s.client(
            b"GET /held HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        )
        silent = await s.client()
        await silent.until_closed()  # longer than a header may take
        s.release.set()
        assert b"last" in await client.until_closed()


async def test_a_connection_that_waits_for_its_next_request_is_kept():
    async with server(QUICK) as s:
        kept = await s.client()
        assert b"works" in await kept.ask()
        await (await s.client()).until_closed()
        assert b"works" in await kept.ask()


async def test_new_callers_take_the_place_of_silent_ones_and_leave_used_ones():
    async with server(ALL) as s:
        used = await s.client()
        assert b"works" in await used.ask()
        silent = [await s.client() for _ in range(300)]
        for _ in range(20):
            assert b"works" in await (await s.client()).ask(LAST)
        assert await silent[0].until_closed() == b""
        assert b"works" in await used.ask()


async def test_health_is_answered_while_requests_hold_all_connections():
    async with server(ALL) as s:
        for _ in range(ALL.connections):
            await s.client(b"GET /held HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await until(lambda: s.held == ALL.connections)
        assert b"works" in await (await s.client()).ask(HEALTH)
        refused = await (await s.client(GET)).until_closed()
        assert refused.startswith(b"HTTP/1.1 503")
        assert b"All connections of this server are taken" in refused
