"""Our own port speaks HTTP/1.1: what a client may send, and what a caller who leaves ends."""

import asyncio
import contextlib

import pytest
import uvicorn

from router.wire.asgi import WhileConnected, read_body, respond
from router.wire.bounded_protocol import bounded
from tests.router.test_held_connections import ALL, GET, LAST, Server
from tests.waiting import until

CHUNKED = (
    b"POST /echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n"
    b"connection: close\r\n\r\n4\r\nfour\r\n6\r\nletter\r\n0\r\n\r\n"
)


class Application(Server):
    def __init__(self) -> None:
        super().__init__(ALL)
        self.ended = list[str]()

    async def __call__(self, scope, receive, send) -> None:
        path = scope["path"]
        if path == "/echo":
            await respond(send, 200, await read_body(receive), [])
        elif path == "/waits":
            await read_body(receive)
            self.held += 1
            async with WhileConnected(receive):
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    self.ended.append("the work")
                    raise
            self.ended.append("the request")
        elif path == "/scope":
            shown = "{method} {path} {http_version} ".format(**scope).encode()
            await respond(send, 200, shown + scope["query_string"], [])
        elif path == "/split":
            await respond(send, 200, b"", [(b"x-split", b"a\r\nx-more: b")])
        elif path == "/short":
            head = {"type": "http.response.start", "status": 200}
            await send({**head, "headers": [(b"content-length", b"9")]})
            await send({"type": "http.response.body", "body": b"four"})
        elif path == "/fails":
            raise ValueError("a bug")
        else:
            await super().__call__(scope, receive, send)


@contextlib.asynccontextmanager
async def application():
    served = Application()
    await served.listener.open(served, host="127.0.0.1")
    try:
        yield served
    finally:
        served.release.set()
        for client in served.clients:
            client.writer.transport.abort()
        await served.listener.close()


async def answered(sent: bytes) -> bytes:
    """All that comes back for some bytes, until the server closes the connection."""
    async with application() as served:
        return await (await served.client(sent)).until_closed()


async def test_requests_that_came_together_are_answered_in_their_order():
    held = GET.replace(b"/works", b"/held")
    async with application() as served:
        client = await served.client(held + GET + LAST.replace(b"/works", b"/scope?a=b"))
        await until(lambda: served.held)
        served.release.set()
        answer = await client.until_closed()
    bodies = [answer.index(word) for word in (b"first ", b"last", b"works", b"GET /scope 1.1 a=b")]
    assert bodies == sorted(bodies)
    assert answer.count(b"HTTP/1.1 200 OK") == 3


async def test_a_body_in_chunks_arrives_whole():
    assert (await answered(CHUNKED)).endswith(b"\r\n\r\nfourletter")


async def test_a_body_that_comes_late_is_asked_for():
    head = b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n"
    async with application() as served:
        client = await served.client()
        assert await client.ask(head) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert (await client.ask(b"late")).endswith(b"\r\n\r\nlate")


@pytest.mark.parametrize("close", [b"", b"connection: close\r\n"])
async def test_a_head_alone_has_the_length_of_the_body_that_stays_away(close):
    sent = b"HEAD /works HTTP/1.1\r\nhost: a\r\n" + close + b"\r\n" + (b"" if close else LAST)
    answer = await answered(sent)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n")
    assert answer.count(b"works") == (0 if close else 1)


async def test_an_answer_without_a_length_comes_in_chunks():
    async with application() as served:
        served.release.set()
        answer = await (await served.client(LAST.replace(b"works", b"held"))).until_closed()
    assert b"transfer-encoding: chunked\r\n" in answer
    assert answer.endswith(b"\r\n\r\n6\r\nfirst \r\n4\r\nlast\r\n0\r\n\r\n")


async def test_the_connection_of_an_old_client_ends_with_its_answer():
    answer = await answered(b"GET /scope HTTP/1.0\r\n\r\n")
    assert b"connection: close\r\n" in answer
    assert answer.endswith(b"GET /scope 1.0 ")


async def test_who_wants_another_protocol_gets_an_answer_and_no_second_one():
    wish = b"connection: upgrade\r\nupgrade: websocket\r\n\r\n"
    answer = await answered(GET[:-2] + wish + GET)
    assert (answer.count(b"HTTP/1.1 "), answer.endswith(b"works")) == (1, True)


@pytest.mark.parametrize("sent", [b"nonsense\r\n\r\n", b"GET works HTTP/1.1\r\nhost: a\r\n\r\n"])
async def test_what_is_no_request_is_refused(sent):
    answer = await answered(sent)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b"Invalid HTTP request received.")


async def test_a_header_cannot_be_split():
    answer = await answered(LAST.replace(b"works", b"split"))
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n") or answer == b""
    assert b"x-more" not in answer


async def test_a_body_that_is_cut_off_is_no_whole_answer():
    answer = await answered(GET.replace(b"works", b"short") + GET)
    assert (answer.count(b"HTTP/1.1 "), b"works" in answer) == (1, False)


async def test_a_failure_of_the_application_is_an_answer():
    assert (await answered(GET.replace(b"works", b"fails"))).startswith(b"HTTP/1.1 500 ")


async def test_work_ends_when_its_caller_leaves():
    async with application() as served:
        client = await served.client(GET.replace(b"works", b"waits"))
        await until(lambda: served.held)
        client.writer.transport.abort()
        await until(lambda: len(served.ended) == 2)
    assert served.ended == ["the work", "the request"]


async def test_a_connection_that_was_idle_for_long_is_closed_and_no_other():
    """The bound is nought seconds: it runs out once the answer is sent, and not before."""
    served = Application()
    config = uvicorn.Config(served, port=0, http=bounded(ALL), lifespan="off", log_config=None)
    config.timeout_keep_alive = 0
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    host, port = server.servers[0].sockets[0].getsockname()
    served.listener.address = f"{host}:{port}"
    client = await served.client(GET.replace(b"works", b"held") + GET)
    await until(lambda: served.held)
    served.release.set()
    answer = await client.until_closed()
    client.writer.close()
    server.force_exit = True
    await server.shutdown()
    assert (b"last" in answer, answer.endswith(b"works")) == (True, True)
