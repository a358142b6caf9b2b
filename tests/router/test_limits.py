"""What the owner of a key sees of its limits and scopes."""

from contextlib import asynccontextmanager

import pytest

from router.keys import new_key
from tests.fakes import LosableHive
from tests.rig import rig
from tests.upstream import Upstream

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
            rig(config, keys=[key], hive=hive) as second,
        ):
            seen = [(await r.chat(headers=headers)).status for r in (first, second) * 4]
    assert seen == [200] * 4 + [429] * 4


@pytest.mark.parametrize("stream", [False, True])
async def test_tokens_are_counted_before_the_next_request(stream):
    async with limited({"tokens_per_minute": 300}) as (r, headers):
        assert await statuses(r, headers, 4, stream=stream) == [200, 200, 429, 429]


async def test_a_key_is_refused_once_its_dollars_of_the_day_are_spent():
    async with limited({"dollars_per_day": 0.4}) as (r, headers):
        assert await statuses(r, headers, 4) == [200, 200, 200, 429]
        refusal = await r.chat(headers=headers)
    assert "dollars_per_day" in refusal.error["message"]


async def test_a_key_without_bounds_of_its_own_has_the_default_ones():
    async with limited({}, default="2") as (r, headers):
        assert await statuses(r, headers, 3) == [200, 200, 429]


async def test_a_request_that_was_refused_costs_nothing():
    async with limited({"requests_per_minute": 2}) as (r, headers):
        wrong = await r.post("/v1/chat/completions", {"model": "auto"}, **headers)
        assert wrong.status == 400
        assert await statuses(r, headers, 3) == [200, 200, 429]


async def test_a_scope_opens_what_it_names_and_nothing_else():
    text, key = new_key("k", "", scopes=("analyst",))
    async with Upstream().listening() as up:
        async with rig(TEXT.format(url=up.url, default="null"), keys=[key]) as r:
            headers = {"authorization": f"Bearer {text}"}
            assert (await r.chat(headers=headers)).status == 403
            assert (await r.get("/metrics", **headers)).status == 200
            assert (await r.get("/metrics")).status == 401
            assert (await r.get("/health/ready")).status == 200
