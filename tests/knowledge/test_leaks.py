"""Every way by which a passage may leave a service: none is open without a right at that moment.

The README of `router/knowledge/rights` lists these ways. Bob may read the handbook by a grant, Ann
the menu by her team; Carl shares Bob's memory, and has no right.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from router.knowledge.house.proposals import HouseFinding, ProposalBook
from router.telemetry.rows import request_row
from tests.knowledge.desk import SECRET, Desk, desk, secrets_in
from tests.upstream import Upstream, completion
from tests.waiting import until

QUESTION = "What is the price of the metal?"


@pytest.fixture
async def d(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as served:
        yield served


@pytest.mark.parametrize(
    ("who", "readable"),
    [("alice", {*SECRET}), ("root", {*SECRET}), ("ann", {"menu"}), ("bob", {"handbook"})],
)
async def test_an_answer_holds_what_its_caller_may_read(
    d: Desk, who: str, readable: set[str]
) -> None:
    d.give("bob", "handbook")
    for stream in (False, True):
        answer = await d.chat(who, QUESTION, stream=stream)
        assert answer.status == 200
        assert secrets_in(answer) == readable
        assert {*answer.headers["x-waggle-stores"].split(",")} == readable
    messages = [{"role": "user", "content": QUESTION}]
    claude = {"model": "ask-desk", "max_tokens": 9, "messages": messages}
    assert secrets_in(await d.post(who, "/v1/messages", claude)) == readable


async def test_a_caller_without_rights_sees_no_desk_anywhere(d: Desk) -> None:
    chat = {"messages": [{"role": "user", "content": QUESTION}]}
    for path, body in (
        ("/v1/chat/completions", chat | {"model": "NAME"}),
        ("/v1/chat/completions?backend=NAME", chat | {"model": "auto"}),
        ("/v1/messages", chat | {"model": "NAME", "max_tokens": 9}),
        ("/v1/responses", {"model": "NAME", "input": QUESTION}),
        ("/v1/route", chat | {"model": "NAME"}),
        ("/v1/completions", {"model": "NAME", "prompt": QUESTION}),
    ):
        answers = []
        for name in ("ask-desk", "desk", "write-desk", "no-such-name"):
            text = json.dumps(body).replace("NAME", name)
            answer = await d.post("carl", path.replace("NAME", name), json.loads(text))
            shown = answer.json
            shown.pop("request_id", None)
            answers.append((answer.status, json.dumps(shown).replace(name, "NAME")))
        assert len(set(answers)) == 1, path
        assert "desk" not in answers[0][1]
    assert d.backend.calls == []
    models = await d.get("carl", "/v1/models")
    assert [each["id"] for each in models.json["data"]] == ["auto", "plain", "writer"]
    assert (await d.get("carl", "/v1/models/ask-desk")).status == 404
    auto = await d.post("carl", "/v1/route", chat | {"model": "auto"})
    assert auto.status == 200
    assert "desk" not in auto.body.decode()
    ready = await d.r.get("/health/ready")
    assert "desk" not in ready.body.decode()


async def test_a_store_that_a_request_names_is_none_without_a_right(d: Desk) -> None:
    d.give("bob", "handbook")
    named = {"knowledge": {"stores": ["handbook"]}}
    assert secrets_in(await d.chat("bob", QUESTION, **named)) == {"handbook"}
    errors = []
    for name in ("orders", "no-store"):
        answer = await d.chat("bob", QUESTION, knowledge={"stores": ["handbook", name]})
        assert answer.status == 400
        errors.append(answer.error["message"].replace(name, "NAME"))
    assert errors[0] == errors[1]


async def test_nothing_in_a_body_makes_another_reader_of_a_caller(d: Desk) -> None:
    d.give("bob", "handbook")
    for more in ({"key_id": d.keys["alice"].id}, {"user": "alice"}, {"reader": {"admin": True}}):
        answer = await d.chat("bob", QUESTION, metadata={"key_id": d.keys["alice"].id}, **more)
        assert secrets_in(answer) <= {"handbook"}
    assert {call.key_id for call in d.backend.calls} == {d.keys["bob"].id}


async def test_a_used_up_rate_neither_hides_the_desk_nor_takes_back_what_was_read(d: Desk) -> None:
    d.give("bob", "handbook", rate=1)
    kept = (await d.post("bob", "/v1/responses", {"model": "ask-desk", "input": QUESTION})).json[
        "id"
    ]
    answer = await d.chat("bob", QUESTION)
    assert (answer.status, secrets_in(answer)) == (429, set())
    assert int(answer.headers["retry-after"]) > 60  # the rate is by the hour
    assert secrets_in(await d.get("bob", f"/v1/responses/{kept}")) == {"handbook"}


async def test_calls_of_waggles_own_are_nobodys(d: Desk) -> None:
    assert secrets_in(await d.chat("alice", QUESTION)) == {*SECRET}
    assert await d.r.engine.completion("desk", QUESTION) == ""  # as a judge or an adviser asks
    assert d.backend.calls[-1].key_id == ""


async def test_what_another_process_takes_away_is_gone_at_once(d: Desk) -> None:
    number = d.give("bob", "handbook")
    assert secrets_in(await d.chat("bob", QUESTION)) == {"handbook"}
    d.take_away(number)  # by a connection of its own
    answer = await d.chat("bob", QUESTION)
    assert (answer.status, secrets_in(answer)) == (404, set())


async def test_no_answer_is_reused_that_a_store_gave(d: Desk) -> None:
    number = d.give("bob", "handbook")
    for _ in range(2):
        answer = await d.chat("bob", QUESTION)
        assert answer.headers["x-waggle-reuse"] == "novel"
    assert (await d.chat("carl", QUESTION)).status == 404
    d.take_away(number)
    assert (await d.chat("bob", QUESTION)).status == 404
    assert d.r.engine.recall is not None
    await d.r.engine.recall.memory.written()
    kept = b"".join(p.read_bytes() for p in Path(d.r.engine.config.reuse_folder).glob("*"))
    assert SECRET["handbook"].encode() not in kept


async def test_telemetry_that_keeps_words_keeps_none_of_a_store(d: Desk) -> None:
    d.give("bob", "handbook")
    await d.chat("bob", QUESTION)
    await d.chat("bob", QUESTION, stream=True)
    await d.chat("bob", QUESTION, knowledge={"stores": ["orders"]})
    rows = [json.dumps(request_row(trace), default=str) for trace in d.r.journal.traces]
    assert len(rows) == 3
    for row in rows:
        assert "metal" not in row
        assert SECRET["handbook"] not in row
    assert [trace.stores for trace in d.r.journal.traces] == [("handbook",)] * 3
    await d.r.background.tell_rights()
    rows_of_events = json.dumps([event.detail for event in d.r.journal.events], default=str)
    assert SECRET["handbook"] not in rows_of_events
    used = [each for each in d.r.journal.events if each.state == "used"]
    assert [(each.subject, each.detail["key"], each.detail["reads"]) for each in used] == [
        ("handbook", "bob", 2)
    ]


async def test_kept_responses_and_conversations_go_with_the_right(d: Desk) -> None:
    number = d.give("bob", "handbook")
    talk = (await d.post("bob", "/v1/conversations", {})).json["id"]
    body = {"model": "ask-desk", "input": QUESTION}
    alone = (await d.post("bob", "/v1/responses", body)).json["id"]
    within = await d.post("bob", "/v1/responses", body | {"conversation": talk})
    item = within.json["output"][0]["id"]
    ways: list[tuple[str, str, Any]] = [
        ("GET", f"/v1/responses/{alone}", None),
        ("GET", f"/v1/conversations/{talk}/items", None),
        ("GET", f"/v1/conversations/{talk}/items/{item}", None),
        ("POST", "/v1/responses", body | {"previous_response_id": alone}),
    ]

    async def ask(method: str, path: str, given: Any) -> Any:
        return await (d.get("bob", path) if method == "GET" else d.post("bob", path, given))

    for way in ways:
        answer = await ask(*way)
        assert (answer.status, secrets_in(answer)) == (200, {"handbook"}), way
    d.take_away(number)
    d.give("bob", "orders")  # the desk is there for Bob, and the words of the handbook are not
    for way in ways:
        answer = await ask(*way)
        missing = 400 if way[0] == "POST" else 404  # as for an id that never was
        assert (answer.status, secrets_in(answer)) == (missing, set()), way


async def test_the_file_of_a_batch_goes_with_the_right(d: Desk) -> None:
    number = d.give("bob", "handbook")
    line = {
        "custom_id": "1",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "ask-desk", "messages": [{"role": "user", "content": QUESTION}]},
    }
    form = aiohttp.FormData()
    form.add_field("purpose", "batch")
    form.add_field("file", json.dumps(line).encode(), filename="in.jsonl")
    async with d.r.client.post(
        f"{d.r.url}/v1/files", data=form, headers=d.headers("bob")
    ) as uploaded:
        file = (await uploaded.json())["id"]
    window = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
    batch = (await d.post("bob", "/v1/batches", window | {"input_file_id": file})).json["id"]
    await d.r.router.batches.look()

    async def output() -> str:
        shown = (await d.get("bob", f"/v1/batches/{batch}")).json
        return str(shown["output_file_id"] or "") if shown["status"] == "completed" else ""

    path = f"/v1/files/{await until(output)}/content"
    assert secrets_in(await d.get("bob", path)) == {"handbook"}
    d.take_away(number)
    answer = await d.get("bob", path)
    assert (answer.status, secrets_in(answer)) == (404, set())


@pytest.mark.parametrize(
    ("says", "status"),
    [("It is zirconium [1].", 200), ("It is zirconium.", 403), ("See handbook.md", 200)],
)
async def test_an_answer_that_must_cite_does_or_is_withheld(
    tmp_path: Path, says: str, status: int
) -> None:
    async def write(wire: Any) -> None:
        assert not wire.fields.get("stream")
        await wire.json(completion(says))

    async with Upstream(write).listening() as upstream, desk(tmp_path, upstream.url) as d:
        d.give("bob", "handbook", must_cite=True)
        answer = await d.chat("bob", QUESTION, model="write-desk")
        assert (answer.status, "zirconium" in says and says in answer.body.decode()) == (
            *(status, status == 200 and "zirconium" in says),
        )
        streamed = await d.chat("bob", QUESTION, model="write-desk", stream=True)
        assert streamed.status == status
        assert (says in streamed.body.decode()) == (status == 200)
        assert (await d.chat("bob", QUESTION)).status == 200  # the passages cite themselves
        if status == 200:  # the report keeps the citations of the passages
            assert answer.json["knowledge"]["citations"][0]["store"] == "handbook"


async def test_each_of_several_answers_must_cite(tmp_path: Path) -> None:
    async def write(wire: Any) -> None:
        several = completion("It is zirconium [1].")
        bare = {"role": "assistant", "content": "It is zirconium."}
        several["choices"].append({"index": 1, "message": bare, "finish_reason": "stop"})
        await wire.json(several)

    async with Upstream(write).listening() as upstream, desk(tmp_path, upstream.url) as d:
        number = d.give("bob", "handbook", must_cite=True)
        withheld = await d.chat("bob", QUESTION, model="write-desk", n=2)
        assert (withheld.status, secrets_in(withheld)) == (403, set())
        d.take_away(number)
        d.give("bob", "handbook")
        free = await d.chat("bob", QUESTION, model="write-desk", n=2)
        assert (free.status, len(free.json["choices"])) == (200, 2)


async def test_a_proposal_is_none_for_who_may_not_see_it(d: Desk) -> None:
    about = {"small": "orders", "large": "handbook", "overlap": 1.0}
    merge = HouseFinding("merge", "orders+handbook", "alice", "law", about, ["1"])
    new = HouseFinding("store", "s", "alice", "law", {"suggested": "permits"}, ["2"])
    ProposalBook(d.shelf.rights).note([merge, new], ["merge", "store"])
    d.give("bob", "handbook")  # to read a store is not to see what becomes of it
    seen = {}
    for who in ("alice", "root", "ann", "bob", "carl"):
        shown = (await d.get(who, "/v1/proposals?all=true")).json["data"]
        seen[who] = [each["kind"] for each in shown]
    both = ["store", "merge"]
    assert seen == {"alice": both, "root": both, "ann": ["store"], "bob": [], "carl": []}
    for who in ("ann", "bob", "carl"):
        for do in ("accept", "refuse"):
            answers = set()
            for number in ("1", "2", "99"):
                answer = await d.post(who, "/v1/proposals", {"do": do, "name": number})
                answers.add((answer.status, answer.error["message"].replace(number, "NUMBER")))
            assert len(answers) == 1, who
            assert answers.pop()[0] == 404
    waiting = (await d.get("alice", "/v1/proposals")).json["data"]
    assert [each["kind"] for each in waiting] == both
