"""Several keys or servers of one backend: who is asked next, and who rests."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from router.backends.build import build
from router.backends.endpoints import Endpoints
from router.config.backends import OpenAISettings
from router.config.network import GeminiSettings
from router.config.references import REFERENCE
from router.domain import CHAT, Call, Fault
from tests.dialect_servers import GeminiServer, anthropic_error
from tests.dialects.serving import serving
from tests.upstream import Upstream, answer_well, completion

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def secret(reference):
    """The value of `${A}` is `key-a`."""
    return f"key-{REFERENCE.fullmatch(reference)[1].lower()}"


def no_proxy(url):
    return ""


class Keys:
    """A server that answers each key with its own status, and counts the calls of each."""

    def __init__(self, **statuses):
        self.statuses = statuses
        self.calls = []
        self.hold = None

    async def __call__(self, wire):
        key = wire.headers["authorization"].removeprefix("Bearer key-")
        self.calls.append(key)
        if self.hold is not None:
            await self.hold.wait()
        status = self.statuses.get(key, 200)
        body = completion() if status == 200 else {"error": {"message": f"{key} says no"}}
        await wire.json(body, status, **({"retry_after": "20"} if status == 429 else {}))


@asynccontextmanager
async def pool(script, *, keys=("${A}", "${B}", "${C}"), clock=None, **more):
    async with Upstream(script).listening() as upstream:
        settings = OpenAISettings(kind="openai", base_url=upstream.url, api_keys=keys, **more)
        endpoints = Endpoints(settings, secret, no_proxy, clock=clock or Clock())
        try:
            yield endpoints
        finally:
            endpoints.close()


async def status_of(endpoints):
    async with endpoints.post(CHAT, BODY) as response:
        assert [piece async for piece in response.pieces()]
        return response.status


async def test_calls_one_after_the_other_take_turns_among_the_keys():
    server = Keys()
    async with pool(server) as endpoints:
        for _ in range(6):
            assert await status_of(endpoints) == 200
    assert server.calls == ["a", "b", "c"] * 2


async def test_calls_at_once_go_to_the_least_busy_key():
    server = Keys()
    server.hold = asyncio.Event()
    async with pool(server) as endpoints:
        calls = [asyncio.ensure_future(status_of(endpoints)) for _ in range(6)]
        while len(server.calls) < 6:
            await asyncio.sleep(0)
        server.hold.set()
        await asyncio.gather(*calls)
    assert sorted(server.calls) == ["a", "a", "b", "b", "c", "c"]


@pytest.mark.parametrize("status", [401, 403, 429])
async def test_a_key_that_is_refused_rests_alone_and_the_call_goes_to_the_next_at_once(status):
    server, clock = Keys(a=status), Clock()
    async with pool(server, clock=clock) as endpoints:
        assert [await status_of(endpoints) for _ in range(4)] == [200] * 4
        assert server.calls == ["a", "b", "c", "b", "c"]
        clock.now = 100
        server.statuses.clear()
        assert await status_of(endpoints) == 200
    assert server.calls[-1] == "a"


async def test_a_key_with_too_many_calls_rests_as_long_as_the_server_says():
    server, clock = Keys(a=429), Clock()
    async with pool(server, keys=("${A}", "${B}"), clock=clock) as endpoints:
        await status_of(endpoints)
        for clock.now, next_key in ((19.0, "b"), (21.0, "a")):
            server.calls.clear()
            await status_of(endpoints)
            await status_of(endpoints)
            assert ("a" in server.calls) == (next_key == "a")


async def test_if_all_keys_are_refused_the_caller_gets_the_last_refusal_and_then_a_fault():
    server = Keys(a=429, b=429, c=401)
    async with pool(server) as endpoints:
        assert await status_of(endpoints) == 401
        assert server.calls == ["a", "b", "c"]
        with pytest.raises(Fault, match="all 3 keys or servers of it rest, the first for 5") as f:
            await status_of(endpoints)
    assert f.value.kind == "breaker_open"


async def test_a_server_that_is_away_is_passed_over():
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(Upstream(answer_well).listening())
        urls = ("http://127.0.0.1:9/v1", there.url)
        endpoints = Endpoints(OpenAISettings(kind="openai", base_urls=urls), secret, no_proxy)
        assert [await status_of(endpoints) for _ in range(3)] == [200] * 3
        endpoints.close()


async def test_a_single_key_has_no_breaker_beside_that_of_the_host():
    server = Keys(a=429)
    async with pool(server, keys=("${A}",)) as endpoints:
        assert [await status_of(endpoints) for _ in range(9)] == [429] * 9


async def test_as_many_keys_as_addresses_belong_together_in_order():
    servers = [Keys(), Keys()]
    async with AsyncExitStack() as stack:
        ups = [await stack.enter_async_context(Upstream(s).listening()) for s in servers]
        settings = OpenAISettings(
            kind="openai", base_urls=tuple(up.url for up in ups), api_keys=("${A}", "${B}")
        )
        endpoints = Endpoints(settings, secret, no_proxy)
        for _ in range(4):
            await status_of(endpoints)
        endpoints.close()
    assert [server.calls for server in servers] == [["a", "a"], ["b", "b"]]


async def test_a_bad_key_of_gemini_rests_although_its_status_is_400():
    server = GeminiServer(key="key-b")
    async with Upstream(server).listening() as upstream:
        settings = GeminiSettings(
            kind="gemini",
            base_url=upstream.url.removesuffix("/v1"),
            model="gemini-2.5-flash",
            api_keys=("${A}", "${B}"),
        )
        backend = build(settings, secret)
        for _ in range(3):
            async with backend.send(Call(CHAT, BODY, stream=False)) as reply:
                assert reply.status == 200
        await backend.close()
        assert len(upstream.seen) == 4


async def test_headers_query_organization_and_auth_go_out_with_each_request():
    async def script(wire):
        await wire.json(completion())

    async with Upstream(script).listening() as upstream:
        base = upstream.url.removesuffix("/v1") + "/openai/deployments/gpt-4o"
        settings = OpenAISettings(
            kind="openai",
            base_url=base,
            api_key="${A}",
            auth="api-key",
            query={"api-version": "2024-10-21"},
            headers={"x-title": "Waggle", "x-token": "${T}", "Authorization": "Token ${U}"},
            organization="org-1",
        )
        backend = build(settings, secret)
        async with backend.send(Call(CHAT, BODY, stream=False)) as reply:
            assert reply.status == 200
        await backend.close()
        (wire,) = upstream.seen
    path = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
    assert wire.path == path
    sent = {name: wire.headers.get(name) for name in ("api-key", "x-title", "x-token")}
    assert sent == {"api-key": "key-a", "x-title": "Waggle", "x-token": "key-t"}
    assert wire.headers["authorization"] == "Token key-u"
    assert wire.headers["openai-organization"] == "org-1"


def test_a_key_with_a_line_break_is_refused_before_it_can_add_a_header():
    settings = OpenAISettings(kind="openai", base_url="http://x/v1", api_key="${A}")
    with pytest.raises(ValueError, match="line break") as refusal:
        Endpoints(settings, lambda reference: "sk-1\r\nx-evil: 1", no_proxy)
    assert "sk-1" not in str(refusal.value)
    Endpoints(settings, lambda reference: "sk-1\n", no_proxy)  # as a file often ends


async def test_a_backend_with_two_refused_keys_of_three_answers_in_a_running_waggle():
    turns = []

    async def script(wire):
        turns.append(wire)
        if len(turns) in (1, 2):
            await wire.json(anthropic_error("rate_limit_error", "no"), 429)
        else:
            await wire.json({"type": "message", "id": "m", "content": [], "usage": {}})

    keys = {"api_key": None, "api_keys": ["${A}", "${B}", "${C}"]}
    async with serving("anthropic", script, **keys) as waggle:
        answer = await waggle.chat("hi")
        assert answer.status == 200
        assert len(waggle.journal.traces[-1].attempts) == 1
    assert len(turns) == 3
