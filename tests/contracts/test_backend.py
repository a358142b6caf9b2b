"""What every backend of our own promises, whatever it does: one suite for all of them."""

import asyncio
import json
from contextlib import AsyncExitStack

import pytest

from router.backends.build import build
from router.config.backends import (
    EnricherSettings,
    GeneratorSettings,
    LocalSettings,
    SpecialistSettings,
    ValidatorSettings,
)
from router.domain import CHAT, EMBEDDINGS, Call, Fault
from tests.router.test_local import made

SHAPE = {"name": "string", "age": "int 18..90"}
RECORD = '{"name":"Ann","age":30}'


def fields(text, **more):
    return {"model": "auto", "messages": [{"role": "user", "content": text}], "seed": 7} | more


@pytest.fixture(
    scope="module", params=["generator", "enricher", "validator", "specialist", "local"]
)
def kind(request, tmp_path_factory, encoders):
    """Settings, and a request that such a backend can answer."""
    folder = tmp_path_factory.mktemp(request.param)
    match request.param:
        case "generator":
            return GeneratorSettings(kind="generator"), fields("two users", shape=SHAPE)
        case "enricher":
            asked = fields("fill", shape=SHAPE, draft='{"name":"Ann"}')
            return EnricherSettings(kind="enricher"), asked
        case "validator":
            return ValidatorSettings(kind="validator"), fields("x", shape=SHAPE, draft=RECORD)
        case "specialist":
            places = {"home": str(folder / "index"), "encoders": str(encoders)}
            settings = SpecialistSettings(kind="specialist", folder="shipped:football", **places)
            return settings, fields("What is a false nine?")
        case _:
            models = {"tiny": made(folder / "tiny", 3)}
            return LocalSettings(kind="local", models=models, device="cpu"), fields("w1 w2")


async def sent(backend, asked, *, stream, path=CHAT):
    body = json.dumps(asked | {"stream": stream, "max_tokens": 5}).encode()
    async with backend.send(Call(path, body, stream, "r1")) as reply:
        assert reply.status == 200
        return reply.content_type, b"".join([piece async for piece in reply.body])


async def test_a_stream_says_what_a_whole_answer_says(kind):
    settings, asked = kind
    backend = build(settings, str)
    type_, body = await sent(backend, asked, stream=False)
    whole = json.loads(body)
    assert type_ == "application/json"
    assert whole["object"] == "chat.completion"
    assert whole["usage"]["total_tokens"] == (
        whole["usage"]["prompt_tokens"] + whole["usage"]["completion_tokens"]
    )
    type_, body = await sent(backend, asked, stream=True)
    assert type_ == "text/event-stream"
    *events, done, rest = body.decode().split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    words = [c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"]]
    assert "".join(words) == whole["choices"][0]["message"]["content"] != ""
    assert [c["choices"][0]["finish_reason"] for c in chunks if c["choices"]][-1]
    assert chunks[-1]["usage"]["completion_tokens"] > 0
    await backend.close()


async def test_it_answers_chat_and_says_so_of_anything_else(kind):
    settings, asked = kind
    backend = build(settings, str)
    with pytest.raises(Fault) as fault:
        await sent(backend, asked, stream=False, path=EMBEDDINGS)
    assert fault.value.kind == "bad_request"
    assert "/embeddings" in fault.value.detail
    await backend.close()


async def test_a_caller_who_leaves_in_the_middle_breaks_nothing(kind):
    settings, asked = kind
    backend = build(settings, str)
    body = json.dumps(asked | {"stream": True, "max_tokens": 50}).encode()
    async with backend.send(Call(CHAT, body, True, "r1")) as reply:
        await anext(aiter(reply.body))
    async with asyncio.timeout(20), AsyncExitStack():
        await sent(backend, asked, stream=False)
    await backend.close()


async def test_several_at_once_are_answered_as_one_would_be(kind):
    settings, asked = kind
    backend = build(settings, str)
    answers = await asyncio.gather(*(sent(backend, asked, stream=False) for _ in range(6)))
    texts = {json.loads(body)["choices"][0]["message"]["content"] for _, body in answers}
    assert len(texts) == 1
    await backend.close()


async def test_settings_go_through_json_unchanged(kind):
    settings, _ = kind
    assert type(settings).model_validate(settings.model_dump(mode="json")) == settings
