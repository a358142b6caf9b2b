"""Work ends when its caller hangs up, and not because a request's body was not read."""

import asyncio

from router.wire.asgi import WhileConnected


def receiving(*messages):
    waiting = list(messages)

    async def receive():
        if not waiting:
            await asyncio.Event().wait()
        return {"type": waiting.pop(0), "body": b""}

    return receive


async def test_a_body_that_nobody_read_is_no_caller_that_left():
    done = False
    async with WhileConnected(receiving("http.request"), after=0.0):
        for _ in range(10):
            await asyncio.sleep(0)
        await asyncio.wait_for(asyncio.sleep(0.01), 60)
        done = True
    assert done


async def test_work_ends_when_the_caller_leaves():
    done = False
    async with WhileConnected(receiving("http.request", "http.disconnect"), after=0.0):
        await asyncio.Event().wait()
        done = True
    assert not done
