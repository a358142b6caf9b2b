"""The frames between routers and replicas: both sides, a Unix socket and TCP, and strangers."""

import asyncio
import contextlib
import os
import socket
import stat
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.calls.hop import Hops, ReplicaLost
from router.domain import CHAT, Call, Fault
from router.wire.frame_server import CallOutput, FrameServer
from router.wire.frames import (
    CALL,
    HELLO,
    MORE,
    PIECE,
    VERSION,
    WINDOW_BYTES,
    Splitter,
    frame,
    with_body,
)
from router.wire.http_client import NoConnection
from tests.waiting import until

TOKEN = "a-token"
GREETING = frame(HELLO, 0, VERSION + TOKEN.encode())
HEAD = b'["a","/chat/completions","r",false,false,{}]'
LARGE = os.urandom(10 * 2**20)


class Replica:
    """A replica that does what the first byte of a body says."""

    def __init__(self) -> None:
        self.server = FrameServer(self, TOKEN, hello_seconds=0.3)
        self.bodies: list[bytes] = []
        self.sent, self.cancelled = 0, 0
        self.release = asyncio.Event()

    async def __call__(self, backend: str, call: Call, out: CallOutput) -> None:
        self.bodies.append(call.body)
        match call.body[:1]:
            case b"e":  # echo
                await out.whole(200, call.body, headers={"backend": backend, **call.headers})
            case b"s":  # stream, as much as the router takes
                out.begin(200, content_type="text/event-stream", seconds=0.1, headers={})
                for _ in range(400):
                    await out.more(b"x" * 10_000)
                    self.sent += 10_000
                out.end()
            case b"h":  # hold
                try:
                    await self.release.wait()
                except asyncio.CancelledError:
                    self.cancelled += 1
                    raise
                await out.whole(200, b"held")
            case b"t":  # tear
                out.begin(200, content_type="text/plain", seconds=0.1, headers={})
                await out.more(b"half")
                out.tear()
            case _:
                raise ZeroDivisionError("a defect")


@contextlib.asynccontextmanager
async def replica() -> AsyncIterator[Replica]:
    opened = Replica()
    await opened.server.open(host="127.0.0.1")
    try:
        yield opened
    finally:
        opened.release.set()
        await opened.server.close()


@pytest.fixture(params=["unix", "tcp"])
async def pair(request):
    """A replica, its address, and a router's connections to it."""
    async with replica() as r:
        hops = Hops(TOKEN)
        yield r, r.server.address if request.param == "unix" else r.server.tcp, hops
        hops.forget(frozenset())


def call(body: bytes, **more) -> Call:
    return Call(CHAT, body, more.pop("stream", False), "r-1", **more)


async def test_a_call_and_its_answer_arrive_as_they_were_sent(pair):
    _, address, hops = pair
    headers = {"content-type": "text/plain; charset=ü"}
    answer = await hops.send(address, "a", call(b"e\x00\xff", headers=headers))
    assert await answer.whole() == b"e\x00\xff"
    assert (answer.status, answer.headers) == (200, {"backend": "a"} | headers)


async def test_small_calls_pass_between_the_parts_of_large_ones(pair):
    _, address, hops = pair
    large = asyncio.create_task(hops.send(address, "a", call(b"e" + LARGE)))
    small = [await (await hops.send(address, "a", call(b"e1"))).whole() for _ in range(20)]
    assert small == [b"e1"] * 20
    assert await (await large).whole() == b"e" + LARGE


async def test_many_calls_at_once_get_their_own_answers(pair):
    _, address, hops = pair

    async def ask(body: bytes) -> bytes:
        return await (await hops.send(address, "a", call(body))).whole()

    bodies = [b"e%d" % n for n in range(200)]
    assert await asyncio.gather(*map(ask, bodies)) == bodies


async def test_a_router_that_reads_nothing_stops_a_stream_within_a_window(pair):
    r, address, hops = pair
    answer = await hops.send(address, "a", call(b"s", stream=True))
    await (await hops.send(address, "a", call(b"e"))).whole()  # others go on
    await asyncio.sleep(0.1)
    assert r.sent <= WINDOW_BYTES + 10_000
    size = 0
    async for piece in answer.pieces():
        size += len(piece)
    assert size == r.sent == 4_000_000


async def test_after_the_first_piece_those_that_came_together_are_one(pair):
    _, address, hops = pair
    answer = await hops.send(address, "a", call(b"s", stream=True))
    await (await hops.send(address, "a", call(b"e"))).whole()  # by now a window of pieces is here
    pieces = answer.pieces()
    assert len(await anext(pieces)) == 10_000
    assert len(await anext(pieces)) > 10_000
    await pieces.aclose()
    answer.finish()


async def test_a_call_that_is_left_is_cancelled_at_the_replica_and_no_other_one(pair):
    r, address, hops = pair
    left = asyncio.create_task(hops.send(address, "a", call(b"h1")))
    stays = asyncio.create_task(hops.send(address, "a", call(b"h2")))
    await until(lambda: len(r.bodies) == 2)
    left.cancel()
    await until(lambda: r.cancelled == 1)
    r.release.set()
    assert await (await stays).whole() == b"held"


async def test_a_stream_that_is_left_is_cancelled_at_the_replica(pair):
    r, address, hops = pair
    answer = await hops.send(address, "a", call(b"s", stream=True))
    answer.finish()
    sent = r.sent
    await (await hops.send(address, "a", call(b"e"))).whole()
    assert r.sent <= sent + WINDOW_BYTES + 10_000 < 4_000_000


async def test_a_defect_of_the_replica_ends_the_call_and_not_the_connection(pair):
    _, address, hops = pair
    with pytest.raises(ReplicaLost) as lost:
        await hops.send(address, "a", call(b"!"))
    assert lost.value.sent
    assert await (await hops.send(address, "a", call(b"e"))).whole() == b"e"


async def test_a_torn_answer_is_never_taken_for_whole(pair):
    _, address, hops = pair
    answer = await hops.send(address, "a", call(b"t", stream=True))
    with pytest.raises(Fault, match="in the middle of its answer"):
        [piece async for piece in answer.pieces()]


async def test_all_calls_of_a_lost_replica_fail_and_the_next_says_that_nothing_was_sent(pair):
    r, address, hops = pair
    calls = [asyncio.create_task(hops.send(address, "a", call(b"h"))) for _ in range(3)]
    await until(lambda: len(r.bodies) == 3)
    await r.server.close()
    for each in calls:
        with pytest.raises(ReplicaLost, match="without an answer") as lost:
            await each
        assert lost.value.sent
    with pytest.raises(ReplicaLost) as lost:
        await hops.send(address, "a", call(b"e"))
    assert not lost.value.sent
    assert isinstance(lost.value.__cause__, NoConnection)


async def test_a_replica_that_is_forgotten_answers_the_calls_under_way(pair):
    r, address, hops = pair
    held = asyncio.create_task(hops.send(address, "a", call(b"h")))
    await until(lambda: len(r.bodies) == 1)
    hops.forget(frozenset())
    r.release.set()
    assert await (await held).whole() == b"held"


async def test_another_token_is_refused(pair):
    r, address, _ = pair
    for token in ("", "a-toke", "b" * 400, "b" * 100_000):
        with pytest.raises(ReplicaLost, match=r"belongs to Waggle's router|reset|Broken pipe"):
            await Hops(token).send(address, "a", call(b"e"))
    assert r.bodies == []


# -- strangers and broken peers --------------------------------------------------------------------


@contextlib.asynccontextmanager
async def stranger(r: Replica, sent: bytes):
    host, _, port = r.server.tcp.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    try:
        yield reader
    finally:
        writer.transport.abort()


async def heard_from(reader: asyncio.StreamReader) -> bytes:
    """What came until the other side closed the connection."""
    try:
        return await asyncio.wait_for(reader.read(), 60)
    except ConnectionError:
        return b""


async def works(r: Replica) -> bool:
    hops = Hops(TOKEN)
    answer = await hops.send(r.server.tcp, "a", call(b"eworks"))
    body = await answer.whole()
    hops.forget(frozenset())
    return body == b"eworks"


async def test_a_stranger_who_speaks_http_is_told_so():
    async with replica() as r, stranger(r, b"POST /v1/chat/completions HTTP/1.1\r\n") as reader:
        answer = await heard_from(reader)
    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"this port belongs to Waggle's router" in answer


CALL_FRAME = with_body(CALL, 1, HEAD, b"e")[0]


@pytest.mark.parametrize(
    "sent",
    [
        CALL_FRAME,  # without a greeting
        frame(HELLO, 0, b"waggle 0 " + TOKEN.encode()) + CALL_FRAME,  # of another version
        frame(HELLO, 0, VERSION) + CALL_FRAME,
        b"\xff" * 100,
        b"\x00" * 9,
    ],
)
async def test_a_stranger_without_the_token_gets_nothing(sent):
    async with replica() as r:
        async with stranger(r, sent) as reader:
            assert b"belongs to Waggle" in await heard_from(reader)
        assert r.bodies == []
        assert await works(r)


async def test_a_silent_stranger_is_closed_and_so_is_a_slow_one():
    async with replica() as r:
        for sent in (b"", GREETING[:7]):
            async with stranger(r, sent) as reader:
                assert await heard_from(reader) == b""
        assert await works(r)


async def test_strangers_give_way_to_newer_connections():
    async with replica() as r, contextlib.AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(stranger(r, b"")) for _ in range(100)]
        assert await works(r)
        assert await heard_from(silent[0]) == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"\xff\xff\xff\x7f\x01\x00\x00\x00\x02",  # a frame of 2 GB
        frame(99, 1, b""),
        frame(CALL, 1, b"no head"),
        with_body(CALL, 1, b"{not json", b"e")[0],
        with_body(CALL, 1, b'["a"]', b"e")[0],
        with_body(CALL, 1, HEAD, b"h")[0] * 2,  # one number twice
    ],
    ids=["huge", "unknown", "no-head", "no-json", "short", "twice"],
)
async def test_a_router_that_sends_no_frame_is_told_so_and_the_others_go_on(sent):
    async with replica() as r:
        async with stranger(r, GREETING + sent) as reader:
            assert b"this is no frame" in await heard_from(reader)
        assert await works(r)


async def test_a_body_longer_than_it_says_is_no_frame():
    async with replica() as r:
        head, rest = with_body(CALL, 1, HEAD, b"e" + LARGE[: 300 * 2**10])
        async with stranger(r, GREETING + head + frame(MORE, 1, rest + b"!")) as reader:
            assert b"longer than its call says" in await heard_from(reader)
        assert r.bodies == []
        assert await works(r)


async def test_half_a_call_is_never_answered():
    async with replica() as r:
        async with stranger(r, GREETING + CALL_FRAME[:-1]):
            await asyncio.sleep(0.05)
        async with stranger(r, GREETING + with_body(CALL, 1, HEAD, b"e" + LARGE)[0]):
            await asyncio.sleep(0.05)
        assert r.bodies == []
        assert await works(r)


async def test_a_replica_that_sends_no_frame_is_a_lost_replica():
    async def lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"chat")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(lie, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ReplicaLost, match="what it sent is no frame"):
            await Hops(TOKEN).send(f"127.0.0.1:{port}", "a", call(b"e"))


# -- the socket and the splitter -------------------------------------------------------------------


async def test_only_its_owner_may_enter_the_folder_of_the_socket():
    async with replica() as r:
        path = Path(r.server.address.removeprefix("unix:"))
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert len(str(path)) < 108
    assert not path.parent.exists()


@pytest.mark.parametrize("turns", range(5))
async def test_a_connection_that_comes_while_the_replica_closes_is_closed(turns):
    async with replica() as r:
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as late:
            late.setblocking(False)
            late.connect(r.server.address.removeprefix("unix:"))
            for _ in range(turns):
                await asyncio.sleep(0)
            await r.server.close()

            def is_closed() -> bool:
                try:
                    return late.recv(1) == b""
                except BlockingIOError:
                    return False
                except ConnectionResetError:
                    return True

            await until(is_closed)


async def test_the_socket_of_a_killed_replica_is_removed_by_the_next_one():
    left = Path(tempfile.mkdtemp(prefix="hop-"))
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(str(left / "s"))
    async with replica() as first, replica() as second:
        assert not left.exists()
        assert await works(first)
        assert await works(second)


@pytest.mark.parametrize("step", [1, 2, 8, 9, 10, 1000])
def test_frames_are_cut_alike_however_they_arrive(step):
    frames = [(PIECE, n, b"x" * n) for n in (0, 1, 5, 300, 0)]
    sent = b"".join(frame(*each) for each in frames)
    splitter = Splitter()
    cut = [f for at in range(0, len(sent), step) for f in splitter.split(sent[at : at + step])]
    assert cut == frames
