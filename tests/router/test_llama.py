"""The kind `llama` runs a real model: the one that is packaged, SmolLM2-135M-Instruct."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from router.backends.llama_backend import LlamaBackend
from router.backends.llama_request import body_for
from router.backends.llama_server import LlamaServer
from router.config.llama import LlamaSettings, NoSuchModel, model_file
from router.domain import CHAT, Call, Fault
from tests.sparing import slow_after
from tests.waiting import until

FRANCE = "What is the capital of France?"


def settings(**more):
    given = {"model": "packaged:smollm2", "system": "", "context_window": 512} | more
    return LlamaSettings(kind="llama", **given)


def call(text=FRANCE, *, stream=False, **more):
    fields = {"messages": [{"role": "user", "content": text}], "max_tokens": 20} | more
    return Call(CHAT, json.dumps(fields).encode(), stream, "r1")


async def whole(backend, call):
    async with backend.send(call) as reply:
        return json.loads(b"".join([piece async for piece in reply.body]))


def text_of(answer):
    return answer["choices"][0]["message"]["content"]


@pytest.fixture
async def backend():
    backend = LlamaBackend(settings())
    yield backend
    await backend.close()


async def test_a_real_model_answers_with_its_own_name_and_counts(backend):
    answer = await whole(backend, call())
    assert text_of(answer) == "The capital of France is Paris."
    assert answer["model"] == "SmolLM2-135M-Instruct"
    assert answer["usage"]["completion_tokens"] == 8
    again = await whole(backend, call())
    assert again["usage"]["prompt_tokens_details"]["cached_tokens"] > 0
    assert text_of(again) == text_of(answer)


async def test_a_schema_holds_every_token_of_the_answer(backend):
    schema = {
        "type": "object",
        "properties": {"capital": {"type": "string", "enum": ["Rome", "Paris"]}},
        "required": ["capital"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "schema": schema}}
    answer = await whole(backend, call(response_format=wanted, logprobs=True, top_logprobs=2))
    assert json.loads(text_of(answer)) == {"capital": "Paris"}
    entries = answer["choices"][0]["logprobs"]["content"]
    assert "".join(entry["token"] for entry in entries).strip() == text_of(answer).strip()
    assert all(len(entry["top_logprobs"]) == 2 for entry in entries)
    assert all(entry["logprob"] <= 0 for entry in entries)


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "nosuch"}, "unrecognized type nosuch"),
        *slow_after(
            0,
            [
                ({"$ref": "https://example.com/x.json"}, "unsupported \\$ref"),
                ({"type": "array", "items": {}, "minItems": 10**6}, "grammar"),
            ],
        ),
        ({"properties": {f"k{n}": {"type": "string"} for n in range(2000)}}, "has 2002 parts"),
        ("a list of names", "must be a JSON schema"),
    ],
)
async def test_a_schema_that_cannot_be_followed_is_the_callers_mistake(backend, schema, reason):
    wanted = {"type": "json_schema", "json_schema": {"schema": schema}}
    with pytest.raises(Fault, match=reason) as refusal:
        await whole(backend, call(response_format=wanted))
    assert refusal.value.kind == "bad_request"
    assert text_of(await whole(backend, call())).endswith("Paris.")


async def test_a_prompt_beyond_the_window_is_refused_with_both_numbers(backend):
    with pytest.raises(Fault, match=r"the prompt has \d+ tokens, .* holds 512") as refusal:
        await whole(backend, call("bees dance " * 400))
    assert refusal.value.kind == "bad_request"


@pytest.mark.parametrize("stream", [True, False])
async def test_a_caller_who_leaves_ends_the_writing(stream):
    """llama.cpp counts its own steps: far fewer than the tokens that the caller wanted."""
    backend = LlamaBackend(settings(context_window=4096))
    story = call("Write a very long story about bees.", stream=stream, max_tokens=3000)
    writing = asyncio.ensure_future(whole(backend, story))
    await until(lambda: steps(backend) > 5)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert text_of(await whole(backend, call())).endswith("Paris.")  # there is room only then
    assert steps(backend) < 1000
    await backend.close()


def steps(backend):
    if backend.server is None:
        return 0
    lines = backend.server.server.handle_metrics().splitlines()
    (count,) = [line.split()[1] for line in lines if line.startswith("llamacpp:n_decode_total ")]
    return float(count)


async def test_a_backend_closes_while_it_writes():
    backend = LlamaBackend(settings())
    writing = asyncio.ensure_future(whole(backend, call("Write a long story.", max_tokens=400)))
    await until(lambda: steps(backend) > 5)
    await backend.close()
    (outcome,) = await asyncio.gather(writing, return_exceptions=True)
    assert isinstance(outcome, Fault)
    with pytest.raises(Fault, match="was closed"):
        await whole(backend, call())


async def test_many_callers_at_once_each_get_their_own_answer(backend):
    countries = {"France": "Paris", "Italy": "Rome", "Germany": "Berlin"}
    calls = [call(f"What is the capital of {country}?") for country in countries for _ in "123"]
    answers = await asyncio.gather(*(whole(backend, each) for each in calls))
    for country, answer in zip((c for c in countries for _ in "123"), answers, strict=True):
        assert countries[country] in text_of(answer)


async def test_the_process_keeps_its_own_signal_handlers():
    caught = []
    before = signal.signal(signal.SIGTERM, lambda *_: caught.append("ours"))
    backend = LlamaBackend(settings())
    try:
        await backend.warm()
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
        await backend.close()
    assert caught == ["ours"]


async def test_the_server_has_no_port_and_its_door_is_closed_to_others():
    server = await asyncio.to_thread(LlamaServer.start, settings())
    try:
        assert server.server.listening_address.startswith("unix:")
        assert server.socket.parent.stat().st_mode & 0o077 == 0
    finally:
        server.close()
    assert not server.socket.parent.exists()


async def test_a_server_may_end_as_soon_as_it_has_begun():
    for _ in range(5):
        server = await asyncio.to_thread(LlamaServer.start, settings())
        await asyncio.to_thread(server.close)
        assert not server.socket.parent.exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no GGUF file"),
        (b"hello, I am a text", "no GGUF file"),
        (b"GGUF\x03\x00\x00\x00", "cannot load this file of 0 MB"),
        ("cut", "cut short"),
    ],
)
async def test_a_file_that_is_no_whole_model_is_named_with_the_reason(tmp_path, content, reason):
    path = tmp_path / "broken.gguf"
    if content == "cut":
        with model_file("packaged:smollm2").open("rb") as file:
            content = file.read(4_000_000)
    path.write_bytes(content)
    backend = LlamaBackend(settings(model=str(path)))
    with pytest.raises(Fault, match=reason) as fault:
        await whole(backend, call())
    assert fault.value.kind == "unavailable"
    assert str(path) in fault.value.detail
    await backend.close()


async def test_a_missing_file_is_named_with_the_mend():
    backend = LlamaBackend(settings(model="/no/such/model.gguf"))
    with pytest.raises(Fault, match=r"no such file: give the path of a GGUF file"):
        await whole(backend, call())


def test_a_packaged_model_that_is_unknown_or_not_installed_is_named(monkeypatch):
    with pytest.raises(NoSuchModel, match=r"write packaged:smollm2"):
        model_file("packaged:other")
    assert model_file("packaged:smollm2").name == "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"n": 2}, "n = 2"),
        ({"temperature": 9}, "temperature = 9"),
        ({"stop": [3]}, "stop must be"),
        ({"top_logprobs": 99}, "top_logprobs = 99"),
        ({"max_tokens": 0}, "max_tokens = 0"),
        ({"messages": "hi"}, "messages = 'hi'"),
    ],
)
def test_a_wrong_value_is_named(given, rule):
    fields = {"messages": [{"role": "user", "content": "hi"}]} | given
    with pytest.raises(Fault, match=rule):
        body_for(settings(), fields, stream=False)


def test_what_is_not_openais_is_not_passed_on():
    fields = {
        "messages": [{"role": "user", "content": "hi"}],
        "id_slot": 0,
        "n_predict": -1,
        "cache_prompt": False,
        "grammar": "root ::= x",
        "lora": [],
        "chat_template_kwargs": {},
    }
    body = json.loads(body_for(settings(), fields, stream=False))
    assert not body.keys() & (fields.keys() - {"messages"})


@pytest.mark.parametrize(
    ("messages", "roles"),
    [
        ([{"role": "user", "content": "hi"}], ["system", "user"]),
        (
            [{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}],
            ["system", "user"],
        ),
        (
            [{"role": "developer", "content": "s"}, {"role": "user", "content": "hi"}],
            ["system", "user"],
        ),
    ],
)
def test_the_system_message_of_the_settings_stands_where_the_caller_has_none(messages, roles):
    body = json.loads(body_for(settings(system="Be brief."), {"messages": messages}, stream=False))
    assert [message["role"] for message in body["messages"]] == roles
    expected = "Be brief." if len(messages) == 1 else "s"
    assert body["messages"][0]["content"] == expected


@pytest.mark.parametrize(
    ("own", "fields", "repeatable"),
    [
        (0.0, {}, True),
        (0.8, {}, False),
        (0.8, {"seed": 1}, True),
        (0.0, {"temperature": 1}, False),
        (0.8, {"temperature": 0}, True),
    ],
)
def test_an_answer_is_repeatable_only_where_it_comes_out_the_same(own, fields, repeatable):
    assert settings(temperature=own).repeatable(fields) is repeatable


def test_abilities_that_llama_cpp_lacks_here_are_refused():
    with pytest.raises(ValueError, match="leave images out"):
        settings(capabilities=("chat", "images"))


def test_the_alias_is_the_models_own_name():
    assert settings().aliases == ("SmolLM2-135M-Instruct",)
    assert settings(model="/models/Qwen3-4B.Q4_K_M.gguf").aliases == ("Qwen3-4B.Q4_K_M",)
    assert isinstance(model_file("packaged:smollm2"), Path)
