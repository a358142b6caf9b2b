"""Further ways by which words of a store might leave, through the service's own backend.

Bob may read the handbook by a grant; Carl shares Bob's memory and team, and has no right. The
writer repeats every word that it gets.
"""

import asyncio
import contextlib
import json
import logging
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mcp.server.mcpserver.exceptions import ToolError

from router.cli.client import ServiceClient
from router.cli.mcp_tools import Tools
from router.config.knowledge_access import StoreAccess
from router.knowledge.house.proposals import HouseFinding, ProposalBook
from router.telemetry.rows import request_row, signal_row
from tests.knowledge.desk import SECRET, Desk, desk, secrets_in
from tests.upstream import Upstream, completion

QUESTION = "What is the price of the metal?"
METAL = SECRET["handbook"]


@pytest.fixture
async def d(tmp_path: Path, encoders: Path) -> AsyncIterator[Desk]:
    async def repeat(wire: Any) -> None:
        text = json.dumps(wire.fields["messages"])
        await wire.json(completion(f"You said: {text}"))

    async with (
        Upstream(repeat).listening() as upstream,
        desk(tmp_path, upstream.url, encoders=encoders) as served,
    ):
        served.give("bob", "handbook")
        yield served


def words_kept(d: Desk) -> str:
    """Every row that telemetry would write, and what the memory has on the disk."""
    rows = [request_row(trace) for trace in d.r.journal.traces]
    rows += [signal_row(signal) for signal in d.r.journal.signals]
    kept = Path(d.r.engine.config.reuse_folder).glob("*")
    return json.dumps(rows, default=str) + "".join(str(p.read_bytes()) for p in kept)


async def test_what_goes_on_with_an_answer_of_a_store_leaves_no_word_either(d: Desk) -> None:
    talk = (await d.post("bob", "/v1/conversations", {})).json["id"]
    body = {"model": "ask-desk", "input": QUESTION}
    first = (await d.post("bob", "/v1/responses", body)).json
    within = (await d.post("bob", "/v1/responses", body | {"conversation": talk})).json
    more = {"model": "plain", "input": "Say it again."}
    item = {"type": "item_reference", "id": within["output"][0]["id"]}
    answers = [
        await d.post("bob", "/v1/responses", more | {"previous_response_id": first["id"]}),
        await d.post("bob", "/v1/responses", more | {"conversation": talk}),
        await d.post("bob", "/v1/responses", {"model": "plain", "input": [item]}),
    ]
    streamed = await d.chat("bob", QUESTION, stream=True)
    choices = [choice for event in streamed.events[:-1] for choice in event["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    given = {"role": "assistant", "content": text}
    question = {"role": "user", "content": QUESTION}
    again = {"role": "user", "content": "Say it again."}
    history = {"model": "plain", "messages": [question, given, again]}
    answers.append(await d.post("bob", "/v1/chat/completions", history))
    later = answers[-1].json["choices"][0]["message"]
    history["messages"] = [question, later, {"role": "user", "content": "And now?"}]
    answers.append(await d.post("bob", "/v1/chat/completions", history))
    assert [secrets_in(answer) for answer in answers] == [{"handbook"}] * 5
    await d.r.engine.recall.memory.written()
    assert METAL not in words_kept(d)
    rows = [request_row(trace) for trace in d.r.journal.traces]
    assert [row["stores"] for row in rows] == [["handbook"]] * len(rows)  # no store is made of it


async def test_what_goes_on_with_lost_words_names_no_store(d: Desk) -> None:
    """Bob sends his earlier answer again, after he lost the right to its store."""
    said_before = (await d.chat("bob", QUESTION)).json["choices"][0]["message"]
    d.take_away(1)
    from_tool = {"role": "tool", "tool_call_id": "c1", "content": said_before["content"]}
    for before in (said_before, from_tool):
        messages = [{"role": "user", "content": "Hi."}, before, {"role": "user", "content": "And?"}]
        answer = await d.post(
            "bob", "/v1/chat/completions", {"model": "plain", "messages": messages}
        )
        assert answer.status == 200
        assert "handbook" not in str(answer.headers)
    assert METAL not in words_kept(d)


async def test_an_answer_that_comes_back_translated_leaves_no_word_either(d: Desk) -> None:
    """Its conversation tells whose words it may hold: by its opening, or by the id it was given."""
    question = {"role": "user", "content": QUESTION}
    translated = {"role": "assistant", "content": f"El precio es secreto: {METAL}."}
    again = {"role": "user", "content": "Say it again."}
    await d.chat("bob", QUESTION)
    history = {"model": "plain", "messages": [question, translated, again]}
    await d.post("bob", "/v1/chat/completions", history)
    named = {**d.headers("bob"), "x-session-id": "s1"}
    body = {"model": "ask-desk", "messages": [question]}
    await d.r.post("/v1/chat/completions", body, **named)
    cut = {"model": "plain", "messages": [translated, again]}  # without its opening
    await d.r.post("/v1/chat/completions", cut, **named)
    await d.r.engine.recall.memory.written()
    assert METAL not in words_kept(d)
    rows = [request_row(trace) for trace in d.r.journal.traces]
    assert [row["stores"] for row in rows] == [["handbook"]] * 4
    first = {"model": "plain", "messages": [question]}  # the words of another conversation
    await d.post("bob", "/v1/chat/completions", first)
    assert "stores" not in request_row(d.r.journal.traces[-1])


async def test_feedback_on_an_answer_of_a_store_keeps_no_words(d: Desk) -> None:
    answer = await d.chat("bob", QUESTION)
    about = {"request_id": answer.headers["x-waggle-request-id"]}
    quoted = {"comment": f"yes, {METAL}", "demonstration": f"It is {METAL}."}
    receipt = (await d.post("bob", "/v1/feedback", {**about, **quoted, "thumbs": "up"})).json
    assert (receipt["new"], receipt["left_out"]) == (1, ["comment", "demonstration"])
    for more in ({"comment": METAL}, {"metric_name": "metal", "value": METAL}):
        refused = await d.post("bob", "/v1/feedback", {**about, **more})
        assert (refused.status, "keeps no words" in refused.error["message"]) == (400, True)
    counted = {"metric_name": "edited", "value": 0.5}
    assert (await d.post("bob", "/v1/feedback", {**about, **counted})).json["new"] == 1
    assert METAL not in words_kept(d)


async def test_no_row_tells_a_guess_of_an_answer_from_the_answer(d: Desk) -> None:
    await d.chat("bob", QUESTION)
    await d.chat("bob", "hello", model="plain")
    of_store, plain = (request_row(trace) for trace in d.r.journal.traces)
    assert "answer_hash" in plain
    assert "answer_hash" not in of_store
    assert of_store["stores"] == ["handbook"]


async def test_mcp_and_the_playground_read_what_the_key_of_their_caller_reads(d: Desk) -> None:
    def tools(who: str) -> Tools:
        return Tools(lambda _: ServiceClient(d.r.url, d.tokens[who]))

    context: Any = SimpleNamespace(headers={})
    answered = await asyncio.to_thread(tools("bob").ask, context, QUESTION, "ask-desk")
    assert METAL in answered.answer
    shown = await asyncio.to_thread(tools("carl").route, context, QUESTION)
    assert "desk" not in json.dumps(shown)
    page = {"x-waggle-compare": "true", "x-waggle-reuse": "off"}
    errors = set()
    for plan in ("ask-desk", "desk", "ask-dusk", "ask-des", "ASK-DESK"):
        with pytest.raises(ToolError) as refused:
            await asyncio.to_thread(tools("carl").ask, context, QUESTION, plan)
        body = {"model": plan, "messages": [{"role": "user", "content": QUESTION}]}
        headers = {**page, **d.headers("carl")}
        answer = await d.r.post("/v1/chat/completions", body, **headers)
        errors |= {str(refused.value).replace(plan, "NAME")}
        errors |= {answer.error["message"].replace(plan, "NAME")}
    assert len(errors) == 1
    assert "desk" not in errors.pop()


async def test_auto_explains_nothing_of_a_store_to_who_may_not_read_it(d: Desk) -> None:
    """Not even in the session in which somebody else was answered from it."""
    await asyncio.to_thread(d.r.engine.claims.warm, d.r.engine.config)
    session = {"x-session-id": "s1", "x-waggle-explain": "true"}
    for who in ("alice", "bob", "carl", "carl"):
        headers = {**session, **d.headers(who)}
        messages = [{"role": "user", "content": QUESTION}]
        body = {"model": "auto", "messages": messages}
        answer = await d.r.post("/v1/chat/completions", body, **headers)
        assert answer.status == 200
        assert secrets_in(answer) == (
            {*SECRET} if who == "alice" else {"handbook"} if who == "bob" else set()
        )
        if who == "bob":
            assert not {"orders", "menu"} & {*re.findall(r"\w+", answer.body.decode())}
        if who == "carl":
            assert "desk" not in answer.body.decode() + str(answer.headers)
    metrics = await d.r.get("/metrics", **d.headers("carl"))
    assert metrics.status in (401, 403)


async def test_a_store_that_a_stranger_names_is_not_even_looked_for(d: Desk) -> None:
    shutil.rmtree(d.shelf.place("orders"))  # declared, and not fed yet
    document = {"id": "a", "text": "b"}
    ways: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("POST", "", document),
        ("DELETE", "?id=a", None),
        ("GET", "/grants", None),
        ("POST", "/grants", {"who": "key:carl", "may": "read"}),
        ("DELETE", "/grants/1", None),
        ("GET", "/asks", None),
        ("POST", "/asks/1", {"answer": "yes"}),
    ]
    for method, path, body in ways:
        answers = set()
        for name in ("handbook", "orders", "no-store"):
            url = f"{d.r.url}/v1/knowledge/{name}{path}"
            sent = {"json": body} if body else {}
            async with d.r.client.request(method, url, headers=d.headers("carl"), **sent) as answer:
                text = (await answer.text()).replace(name, "NAME")
                shown = json.loads(text)
                shown.pop("request_id", None)
                answers.add((answer.status, json.dumps(shown)))
        assert len(answers) == 1, (method, path, answers)
    assert not d.shelf.place("orders").exists()


async def test_who_gave_a_store_away_decides_no_more_what_becomes_of_it(d: Desk) -> None:
    about = {"small": "orders", "large": "menu", "overlap": 1.0}
    findings = [
        HouseFinding("archive", "handbook", "alice", "", {"days": 90}, ["1"]),
        HouseFinding("merge", "menu orders", "alice", "", about, ["2"]),
    ]
    ProposalBook(d.shelf.rights).note(findings, ["archive", "merge"])
    accesses = {
        "handbook": StoreAccess(owner="bob"),
        "orders": StoreAccess(owner="alice"),
        "menu": StoreAccess(owner="bob"),
    }
    d.r.engine.rights.declare(accesses)
    seen = {}
    for who in ("alice", "bob", "root"):
        shown = (await d.get(who, "/v1/proposals")).json["data"]
        seen[who] = [each["kind"] for each in shown]
    assert seen == {"alice": [], "bob": ["archive"], "root": ["merge", "archive"]}
    for number in ("1", "2"):
        refused = await d.post("alice", "/v1/proposals", {"do": "refuse", "name": number})
        assert refused.status == 404
    assert (await d.post("bob", "/v1/proposals", {"do": "refuse", "name": "1"})).status == 200


async def test_no_log_nor_error_names_what_a_store_holds(
    d: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await d.chat("bob", QUESTION)
    await d.chat("bob", QUESTION, knowledge={"where": {"": 1}})
    connection = sqlite3.connect(d.shelf.place("handbook") / "store.sqlite")
    with contextlib.closing(connection):
        connection.execute("drop table passages_fts")
        connection.commit()
    broken = await d.chat("bob", "Which metal has a secret price?")
    assert (broken.status, "passages_fts" in broken.body.decode()) == (503, False)
    assert "a store could not be asked: OperationalError" in caplog.text
    rows = json.dumps([request_row(trace) for trace in d.r.journal.traces], default=str)
    assert METAL not in caplog.text + rows
