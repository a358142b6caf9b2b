"""Budgets of teams and tags: a request counts in all of them or in none, on two routers too."""

import asyncio
import calendar
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.cli.terminal import out
from router.keys import new_key
from tests.fakes import LosableHive
from tests.rig import rig
from tests.upstream import Upstream, answer_well

# A call of `a` costs $0.15 with the usual answer: 100 tokens in, 50 out.
TEXT = """
backends: {{a: {{kind: openai, base_url: "{url}", price: {{input: 1000, output: 1000}}}}}}
plans: {{p: {{ask: a}}}}
server: {{replicas: 2}}
reuse: {{mode: "off"}}
keys: {keys}
"""
LIKELY_USD, MOST_USD = 0.15, 0.6  # of one call with max_tokens: 50


class Clock:
    """The clocks of the routers and of the hive, which a test sets."""

    def __init__(self, *date):
        self.wall, self.steady = float(calendar.timegm((*date, 0, 0))), 1000.0

    def wait(self, seconds):
        self.wall, self.steady = self.wall + seconds, self.steady + seconds


@asynccontextmanager
async def routers(keys, *settings, clock=None):
    """Two routers with one hive, and keys with these settings."""
    made = [new_key(f"k{n}", "", **each) for n, each in enumerate(settings)]
    clock = clock or Clock(2026, 11, 10, 12)
    clocks = {"wall": lambda: clock.wall, "steady": lambda: clock.steady}
    hive = LosableHive(clocks["steady"])
    async with Upstream(answer_well).listening() as up, AsyncExitStack() as stack:
        text = TEXT.format(url=up.url, keys=keys)
        several = [
            await stack.enter_async_context(
                rig(text, keys=[key for _, key in made], hive=hive, name=name, **clocks)
            )
            for name in ("r1", "r2")
        ]
        yield several, [{"authorization": f"Bearer {secret}"} for secret, _ in made]


async def settled(several):
    """Let every router report what it used, and give back what it leased."""
    for r in several:
        await r.background.exchange()


async def uses(r):
    return await r.hive.budget_uses(r.engine.wall())


def refusals(answers):
    return [answer.error["message"] for answer in answers if answer.status == 429]


async def test_a_team_is_bounded_whichever_of_its_keys_calls_and_wherever():
    keys = "{teams: {search: {requests_per_minute: 4}}}"
    async with routers(keys, {"team": "search"}, {"team": "search"}) as (several, headers):
        answers = [
            await several[n % 2].chat(headers=headers[n % 3 % 2], max_tokens=50) for n in range(6)
        ]
    assert [answer.status for answer in answers] == [200] * 4 + [429] * 2
    assert "The budget of team search refuses" in answers[-1].error["message"]
    assert "requests_per_minute = 4 are used up" in answers[-1].error["message"]


async def test_a_team_counts_in_the_team_that_it_is_part_of():
    keys = "{teams: {all: {dollars_per_month: 0.4}, a: {parent: all}, b: {parent: all}}}"
    async with routers(keys, {"team": "a"}, {"team": "b"}) as (several, headers):
        answers = [await several[0].chat(headers=headers[n % 2], max_tokens=50) for n in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 429, 429]
    [first, _] = refusals(answers)
    assert "The budget of team all refuses" in first
    assert "of dollars_per_month = $0.4 is left" in first


async def test_a_refusal_says_how_to_mend_it_when_no_wait_helps():
    keys = "{teams: {search: {dollars_per_month: 0.0001}}}"
    async with routers(keys, {"team": "search"}) as (several, headers):
        answer = await several[0].chat("x" * 4000, headers=headers[0], max_tokens=50)
    assert "raise keys.teams.search.dollars_per_month" in answer.error["message"]
    assert "retry-after" not in answer.headers


async def test_a_tag_binds_by_header_and_by_metadata():
    keys = "{tags: {nightly: {requests_per_minute: 2}}}"
    async with routers(keys, {}) as (several, headers):
        r, head = several[0], headers[0]
        by_header = await r.chat(headers=head | {"x-waggle-tags": "nightly, other"})
        by_body = await r.chat(headers=head, metadata={"tags": ["nightly"]})
        third = await r.chat(headers=head, metadata={"tags": "other,nightly"})
        free = await r.chat(headers=head)
    assert [answer.status for answer in (by_header, by_body, third, free)] == [200, 200, 429, 200]
    assert "The budget of tag nightly refuses" in third.error["message"]


async def test_a_tag_that_is_named_twice_counts_once():
    keys = "{tags: {nightly: {requests_per_minute: 5}}}"
    async with routers(keys, {}) as (several, headers):
        head = headers[0] | {"x-waggle-tags": "nightly, nightly"}
        answer = await several[0].chat(headers=head, metadata={"tags": ["nightly"]})
    assert answer.headers["x-ratelimit-remaining-requests"] == "4"


async def test_the_tags_and_the_team_of_a_request_are_on_its_trace():
    keys = "{teams: {search: {}}}"
    async with routers(keys, {"team": "search"}) as (several, headers):
        head = headers[0] | {"x-waggle-tags": "b"}
        await several[0].chat(headers=head, metadata={"tags": ["a"]})
        request = several[0].journal.traces[0].request
    assert (request.tags, request.team) == (("b", "a"), "search")


@pytest.mark.parametrize(
    ("tags", "metadata", "wrong"),
    [
        ("a" * 65, None, "a tag is 1 to 64 printable characters"),
        (", ".join(f"t{n}" for n in range(17)), None, "at most 16 tags, and this has 17"),
        ("", {"tags": 5}, "must be a list of strings"),
        ("", {"tags": [1]}, "must be a list of strings"),
        ("", {"tags": ["a\nb"]}, "a tag is 1 to 64 printable characters"),
        ("", {"tags": [""]}, "a tag is 1 to 64 printable characters"),
    ],
)
async def test_a_tag_of_a_wrong_form_is_refused_by_name(tags, metadata, wrong):
    async with routers("{}", {}) as (several, headers):
        head = headers[0] | ({"x-waggle-tags": tags} if tags else {})
        answer = await several[0].chat(headers=head, metadata=metadata)
    assert answer.status == 400
    assert wrong in answer.error["message"]


async def test_a_tag_of_others_is_refused():
    keys = "{teams: {all: {}, a: {parent: all}, b: {}}, tags: {t: {teams: [all], keys: [k2]}}}"
    settings = {"team": "a"}, {"team": "b"}, {}
    async with routers(keys, *settings) as (several, headers):
        answers = [await several[0].chat(headers=head | {"x-waggle-tags": "t"}) for head in headers]
        by_body = await several[0].chat(headers=headers[1], metadata={"tags": ["t"]})
    assert [answer.status for answer in answers] == [200, 403, 200]
    assert by_body.status == 403
    assert by_body.error["code"] == "tag_not_allowed"
    assert "belongs to key k2, team all" in by_body.error["message"]


async def test_a_key_of_a_team_that_is_gone_is_refused():
    async with routers("{}", {"team": "gone"}) as (several, headers):
        answer = await several[0].chat(headers=headers[0])
    assert answer.status == 403
    assert "add keys.teams.gone" in answer.error["message"]


async def test_what_the_team_refuses_costs_the_key_nothing():
    keys = "{teams: {search: {requests_per_minute: 1}}}"
    limits = {"requests_per_minute": 10, "dollars_per_day": 9}
    async with routers(keys, {"team": "search", "limits": limits}) as (several, headers):
        for _ in range(4):
            await several[0].chat(headers=headers[0], max_tokens=50)
        await settled(several)
        use = (await uses(several[0]))[several[0].router.admission.keys[0].id]
    assert use.used.requests == 1


async def test_a_call_that_the_team_refuses_reserves_nothing_of_the_key():
    keys = "{teams: {search: {dollars_per_day: 0.2}}}"
    limits = {"dollars_per_day": 9, "dollars_per_month": 90}
    clock = Clock(2026, 11, 10, 12)
    async with routers(keys, {"team": "search", "limits": limits}, clock=clock) as around:
        several, headers = around
        answers = [await several[0].chat(headers=headers[0], max_tokens=50) for _ in range(3)]
        clock.wait(2)  # an account that was idle for a second gives everything back
        await settled(several)
        use = (await uses(several[0]))[several[0].router.admission.keys[0].id]
    assert [answer.status for answer in answers] == [200, 429, 429]
    assert use.held.usd == use.held.month_usd == 0
    assert use.used.usd == pytest.approx(0.15)


@pytest.mark.parametrize("bound", [{}, {"max_tokens": 50}, {"stream": True, "max_tokens": 50}])
async def test_of_fifty_calls_side_by_side_on_two_routers_no_budget_is_exceeded(bound):
    """Three keys, two teams in a third, and a tag: each bounds the dollars in its own way."""
    keys = """{teams: {all: {dollars_per_month: 3}, a: {parent: all, dollars_per_day: 1.6},
                       b: {parent: all, dollars_per_month: 2}},
               tags: {t: {dollars_per_day: 1}}}"""
    key = {"limits": {"dollars_per_day": 1.2}}
    settings = [key | {"team": "a"}, key | {"team": "a"}, key | {"team": "b"}]
    async with routers(keys, *settings) as (several, headers):
        calls = [
            several[n % 2].chat(
                headers=headers[n % 3] | ({"x-waggle-tags": "t"} if n % 5 == 0 else {}), **bound
            )
            for n in range(50)
        ]
        answers = await asyncio.gather(*calls)
        traces = [trace for r in several for trace in r.journal.traces]
        ids = {key.id: key.name for key in several[0].router.admission.keys}
        await settled(several)
        use = await uses(several[0])
    assert {answer.status for answer in answers} == {200, 429}

    def spent(wanted):
        return sum(trace.cost_usd for trace in traces if wanted(trace.request))

    bounds = {
        "k0": (1.2, lambda request: ids[request.key_id] == "k0"),
        "k1": (1.2, lambda request: ids[request.key_id] == "k1"),
        "k2": (1.2, lambda request: ids[request.key_id] == "k2"),
        "team a": (1.6, lambda request: request.team == "a"),
        "team b": (2, lambda request: request.team == "b"),
        "team all": (3, lambda request: True),
        "tag t": (1, lambda request: "t" in request.tags),
    }
    for name, (bound_usd, wanted) in bounds.items():
        assert spent(wanted) <= bound_usd + MOST_USD, name
    assert spent(lambda request: True) >= 0.9 * 3 - LIKELY_USD
    assert use["team all"].used.month_usd == pytest.approx(spent(lambda request: True))


async def test_dollars_of_a_month_outlast_the_day_and_end_with_the_month():
    keys, clock = "{teams: {search: {dollars_per_month: 0.4}}}", Clock(2026, 1, 30, 12)
    async with routers(keys, {"team": "search"}, clock=clock) as (several, headers):
        r, head = several[0], headers[0]
        statuses = [(await r.chat(headers=head, max_tokens=50)).status for _ in range(2)]
        clock.wall += 86_400
        refused = await r.chat(headers=head, max_tokens=50)
        clock.wall += 86_400
        again = await r.chat(headers=head, max_tokens=50)
    assert [*statuses, refused.status, again.status] == [200, 200, 429, 200]
    assert int(refused.headers["retry-after"]) == pytest.approx(12 * 3600, abs=2)


async def test_a_clock_that_steps_back_brings_back_what_the_month_spent():
    keys, clock = "{teams: {search: {dollars_per_month: 0.4}}}", Clock(2026, 1, 30, 12)
    async with routers(keys, {"team": "search"}, clock=clock) as (several, headers):
        r, head = several[0], headers[0]
        for _ in range(2):
            await r.chat(headers=head, max_tokens=50)
        clock.wall += 20 * 86_400
        assert (await r.chat(headers=head, max_tokens=50)).status == 200
        clock.wall -= 20 * 86_400
        refused = await r.chat(headers=head, max_tokens=50)
    assert refused.status == 429


async def test_without_the_hive_each_router_keeps_to_its_share_of_the_team():
    keys = "{teams: {search: {requests_per_minute: 6}}}"
    async with routers(keys, {"team": "search"}) as (several, headers):
        several[0].hive.away = True
        statuses = [(await several[0].chat(headers=headers[0])).status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]


async def test_headers_show_the_tightest_budget_and_the_dollars():
    keys = "{teams: {search: {requests_per_minute: 5, dollars_per_month: 7}}}"
    limits = {"requests_per_minute": 60, "tokens_per_minute": 9000, "dollars_per_day": 100}
    async with routers(keys, {"team": "search", "limits": limits}) as (several, headers):
        await several[0].chat(headers=headers[0], max_tokens=50)
        answer = await several[0].chat(headers=headers[0], max_tokens=50)
    assert answer.headers["x-ratelimit-limit-requests"] == "5"
    assert answer.headers["x-ratelimit-remaining-requests"] == "3"
    assert answer.headers["x-ratelimit-limit-tokens"] == "9000"
    assert answer.headers["x-waggle-budget"] == "team search dollars_per_month"
    assert answer.headers["x-waggle-budget-limit-usd"] == "7"
    assert 6 < float(answer.headers["x-waggle-budget-remaining-usd"]) <= 6.85
    assert answer.headers["x-waggle-budget-reset"].endswith("-01T00:00:00Z")
    assert not any(name.startswith("anthropic-") for name in answer.headers)


async def test_anthropics_clients_see_their_own_names_and_their_own_form_of_an_error():
    keys = "{teams: {search: {requests_per_minute: 2, tokens_per_minute: 9000}}}"
    async with routers(keys, {"team": "search"}) as (several, headers):
        body = {
            "model": "auto",
            "max_tokens": 50,
            "messages": [{"role": "user", "content": "hi"}],
        }
        key = {"x-api-key": headers[0]["authorization"].removeprefix("Bearer ")}
        answers = [await several[0].post("/v1/messages", body, **key) for _ in range(3)]
    first, refused = answers[0], answers[2]
    assert first.headers["anthropic-ratelimit-requests-limit"] == "2"
    assert first.headers["anthropic-ratelimit-requests-remaining"] == "1"
    assert first.headers["anthropic-ratelimit-tokens-limit"] == "9000"
    assert first.headers["anthropic-ratelimit-tokens-reset"] == "2026-11-10T12:01:01Z"
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert refused.status == 429
    assert refused.json["type"] == "error"
    assert "The budget of team search refuses" in refused.error["message"]
    assert refused.headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert int(refused.headers["retry-after"]) >= 60


async def test_a_refusal_has_each_header_once():
    async with routers("{limits: {requests_per_minute: 1}}", {}) as (several, headers):
        answers = [await several[0].chat(headers=headers[0]) for _ in range(2)]
    assert answers[1].status == 429
    assert answers[1].headers["x-ratelimit-remaining-requests"] == "0"
    assert answers[1].names.count("x-ratelimit-limit-requests") == 1


async def test_the_route_of_budgets_shows_what_is_used_held_and_left(monkeypatch):
    monkeypatch.setattr(out, "_width", 150)  # no cell is cut, whatever the terminal
    keys = "{teams: {search: {parent: all, dollars_per_month: 7}, all: {requests_per_minute: 9}}}"
    settings = {"team": "search", "limits": {"dollars_per_day": 1}}, {"scopes": ("analyst",)}
    clock = Clock(2026, 11, 10, 12)
    async with routers(keys, *settings, clock=clock) as (several, headers):
        await several[0].chat(headers=headers[0], max_tokens=50)
        clock.wait(2)
        await settled(several)
        answer = await several[1].get("/v1/budgets", **headers[1])
        forbidden = await several[1].get("/v1/budgets", **headers[0])
        runner = CliRunner(env={"WAGGLE_API_KEY": headers[1]["authorization"][7:]})
        command = await asyncio.to_thread(runner.invoke, app, ["budgets", "--url", several[0].url])
    rows = [line.split() for line in command.output.splitlines()]
    month_row = ["dollars_per_month", "$7.0000", "$0.1500", "$0.0000", "$6.8500", "98%"]
    assert ["team", "search", "(of", "all)", *month_row, "20", "days"] in rows
    budgets = {(each["kind"], each["name"]): each for each in answer.json["budgets"]}
    assert set(budgets) == {("key", "k0"), ("team", "search"), ("team", "all")}
    month = budgets["team", "search"]["limits"]["dollars_per_month"]
    assert (month["used"], month["held"], month["left"]) == pytest.approx((0.15, 0, 6.85))
    assert budgets["team", "search"]["parent"] == "all"
    assert budgets["team", "all"]["limits"]["requests_per_minute"]["used"] == 1
    assert forbidden.status == 403


async def test_a_budget_that_reaches_a_share_of_its_dollars_is_an_event_that_routers_share():
    keys = "{teams: {search: {dollars_per_month: 0.34}}}"
    async with routers(keys, {"team": "search"}) as (several, headers):
        for n in range(4):
            await several[n % 2].chat(headers=headers[0], max_tokens=50)
        await settled(several)
        events = [event for r in several for event in r.journal.events if event.kind == "budget"]
    seen = {(event.id, event.subject, event.state) for event in events}
    subject = "team search dollars_per_month 2026-11"
    assert seen == {(f"budget {subject} {state}", subject, state) for state in ("80%", "100%")}
    assert len(events) <= 4
    whole = next(event for event in events if event.state == "100%")
    assert whole.detail == {
        "owner": "team search",
        "rule": "dollars_per_month",
        "used": pytest.approx(0.3),
        "limit": 0.34,
    }
