"""What the owner of a key sees of its limits and scopes."""

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from router.keys import new_key
from tests.fakes import LosableHive
from tests.rig import rig
from tests.upstream import Upstream, answer_well, completion, delta
from tests.waiting import until

TEXT = """
backends: {{a: {{kind: openai, base_url: "{url}", price: {{input: 1000, output: 1000}}}}}}
plans: {{p: {{ask: a}}}}
keys: {{limits: {{requests_per_minute: {default}}}}}
"""


@asynccontextmanager
async def limited(limits, default="null", **more):
    text, key = new_key("k", "", limits=limits, **more)
    hive = LosableHive()
    async with Upstream().listening() as up:
        config = TEXT.format(url=up.url, default=default)
        async with rig(config, keys=[key], hive=hive) as r:
            yield r, {"authorization": f"Bearer {text}"}


async def statuses(r, headers, times, **more):
    return [(await r.chat(headers=headers, **more)).status for _ in range(times)]


async def test_a_request_beyond_the_bound_learns_when_to_come_back():
    async with limited({"requests_per_minute": 3}) as (r, headers):
        assert await statuses(r, headers, 5) == [200, 200, 200, 429, 429]
        refusal = await r.chat(headers=headers)
    assert refusal.error["code"] == "rate_limit_exceeded"
    assert "requests_per_minute = 3" in refusal.error["message"]
    assert 50 <= int(refusal.headers["retry-after"]) <= 62


async def test_two_routers_share_one_bound():
    text, key = new_key("k", "", limits={"requests_per_minute": 4})
    headers = {"authorization": f"Bearer {text}"}
    hive = LosableHive()
    async with Upstream().listening() as up:
        config = TEXT.format(url=up.url, default="null")
        async with (
            rig(config, keys=[key], hive=hive) as first,
            rig(config, keys=[key], hive=hive, name="r2") as second,
        ):
            seen = [(await r.chat(headers=headers)).status for r in (first, second) * 4]
    assert seen == [200] * 4 + [429] * 4


@pytest.mark.parametrize("stream", [False, True])
async def test_tokens_are_counted_before_the_next_request(stream):
    async with limited({"tokens_per_minute": 300}) as (r, headers):
        assert await statuses(r, headers, 4, stream=stream) == [200, 200, 429, 429]


async def test_a_key_is_refused_once_its_dollars_of_the_day_are_spent():
    async with limited({"dollars_per_day": 0.4}) as (r, headers):
        assert await statuses(r, headers, 3) == [200, 200, 429]  # $0.15 each
        refusal = await r.chat(headers=headers)
    assert "dollars_per_day" in refusal.error["message"]


async def test_a_key_without_bounds_of_its_own_has_the_default_ones():
    async with limited({}, default="2") as (r, headers):
        assert await statuses(r, headers, 3) == [200, 200, 429]


async def test_a_malformed_request_counts_and_a_refused_one_does_not():
    async with limited({"requests_per_minute": 2}) as (r, headers):
        wrong = await r.post("/v1/chat/completions", {"model": "auto"}, **headers)
        assert wrong.status == 400
        assert await statuses(r, headers, 3) == [200, 429, 429]


async def test_a_scope_opens_what_it_names_and_nothing_else():
    text, key = new_key("k", "", scopes=("analyst",))
    async with Upstream().listening() as up:
        async with rig(TEXT.format(url=up.url, default="null"), keys=[key]) as r:
            headers = {"authorization": f"Bearer {text}"}
            assert (await r.chat(headers=headers)).status == 403
            assert (await r.get("/metrics", **headers)).status == 200
            assert (await r.get("/metrics")).status == 401
            assert (await r.get("/health/ready")).status == 200


PAID = """
backends:
  a: {{kind: openai, base_url: "{url}", price: {{input: 10000, output: {output}}}}}
  cheap: {{kind: openai, base_url: "{url}", price: {{input: 100, output: 200}}}}
  vectors: {{kind: openai, base_url: "{url}", capabilities: [embeddings],
            price: {{input: 10000, output: 0}}}}
plans: {{p: {{ask: a}}, small: {{ask: cheap}}, twice: {{fan_out: [a, a, a], merge: vote}}}}
server: {{replicas: 2}}
objective: {{strategy: fixed, plan: p}}
reuse: {{mode: "off"}}
"""


@asynccontextmanager
async def two_routers(limits, script=answer_well, *, output=180_000, steady=time.monotonic, **more):
    """Two routers with one hive, and a key; a call of `a` costs $10 with the usual answer."""
    text, key = new_key("k", "", limits=limits, **more)
    hive = LosableHive(steady)
    async with Upstream(script).listening() as up, AsyncExitStack() as stack:
        config = PAID.format(url=up.url, output=output)
        routers = [
            await stack.enter_async_context(
                rig(config, keys=[key], hive=hive, name=name, steady=steady)
            )
            for name in ("r1", "r2")
        ]
        yield routers, up, {"authorization": f"Bearer {text}"}


def spent(routers):
    return sum(trace.cost_usd for r in routers for trace in r.journal.traces)


async def exhaust(routers, headers, calls, **more):
    """Make calls side by side through all routers."""
    several = [routers[n % len(routers)].chat(headers=headers, **more) for n in range(calls)]
    return await asyncio.gather(*several)


@pytest.mark.parametrize("bound", [{}, {"max_tokens": 50}, {"stream": True}])
async def test_fifty_calls_of_ten_dollars_side_by_side_on_a_key_of_one_dollar_make_one_call(bound):
    async with two_routers({"dollars_per_day": 1}) as (routers, up, headers):
        answers = await exhaust(routers, headers, 50, **bound)
    assert len(up.seen) <= 1
    assert spent(routers) <= 10
    refusal = next(answer for answer in answers if answer.status == 429)
    assert "of dollars_per_day = $1 is left" in refusal.error["message"]


async def test_a_call_of_which_the_cost_is_known_to_be_too_high_is_refused_by_name():
    async with two_routers({"dollars_per_day": 1}) as (routers, up, headers):
        long = await routers[0].chat("x" * 4000, headers=headers)
    assert up.seen == []
    assert "expected to cost $10" in long.error["message"]
    assert "$1 of dollars_per_day = $1 is left" in long.error["message"]
    assert "retry-after" not in long.headers


async def test_a_caller_who_gives_no_bound_is_served_though_the_worst_case_is_too_dear():
    # The worst case of an answer without max_tokens is 4,096 tokens, here $737.
    async with two_routers({"dollars_per_day": 12}) as (routers, _, headers):
        assert (await routers[0].chat(headers=headers)).status == 200


@pytest.mark.parametrize("bound", [{}, {"max_tokens": 50}, {"stream": True}])
async def test_dollars_are_granted_almost_whole_and_never_exceeded(bound):
    """Calls of $0.02 until the key, with $2, is refused everywhere."""
    async with two_routers({"dollars_per_day": 2}) as (routers, _, headers):
        for _ in range(6):
            answers = await exhaust(routers, headers, 40, model="cheap", **bound)
    assert {answer.status for answer in answers} == {429}
    assert 0.95 * 2 <= spent(routers) <= 2.02


async def test_tokens_per_minute_hold_for_calls_side_by_side():
    async with two_routers({"tokens_per_minute": 3000}) as (routers, up, headers):
        for _ in range(2):
            answers = await exhaust(routers, headers, 30, model="small", max_tokens=50)
    assert 0.95 * 3000 <= 150 * len(up.seen) <= 3000 + 150
    refusal = next(answer for answer in answers if answer.status == 429)
    assert "of tokens_per_minute = 3000 are left" in refusal.error["message"]
    assert 1 <= int(refusal.headers["retry-after"]) <= 62


@pytest.mark.parametrize("bursts", [1, 15])
async def test_a_bound_on_requests_is_granted_almost_whole_from_many_connections(bursts):
    """1,500 requests, half to each router, on a key that may send 500 in a minute. The clock
    stands: a slow machine takes more than a minute for them, in which more are allowed."""
    now = time.monotonic()
    limits = {"requests_per_minute": 500}
    async with two_routers(limits, steady=lambda: now) as (routers, _, headers):
        good = 0
        for _ in range(bursts):
            many = [routers[n % 2].get("/v1/models", **headers) for n in range(1500 // bursts)]
            good += sum(answer.status == 200 for answer in await asyncio.gather(*many))
            for r in routers:
                await r.background.exchange()
    assert 475 <= good <= 500


async def test_a_caller_who_leaves_does_not_escape_the_budget():
    """Five callers leave before the answer comes; a backend may charge for each of the calls."""

    async def slowly(wire):
        await asyncio.sleep(60)

    limits = {"dollars_per_day": 102}
    async with two_routers(limits, slowly, output=0) as (routers, up, headers):
        r = routers[0]
        for _ in range(5):
            call = asyncio.ensure_future(r.chat("x" * 8000, headers=headers))
            await until(lambda: len(up.seen) > len(r.journal.traces))
            call.cancel()
            await until(lambda: len(up.seen) == len(r.journal.traces))
        refusal = await r.chat("x" * 8000, headers=headers)
    assert refusal.status == 429
    assert len(up.seen) == 5  # $20 each
    assert "of dollars_per_day = $102 is left" in refusal.error["message"]


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 100, "completion_tokens": -5, "total_tokens": -5},
        {"prompt_tokens": -(10**9), "completion_tokens": 1},
        {"prompt_tokens": 10**18, "completion_tokens": 10**18},
        {"prompt_tokens": 1e300, "completion_tokens": 1e300},
        {"prompt_tokens": "100", "completion_tokens": "50"},
        {"prompt_tokens": True, "completion_tokens": None},
        "free",
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_usage_that_cannot_be_true_neither_credits_nor_poisons_a_budget(usage, stream):
    async def lies(wire):
        if not wire.fields.get("stream"):
            await wire.json(completion(usage=usage))
            return
        wire.events()
        await wire.event(delta("hello"))
        await wire.event(delta(finish="stop", usage=usage))
        await wire.event(b"[DONE]")
        await wire.chunk(b"")

    async with two_routers({"dollars_per_day": 5}, lies, output=10_000) as (routers, _, headers):
        answers = [await routers[0].chat(headers=headers, stream=stream) for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 200]
    assert 0 <= spent(routers) < 5


async def test_every_way_of_a_plan_stays_within_the_budget_of_the_key():
    """Three calls of $10 side by side for one request, on a key with $25."""
    async with two_routers({"dollars_per_day": 25}) as (routers, up, headers):
        await routers[0].chat(headers=headers, model="twice", max_tokens=50)
        again = await routers[1].chat(headers=headers, model="twice", max_tokens=50)
    assert len(up.seen) <= 3
    assert again.status == 429


async def test_a_key_for_one_plan_gets_no_vectors_of_a_backend_outside_it():
    text, key = new_key("k", "", plans=("small",))
    headers = {"authorization": f"Bearer {text}"}
    async with Upstream().listening() as up:
        async with rig(PAID.format(url=up.url, output=1), keys=[key]) as r:
            for model in ("vectors", "auto"):
                body = {"model": model, "input": "x"}
                answer = await r.post("/v1/embeddings", body, **headers)
                assert answer.status == 403
                assert answer.error["code"] == "plan_not_allowed"
                assert "It may use: small" in answer.error["message"]
            routed = await r.post(
                "/v1/route",
                {"model": "p", "messages": [{"role": "user", "content": "x"}]},
                **headers,
            )
    assert routed.status == 403
    assert up.seen == []


async def test_vectors_cost_tokens_and_dollars_of_the_key():
    async def script(wire):
        data = [{"object": "embedding", "index": 0, "embedding": [1.0]}]
        usage = {"prompt_tokens": 100, "total_tokens": 100}
        await wire.json({"object": "list", "data": data, "model": "m", "usage": usage})

    async with two_routers({"dollars_per_day": 2}, script) as (routers, up, headers):
        body = {"model": "vectors", "input": "x" * 360}
        answers = await asyncio.gather(
            *(routers[n % 2].post("/v1/embeddings", body, **headers) for n in range(20))
        )
    assert len(up.seen) <= 2  # $1 each
    assert sorted(answer.status for answer in answers)[-1] == 429


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/v1/route"),
        ("post", "/v1/feedback"),
        ("post", "/v1/sql"),
        ("post", "/v1/trials"),
        ("get", "/v1/trials"),
        ("get", "/v1/models"),
        ("get", "/v1/models/p"),
        ("get", "/v1/learner"),
        ("get", "/metrics"),
    ],
)
async def test_every_route_that_needs_a_key_counts_against_its_requests(method, path):
    scopes = ("admin",)
    async with limited({"requests_per_minute": 2}, scopes=scopes) as (r, headers):
        send = {
            "get": lambda: r.get(path, **headers),
            "post": lambda: r.post(path, {}, **headers),
        }[method]
        assert [(await send()).status == 429 for _ in range(3)] == [False, False, True]


async def test_feedback_has_a_count_of_its_own():
    async with limited({"requests_per_minute": 2}) as (r, headers):
        assert await statuses(r, headers, 2) == [200, 200]
        body = {"request_id": r.journal.traces[0].request.id, "score": 1}
        answers = [await r.post("/v1/feedback", body, **headers) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]


async def test_answers_show_the_limits_in_the_headers_that_clients_know():
    limits = {"requests_per_minute": 60, "tokens_per_minute": 9000}
    async with limited(limits) as (r, headers):
        await r.chat(headers=headers)
        answer = await r.chat(headers=headers, stream=True)
    shown = {name: answer.headers[f"x-ratelimit-{name}-requests"] for name in ("limit", "reset")}
    assert shown["limit"] == "60"
    assert 59 <= int(shown["reset"].removesuffix("s")) <= 61
    assert answer.headers["x-ratelimit-remaining-requests"] == "58"
    assert answer.headers["x-ratelimit-limit-tokens"] == "9000"
    assert 8000 <= int(answer.headers["x-ratelimit-remaining-tokens"]) < 9000


async def test_a_key_without_limits_asks_the_hive_nothing():
    text, key = new_key("k", "")
    async with Upstream().listening() as up:
        async with rig(TEXT.format(url=up.url, default="null"), keys=[key]) as r:
            r.hive.away = True
            answer = await r.chat(headers={"authorization": f"Bearer {text}"})
            lost = "waggle_hive_unreachable_total" in r.engine.metrics.snapshot().decode()
    assert answer.status == 200
    assert not lost
    assert "x-ratelimit-limit-requests" not in answer.headers
