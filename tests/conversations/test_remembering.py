"""The memory of a conversation, through a running router and OpenAI's own client."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest

from router.keys import new_key
from tests.conversations.recalling import RecallingModel
from tests.conversations.remembering import client, remembering
from tests.rig import Rig
from tests.waiting import until

FACT, QUESTION = "The code of Ada is 4711.", "What is the code of Ada?"
ALICE, ALICE_KEY = new_key("alice", "2026-01-01", shares="team")
BOB, BOB_KEY = new_key("bob", "2026-01-01", shares="team")
ROOT, ROOT_KEY = new_key("root", "2026-01-01", scopes=("admin",))


@pytest.fixture
def model() -> RecallingModel:
    return RecallingModel()


@pytest.fixture
async def service(tmp_path: Path, model: RecallingModel) -> AsyncIterator[Rig]:
    async with remembering(tmp_path, {"up": model}) as waggle:
        yield waggle


@pytest.fixture
async def sdk(service: Rig) -> AsyncIterator[openai.AsyncOpenAI]:
    async with client(service) as made:
        yield made


async def test_a_response_goes_on_with_an_earlier_one(sdk, model):
    first = await sdk.responses.create(model="up", input=FACT, instructions="Be short.")
    second = await sdk.responses.create(model="up", input=QUESTION, previous_response_id=first.id)
    assert second.output_text == "4711"
    assert second.previous_response_id == first.id
    assert second.store is True
    # As OpenAI has it, instructions are not carried over.
    assert model.texts() == [
        ("user", FACT), ("assistant", "I will remember it."), ("user", QUESTION),
    ]  # fmt: skip


async def test_a_stream_is_kept_before_its_last_event(sdk):
    async with sdk.responses.stream(model="up", input=FACT) as stream:
        async for event in stream:
            if event.type == "response.completed":
                kept = await sdk.responses.retrieve(event.response.id)
                assert kept.output_text.strip() == "I will remember it."
                second = await sdk.responses.create(
                    model="up", input=QUESTION, previous_response_id=event.response.id
                )
    assert second.output_text == "4711"


async def test_a_stream_whose_caller_leaves_is_not_kept(sdk, service, model):
    model.ends = False
    stream = await sdk.responses.create(model="up", input=FACT, stream=True)
    async for event in stream:
        if event.type == "response.created":
            id_ = event.response.id
            break
    await stream.close()
    await until(lambda: [trace.status for trace in service.journal.traces] == [499])
    with pytest.raises(openai.NotFoundError):
        await sdk.responses.retrieve(id_)


async def test_what_was_kept_can_be_read_and_deleted(sdk):
    first = await sdk.responses.create(model="up", input=FACT, metadata={"a": "b"})
    second = await sdk.responses.create(model="up", input=QUESTION, previous_response_id=first.id)
    kept = await sdk.responses.retrieve(second.id)
    assert kept.output_text == "4711"
    assert kept.model_dump() == second.model_dump()
    items = [item async for item in sdk.responses.input_items.list(second.id, order="asc")]
    assert [item.content[0].text for item in items] == [FACT, "I will remember it.", QUESTION]
    page = await sdk.responses.input_items.list(second.id, limit=2)
    assert [item.content[0].text for item in page.data] == [QUESTION, "I will remember it."]
    assert page.has_more
    await sdk.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError, match=first.id):
        await sdk.responses.retrieve(first.id)
    with pytest.raises(openai.BadRequestError, match="was deleted") as error:
        await sdk.responses.create(model="up", input="on", previous_response_id=second.id)
    assert error.value.code == "previous_response_deleted"


@pytest.mark.parametrize("streams", [False, True])
async def test_store_false_keeps_nothing(sdk, service, tmp_path, streams):
    answer = await sdk.responses.create(model="up", input=FACT, store=False, stream=streams)
    if streams:
        answer = [event async for event in answer][-1].response
    assert answer.store is False
    assert not (tmp_path / "conversations").exists()
    with pytest.raises(openai.NotFoundError):
        await sdk.responses.retrieve(answer.id)
    with pytest.raises(openai.BadRequestError, match="not found") as error:
        await sdk.responses.create(model="up", input="on", previous_response_id=answer.id)
    assert error.value.code == "previous_response_not_found"


async def test_no_store_in_cache_control_keeps_nothing(sdk, tmp_path):
    headers = {"cache-control": "no-store"}
    answer = await sdk.responses.create(model="up", input=FACT, extra_headers=headers)
    assert answer.store is False
    assert not (tmp_path / "conversations").exists()


async def test_a_conversation_remembers_its_turns(sdk, model):
    begun = await sdk.conversations.create(
        metadata={"topic": "codes"}, items=[{"role": "user", "content": FACT}]
    )
    answer = await sdk.responses.create(model="up", input=QUESTION, conversation=begun.id)
    assert answer.output_text == "4711"
    assert answer.conversation.id == begun.id
    async with sdk.responses.stream(
        model="up", input="The code of Bob is 12.", conversation={"id": begun.id}
    ) as stream:
        await stream.get_final_response()
    third = await sdk.responses.create(
        model="up", input="What is the code of Bob?", conversation=begun.id, store=False
    )
    assert third.output_text == "12"
    items = [item async for item in sdk.conversations.items.list(begun.id, order="asc")]
    assert [item.role for item in items] == ["user", *("user", "assistant") * 3]
    assert items[-1].content[0].text == "12"
    with pytest.raises(openai.NotFoundError):
        await sdk.responses.retrieve(third.id)


async def test_conversations_and_their_items_are_made_changed_and_deleted(sdk):
    begun = await sdk.conversations.create()
    assert (await sdk.conversations.retrieve(begun.id)).metadata == {}
    changed = await sdk.conversations.update(begun.id, metadata={"a": "1"})
    assert changed.metadata == {"a": "1"}
    added = await sdk.conversations.items.create(
        begun.id, items=[{"role": "user", "content": "one"}, {"role": "user", "content": "two"}]
    )
    assert [item.content[0].text for item in added.data] == ["one", "two"]
    item = await sdk.conversations.items.retrieve(added.data[0].id, conversation_id=begun.id)
    assert item.content[0].text == "one"
    await sdk.conversations.items.delete(added.data[0].id, conversation_id=begun.id)
    with pytest.raises(openai.NotFoundError, match=added.data[0].id):
        await sdk.conversations.items.retrieve(added.data[0].id, conversation_id=begun.id)
    left = await sdk.conversations.items.list(begun.id)
    assert [item.content[0].text for item in left.data] == ["two"]
    deleted = await sdk.conversations.delete(begun.id)
    assert deleted.deleted
    with pytest.raises(openai.NotFoundError, match=begun.id):
        await sdk.conversations.retrieve(begun.id)
    with pytest.raises(openai.NotFoundError, match=begun.id):
        await sdk.responses.create(model="up", input="hi", conversation=begun.id)


async def test_an_item_may_be_named_by_its_id(sdk, model):
    begun = await sdk.conversations.create(items=[{"role": "user", "content": FACT}])
    items = await sdk.conversations.items.list(begun.id)
    reference: Any = {"type": "item_reference", "id": items.data[0].id}
    question: Any = {"role": "user", "content": QUESTION}
    answer = await sdk.responses.create(model="up", input=[reference, question])
    assert answer.output_text == "4711"


async def test_the_call_of_a_tool_and_its_output_come_together(sdk, model):
    call: Any = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}
    begun = await sdk.conversations.create(items=[{"role": "user", "content": "look"}, call])
    output: Any = {"type": "function_call_output", "call_id": "c1", "output": FACT}
    await sdk.responses.create(model="up", input=[output], conversation=begun.id)
    messages = model.requests[-1]["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool"]
    assert messages[1]["tool_calls"][0]["id"] == messages[2]["tool_call_id"] == "c1"


async def test_whichever_backend_answers_sees_the_same_memory(tmp_path):
    models = {
        "one": RecallingModel(),
        "two": RecallingModel("anthropic"),
        "three": RecallingModel(),
    }
    async with remembering(tmp_path, models) as service, client(service) as sdk:
        previous = None
        for n, name in enumerate(["one", "two", "three"] * 2):
            answer = await sdk.responses.create(
                model=name, input=f"The code of N{n} is {n}.", previous_response_id=previous
            )
            previous = answer.id
        for name in models:
            question = "What is the code of N0? What is the code of N5?"
            answer = await sdk.responses.create(
                model=name, input=question, previous_response_id=previous
            )
            assert answer.output_text == "0, 5"
        assert models["one"].texts() == models["two"].texts() == models["three"].texts()


@pytest.mark.parametrize("streams", [False, True])
async def test_a_backend_of_the_same_dialect_sees_the_memory_too(tmp_path, streams):
    """It gets the items themselves, without the ids by which it would look for what it keeps."""
    models = {"own": RecallingModel(), "chat": RecallingModel()}
    settings = {"own": {"dialects": ["chat", "responses"]}}
    async with remembering(tmp_path, models, settings=settings) as service:
        async with client(service) as sdk:

            async def ask(model: str, text: str, previous: str | None) -> Any:
                answer = await sdk.responses.create(
                    model=model, input=text, previous_response_id=previous, stream=streams
                )
                return [event async for event in answer][-1].response if streams else answer

            first = await ask("own", FACT, None)
            assert models["own"].requests[0]["input"] == FACT  # byte for byte
            second = await ask("chat", "The code of Bob is 12.", first.id)
            third = await ask("own", "What is the code of Ada? What is the code of Bob?", second.id)
            assert (third.output_text, third.previous_response_id) == ("4711, 12", second.id)
            assert first.id == "resp_up_1"
            kept = await sdk.responses.retrieve(first.id)
            assert kept.model_dump() == first.model_dump()
            assert first.usage.model_extra["cost"] is not None


async def test_routers_share_what_they_keep_and_forget(tmp_path, model):
    async with (
        remembering(tmp_path, {"up": model}) as near,
        remembering(tmp_path, {"up": model}) as far,
        client(near) as here,
        client(far) as there,
    ):
        first = await here.responses.create(model="up", input=FACT)
        second = await there.responses.create(
            model="up", input=QUESTION, previous_response_id=first.id
        )
        assert second.output_text == "4711"
        await there.responses.delete(first.id)
        with pytest.raises(openai.NotFoundError):
            await here.responses.retrieve(first.id)


async def test_what_has_expired_is_not_found_and_then_forgotten(tmp_path, model):
    days = {"keep_days": 1}
    async with remembering(tmp_path, {"up": model}, conversations=days) as service:
        async with client(service) as sdk:
            first = await sdk.responses.create(model="up", input=FACT)
            now = service.engine.wall()
            service.engine.wall = lambda: now + 2 * 86_400
            with pytest.raises(openai.NotFoundError):
                await sdk.responses.retrieve(first.id)
            file = tmp_path / "conversations" / "memory.sqlite"
            words = FACT.encode()
            assert any(words in path.read_bytes() for path in file.parent.iterdir())
            forgetting = asyncio.ensure_future(service.background.keep_forgetting())
            await until(
                lambda: not any(words in path.read_bytes() for path in file.parent.iterdir())
            )
            forgetting.cancel()


async def test_all_turns_of_a_chain_are_one_session(sdk, service):
    first = await sdk.responses.create(model="up", input=FACT, instructions="One.")
    await sdk.responses.create(
        model="up", input="on", previous_response_id=first.id, instructions="Other."
    )
    sessions = {trace.request.session for trace in service.journal.traces}
    assert len(sessions) == 1
    begun = await sdk.conversations.create()
    for _ in range(2):
        await sdk.responses.create(model="up", input=FACT, conversation=begun.id)
    assert len({trace.request.session for trace in service.journal.traces}) == 2


async def test_nothing_crosses_keys(tmp_path, model):
    keys = [ALICE_KEY, BOB_KEY, ROOT_KEY]
    async with remembering(tmp_path, {"up": model}, keys=keys) as service:
        async with client(service, ALICE) as alice:
            mine = await alice.responses.create(model="up", input=FACT)
            talk = await alice.conversations.create(items=[{"role": "user", "content": FACT}])
            item = (await alice.conversations.items.list(talk.id)).data[0].id
        paths = [
            ("GET", "/responses/{r}"), ("DELETE", "/responses/{r}"),
            ("GET", "/responses/{r}/input_items"), ("POST", "/responses/{r}/cancel"),
            ("GET", "/conversations/{c}"), ("DELETE", "/conversations/{c}"),
            ("POST", "/conversations/{c}"), ("GET", "/conversations/{c}/items"),
            ("POST", "/conversations/{c}/items"), ("GET", "/conversations/{c}/items/{i}"),
            ("DELETE", "/conversations/{c}/items/{i}"), ("POST", "/responses"),
        ]  # fmt: skip
        bodies = {
            "/conversations/{c}": [{"metadata": {}}],
            "/conversations/{c}/items": [{"items": [{"role": "user", "content": "x"}]}],
            "/responses": [
                {"model": "up", "input": QUESTION, "previous_response_id": "{r}"},
                {"model": "up", "input": QUESTION, "conversation": "{c}"},
                {"model": "up", "input": [{"type": "item_reference", "id": "{i}"}]},
            ],
        }
        theirs = {"{r}": mine.id, "{c}": talk.id, "{i}": item}
        never = {"{r}": "resp_never", "{c}": "conv_never", "{i}": "msg_never"}
        for stranger in (BOB, ROOT):
            for method, path in paths:
                for body in bodies.get(path, [{}]):
                    replies = [
                        await refusal_of(service, stranger, method, path, body, ids)
                        for ids in (theirs, never)
                    ]
                    assert replies[0] == replies[1], (method, path)
                    assert replies[0][0] in (400, 404), replies[0]
        assert not any(FACT in str(request) for request in model.requests[1:])
        async with client(service, ALICE) as alice:
            answer = await alice.responses.create(
                model="up", input=QUESTION, previous_response_id=mine.id
            )
            assert answer.output_text == "4711"


async def refusal_of(
    service: Rig, key: str, method: str, path: str, body: Any, ids: dict[str, str]
):
    """Status and error of a request; the ids in it and the names of headers are left out."""
    text = str(body).replace("'", '"')
    for name, id_ in ids.items():
        path, text = path.replace(name, id_), text.replace(name, id_)
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    url = f"{service.url}/v1{path}"
    async with service.client.request(method, url, data=text, headers=headers) as answer:
        body = await answer.text()
        for name, id_ in ids.items():
            body = body.replace(id_, name)
        return answer.status, body, sorted(answer.headers.keys())


async def test_without_memory_what_needs_it_is_refused_by_name(tmp_path, model):
    off = {"enabled": False}
    async with remembering(tmp_path, {"up": model}, conversations=off) as service:
        async with client(service) as sdk:
            answer = await sdk.responses.create(model="up", input=FACT)
            assert answer.store is False
            with pytest.raises(openai.BadRequestError, match=r"conversations\.enabled") as error:
                await sdk.responses.create(model="up", input="x", previous_response_id=answer.id)
            assert error.value.param == "previous_response_id"
            with pytest.raises(openai.BadRequestError, match=r"conversations\.enabled"):
                await sdk.conversations.create()
            with pytest.raises(openai.NotFoundError):
                await sdk.responses.retrieve(answer.id)
    assert not (tmp_path / "conversations").exists()


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"previous_response_id": 5}, "previous_response_id", "not 5"),
        ({"previous_response_id": ""}, "previous_response_id", "the id of a response"),
        ({"conversation": {}}, "conversation", "the id of a conversation"),
        ({"conversation": {"id": 1}}, "conversation", "not 1"),
        (
            {"conversation": "c", "previous_response_id": "r"},
            "previous_response_id",
            "exclude each other",
        ),
        ({"store": "yes"}, "store", "true or false"),
        ({"truncation": "some"}, "truncation", "auto or disabled"),
        (
            {"previous_response_id": "r\udcff".encode("utf-8", "replace").decode()},
            None,
            "not found",
        ),
    ],
)
async def test_what_is_wrong_with_a_request_is_said(service, fields, param, words):
    answer = await service.post("/v1/responses", {"model": "up", "input": "hi"} | fields)
    assert answer.status == 400
    assert words in answer.error["message"]
    assert param is None or answer.error["param"] == param


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/conversations", {"metadata": [1]}, "metadata"),
        ("/v1/conversations", {"metadata": {"a": 1}}, "metadata.a"),
        ("/v1/conversations", {"metadata": {str(n): "x" for n in range(17)}}, "metadata"),
        ("/v1/conversations", {"items": "x"}, "items"),
        ("/v1/conversations", {"items": [{}] * 21}, "items"),
        ("/v1/conversations", {"items": [1]}, "items[0]"),
        ("/v1/conversations", {"items": [{}]}, "items[0].type"),
        ("/v1/conversations", {"items": [{"role": "user"}]}, "items[0].content"),
        ("/v1/conversations", {"items": [{"role": 1, "content": "x"}]}, "items[0].role"),
        ("/v1/conversations", {"items": [{"type": "x", "id": 5}]}, "items[0].id"),
        ("/v1/conversations", {"items": [{"type": "item_reference", "id": "m"}]}, "items[0].type"),
    ],
)
async def test_what_is_wrong_with_a_conversation_is_said(service, path, body, param):
    answer = await service.post(path, body)
    assert answer.status == 400
    assert answer.error["param"] == param


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("limit=0", 400, "1 to 100"),
        ("limit=101", 400, "1 to 100"),
        ("limit=x", 400, "1 to 100"),
        ("order=up", 400, "asc or desc"),
        ("after=msg_never", 404, "msg_never"),
        ("include=everything", 400, "include"),
    ],
)
async def test_what_is_wrong_with_a_page_is_said(sdk, service, query, status, words):
    begun = await sdk.conversations.create(items=[{"role": "user", "content": "x"}])
    kept = await sdk.responses.create(model="up", input="hi")
    for path in (f"/v1/conversations/{begun.id}/items", f"/v1/responses/{kept.id}/input_items"):
        answer = await service.get(f"{path}?{query}")
        assert answer.status == status
        assert words in answer.error["message"]


async def test_what_needs_the_background_is_refused_by_name(sdk):
    kept = await sdk.responses.create(model="up", input="hi")
    with pytest.raises(openai.BadRequestError, match="background"):
        await sdk.responses.cancel(kept.id)
    with pytest.raises(openai.BadRequestError, match="stream"):
        await sdk.responses.retrieve(kept.id, stream=True)


async def test_a_broken_store_costs_nobody_an_answer(sdk, service, tmp_path):
    (tmp_path / "conversations").mkdir()
    (tmp_path / "conversations" / "memory.sqlite").write_bytes(b"no database" * 1000)
    answer = await sdk.responses.create(model="up", input=FACT)
    assert answer.output_text == "I will remember it."
    assert answer.store is False
    with pytest.raises(openai.InternalServerError, match="move it away"):
        await sdk.responses.retrieve(answer.id)


async def test_turns_side_by_side_all_come_into_the_conversation(sdk):
    begun = await sdk.conversations.create()
    turns = [
        sdk.responses.create(model="up", input=f"The code of N{n} is {n}.", conversation=begun.id)
        for n in range(12)
    ]
    await asyncio.gather(*turns)
    asks = " ".join(f"What is the code of N{n}?" for n in range(12))
    answer = await sdk.responses.create(model="up", input=asks, conversation=begun.id)
    assert answer.output_text == ", ".join(map(str, range(12)))
