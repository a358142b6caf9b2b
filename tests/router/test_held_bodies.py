"""Large and slow bodies take nothing from anybody else."""

import asyncio
import json

import pytest

from router.api.held_bodies import SMALL, HeldBodies
from router.wire.asgi import BodyTooSlow, Patience, read_body
from router.wire.errors import Unavailable
from tests.rig import rig
from tests.upstream import Upstream, completion

TEXT = """
server: {{max_held_bytes: 1000000, max_request_bytes: 1000000}}
backends: {{a: {{kind: openai, base_url: "{url}"}}}}
plans: {{p: {{ask: a}}}}
"""


async def test_bodies_wait_their_turn_in_order_and_small_ones_never_do():
    bodies = HeldBodies(10 * SMALL)
    first = await bodies.take(8 * SMALL)
    second = asyncio.ensure_future(bodies.take(4 * SMALL))
    third = asyncio.ensure_future(bodies.take(2 * SMALL))
    await asyncio.sleep(0)
    assert not second.done()
    assert not third.done()  # it would fit, but it came later
    assert await bodies.take(SMALL) == 0
    bodies.give_back(first)
    assert (await second, await third) == (4 * SMALL, 2 * SMALL)
    assert bodies.held == 6 * SMALL


async def test_a_body_larger_than_all_gets_its_turn_alone():
    bodies = HeldBodies(2 * SMALL)
    assert await bodies.take(100 * SMALL) == 2 * SMALL


async def test_who_waits_too_long_may_come_again_and_blocks_nobody():
    bodies = HeldBodies(2 * SMALL, wait_seconds=0.0)
    share = await bodies.take(2 * SMALL)
    with pytest.raises(Unavailable, match="max_held_bytes = 131072") as refused:
        await bodies.take(2 * SMALL)
    assert dict(refused.value.headers)[b"retry-after"]
    bodies.give_back(share)
    assert await bodies.take(2 * SMALL) == share


async def test_who_leaves_while_waiting_takes_no_turn():
    bodies = HeldBodies(2 * SMALL)
    share = await bodies.take(2 * SMALL)
    waiting = [asyncio.ensure_future(bodies.take(2 * SMALL)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    bodies.give_back(share)  # the second one's turn, which leaves in the same moment
    waiting[1].cancel()
    assert await waiting[2] == share
    assert bodies.held == share


async def test_forty_large_bodies_at_once_are_answered_and_hold_no_more_than_the_bound():
    most = 0

    async def script(wire):
        nonlocal most
        most = max(most, up.running)
        await wire.json(completion())

    large = [{"role": "user", "content": "x" * 400_000}]
    async with Upstream(script).listening() as up, rig(TEXT.format(url=up.url)) as r:
        body = {"model": "auto", "messages": large}
        forty = [asyncio.ensure_future(r.post("/v1/chat/completions", body)) for _ in range(40)]
        small = [(await r.chat()).status for _ in range(5)]
        statuses = [(await answer).status for answer in forty]
    assert statuses == [200] * 40
    assert small == [200] * 5
    assert most <= 3  # two large ones, and a small one


async def test_a_request_that_fails_gives_its_bytes_back():
    async with rig(TEXT.format(url="http://127.0.0.1:9/v1")) as r:
        for body in (b"{" + b" " * 900_000, json.dumps(["x" * 900_000]).encode()) * 3:
            assert (await r.post("/v1/chat/completions", body)).status == 400


async def pieces(*sizes, then):
    """A caller that sends pieces of these sizes, and then waits for `then`."""
    for size in sizes:
        yield {"type": "http.request", "body": b"x" * size, "more_body": True}
    await then.wait()
    yield {"type": "http.request", "body": b"", "more_body": False}


@pytest.mark.parametrize("sizes", [(), (1,), (10, 10)])
async def test_a_body_that_stops_arriving_is_given_up(sizes):
    caller = pieces(*sizes, then=asyncio.Event())
    with pytest.raises(BodyTooSlow) as slow:
        await read_body(caller.__anext__, patience=Patience(0.0, 2**30))
    assert slow.value.arrived == sum(sizes)


async def test_a_body_that_keeps_its_pace_may_take_longer():
    later = asyncio.Event()
    caller = pieces(1000, 1000, then=later)
    asyncio.get_running_loop().call_later(0.05, later.set)
    body = await read_body(caller.__anext__, patience=Patience(0.01, 10))
    assert body == b"x" * 2000


async def test_a_slow_sender_is_told_and_its_connection_is_closed():
    async with rig(TEXT.format(url="http://127.0.0.1:9/v1")) as r:
        r.router.admission.patience = Patience(0.05, 2**30)
        reader, writer = await asyncio.open_connection(*r.url.removeprefix("http://").split(":"))
        head = (
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
            "content-type: application/json\r\ncontent-length: 100\r\n\r\n{"
        )
        writer.write(head.encode())
        async with asyncio.timeout(30):
            answer = await reader.read()  # to the end: the connection is closed
        writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"Of the request, 1 bytes arrived" in answer
