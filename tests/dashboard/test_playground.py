"""The playground's requests: only its own page sends them, and only four things reach a service."""

import asyncio
import io
import json
from itertools import product

import aiohttp
import pytest
from yarl import URL

from router.keys import new_key, save_keys
from tests.dashboard.conftest import served
from tests.dashboard.playing import playing
from tests.router.scripted import NEVER, ScriptedModel
from tests.upstream import delta
from tests.waiting import until

QUESTION = {"prompt": "Why do bees dance?", "max_tokens": 100}
ANSWER = QUESTION | {"plan": "free", "most_usd": 0}


@pytest.fixture
async def http():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


def words_of(content: str) -> str:
    """The text of an answer that came as events."""
    lines = [line[6:] for line in content.splitlines() if line.startswith("data: {")]
    choices = [choice for line in lines for choice in json.loads(line).get("choices", ())]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


async def test_an_answer_comes_with_what_the_page_shows_of_it_and_teaches(story, http):
    with playing(story, {"free": ScriptedModel("to tell")}) as place:
        async with http.post(f"{place.url}/service/answer", json=ANSWER) as answer:
            assert answer.status == 200
            assert answer.content_type == "text/event-stream"
            assert "default-src 'self'" in answer.headers["content-security-policy"]
            request_id = answer.headers["x-waggle-request-id"]
            assert words_of(await answer.text()).strip() == "to tell"
        [trace] = place.waggle.journal.traces
        assert trace.decision.strategy == "compared"
        assert trace.decision.numbers  # without them, a thumb would teach nothing
        thumb = {"request_id": request_id, "thumbs": "down"}
        async with http.post(f"{place.url}/service/feedback", json=thumb) as answer:
            assert answer.status == 200
        [signal] = place.waggle.journal.signals
    assert (signal.source, signal.metric, signal.score) == ("playground", "thumbs", 0.0)
    assert signal.about.plan == "free"


async def test_the_same_prompt_to_two_plans_is_no_repeated_question(story, http):
    with playing(story, {"free": ScriptedModel("a"), "dear": ScriptedModel("b")}) as place:
        for plan in ("free", "dear"):
            body = ANSWER | {"plan": plan, "most_usd": 1}
            async with http.post(f"{place.url}/service/answer", json=body) as answer:
                await answer.read()
        first, second = place.waggle.journal.traces
        assert first.request.session != second.request.session
        assert place.waggle.journal.signals == []


async def test_what_the_viewer_agreed_to_is_the_most_that_the_service_spends(story, http):
    with playing(story, {"dear": ScriptedModel("x")}) as place:
        body = ANSWER | {"plan": "dear", "most_usd": 0.000001}
        async with http.post(f"{place.url}/service/answer", json=body) as answer:
            assert answer.status == 422
            assert "the ceiling is $1e-06" in (await answer.json())["error"]["message"]
        assert place.calls() == 0


async def test_words_come_as_the_model_writes_them(story, http):
    heard = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def script(wire):
        wire.events()
        await wire.event(delta("first "))
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(heard.wait(), loop))
        await wire.event(delta("last"))
        await wire.event(b"[DONE]")
        await wire.chunk(b"")

    with playing(story, {"free": script}) as place:
        async with http.post(f"{place.url}/service/answer", json=ANSWER) as answer:
            piece = await answer.content.readuntil(b"\n\n")
            while b"first " not in piece:
                piece = await answer.content.readuntil(b"\n\n")
            heard.set()
            assert b"last" in await answer.read()


async def test_a_viewer_who_cancels_ends_the_call_of_the_model(story, http):
    model = ScriptedModel("x", seconds=NEVER)
    with playing(story, {"free": model}) as place:
        asking = asyncio.create_task(http.post(f"{place.url}/service/answer", json=ANSWER))
        await until(lambda: model.requests)
        asking.cancel()
        await until(lambda: place.waggle.journal.traces)
        assert place.waggle.journal.traces[0].status == 499


ELSEWHERE = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:1"},
    {"host": "evil.example"},
    {"content-type": "text/plain"},
    {"content-type": "application/x-www-form-urlencoded"},
]
BODIES = {"answer": ANSWER, "route": QUESTION, "feedback": {}}


async def test_a_page_elsewhere_makes_nobody_spend_or_judge(story, http):
    with playing(story, {"free": ScriptedModel("x")}) as place:
        for page, (name, body) in product(ELSEWHERE, BODIES.items()):
            headers = {"content-type": "application/json"} | page
            url, data = f"{place.url}/service/{name}", json.dumps(body)
            async with http.post(url, data=data, headers=headers) as answer:
                assert answer.status in (403, 415, 421), (name, page)
        assert place.calls() == 0
        assert place.waggle.journal.signals == []


SENSELESS = [
    ("answer", b"{", "must be JSON"),
    ("answer", b"[]", "must be a JSON object"),
    ("answer", ANSWER | {"prompt": "  "}, "`prompt` is empty"),
    ("answer", ANSWER | {"plan": ""}, "`plan` is empty"),
    ("answer", ANSWER | {"plan": ["free"]}, "`plan` is empty"),
    ("answer", ANSWER | {"max_tokens": 0}, "from 1 to 100000"),
    ("answer", ANSWER | {"max_tokens": True}, "from 1 to 100000"),
    ("answer", ANSWER | {"most_usd": -1}, "agreed to, or null"),
    ("answer", ANSWER | {"most_usd": "1\r\nx: y"}, "agreed to, or null"),
    ("feedback", {"thumbs": "sideways", "request_id": "r"}, "must be up or down"),
    ("feedback", {"thumbs": "up"}, "`request_id` is empty"),
]


async def test_a_message_that_makes_no_sense_is_refused_by_name(story, http):
    with playing(story, {"free": ScriptedModel("x")}) as place:
        for name, body, message in SENSELESS:
            data = body if isinstance(body, bytes) else json.dumps(body)
            headers = {"content-type": "application/json"}
            url = f"{place.url}/service/{name}"
            async with http.post(url, data=data, headers=headers) as answer:
                assert answer.status == 400, body
                assert message in (await answer.json())["error"]
        assert place.calls() == 0


async def test_nothing_else_of_the_service_can_be_reached(story, http):
    with playing(story, {"free": ScriptedModel("x")}) as place:
        for name in ("sql", "trials", "%2e%2e/v1/sql", "answer/x", ""):
            url = URL(f"{place.url}/service/{name}", encoded=True)
            async with http.post(url, json={}) as answer:
                assert answer.status == 404, name
        async with http.get(f"{place.url}/service/answer") as answer:
            assert answer.status == 405
            assert "takes POST" in (await answer.json())["error"]
        large = io.BytesIO(json.dumps({"prompt": "x" * 2**20}).encode())
        headers = {"content-type": "application/json"}
        url = f"{place.url}/service/route"
        async with http.post(url, data=large, headers=headers) as answer:
            assert answer.status == 413


async def test_without_a_service_the_page_hears_why(story, http):
    with served(story) as url:
        async with http.get(f"{url}/service/models") as answer:
            assert answer.status == 503
            assert "`waggle serve` starts" in (await answer.json())["error"]
    with served(story, service="http://127.0.0.1:9") as url:
        async with http.get(f"{url}/service/models") as answer:
            assert answer.status == 502
            assert "http://127.0.0.1:9 does not answer" in (await answer.json())["error"]


async def test_with_keys_a_viewer_signs_in_to_look_and_brings_the_key_that_pays(
    story, http, tmp_path
):
    file = tmp_path / "keys.json"
    analyst, looks = new_key("ann", "2026-11-21", scopes=("analyst",))
    app, pays = new_key("app", "2026-11-21", limits={"requests_per_minute": 3})
    save_keys(file, (looks, pays))
    models = {"free": ScriptedModel("to tell")}
    with playing(story, models, keys=(looks, pays), key_file=file) as place:
        bearer = {"authorization": f"Bearer {app}"}
        url = f"{place.url}/service/answer"
        async with http.post(url, json=ANSWER, headers=bearer) as answer:
            assert answer.status == 401
            assert "Sign in" in (await answer.json())["error"]
        async with http.post(f"{place.url}/login", data={"key": analyst}) as answer:
            assert answer.status == 200
        statuses = {}
        for who, headers in (
            ("nobody", {}),
            ("analyst", {"authorization": f"Bearer {analyst}"}),
            ("app", bearer),
        ):
            async with http.post(url, json=ANSWER, headers=headers) as answer:
                statuses[who] = answer.status
        assert statuses == {"nobody": 401, "analyst": 403, "app": 200}
        assert len(models["free"].requests) == 1
        traces = await until(lambda: place.waggle.journal.traces)
        assert traces[0].request.key_id == pays.id
        for _ in range(3):
            async with http.post(url, json=ANSWER, headers=bearer) as answer:
                last = answer.status
        assert last == 429  # the limits of the key that pays hold here, too
