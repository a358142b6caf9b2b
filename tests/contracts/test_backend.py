"""Every kind of backend keeps the contract that `router.backends.contract` ships."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from textwrap import dedent
from typing import Literal

import pytest

from router.backends import contract
from router.backends.build import build
from router.backends.contract import PROMISES, BackendCase, BrokenPromise, check_backend
from router.config.backends import (
    EncoderSettings,
    EnricherSettings,
    GeneratorSettings,
    LearnedSettings,
    LocalSettings,
    OpenAISettings,
    SandboxSettings,
    SpecialistSettings,
    TwinSettings,
    ValidatorSettings,
)
from router.config.llama import LlamaSettings
from router.config.network import AnthropicSettings, GeminiSettings
from router.config.values import BackendSettings
from router.domain import CHAT, COMPUTE, EMBEDDINGS, Call, Fault, Reply
from router.request.text import fields_of, last_user_text, tokens_in
from router.wire.chat_replies import chat_reply, in_one_piece
from tests.dialect_servers import AnthropicServer, GeminiServer
from tests.models.made import KNOWN, register, register_twin
from tests.router.test_local import made
from tests.upstream import Upstream, answer_well, completion

SHAPE = {"name": "string", "age": "int 18..90"}
RECORD = '{"name":"Ann","age":30}'
KINDS = (
    *("openai", "anthropic", "gemini", "generator", "enricher", "validator", "specialist", "local"),
    *("encoder", "sandbox", "llama", "learned"),
    pytest.param("twin", marks=pytest.mark.slow),  # `llama` writes for it
)


def fields(text, **more):
    return {"messages": [{"role": "user", "content": text}], "seed": 7} | more


async def upstream_script(wire):
    if wire.path != "/v1/chat/completions":
        await wire.json({"error": {"message": "no such path"}}, status=404)
    elif wire.fields.get("stream"):
        await answer_well(wire)
    else:
        await wire.json(completion("one two three"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("backends")


@pytest.fixture(params=KINDS)
async def case(request, folder, encoders):  # noqa: C901 - one case a kind
    def of(settings, fields, **more):
        return BackendCase(lambda: build(settings, str), fields, settings, **more)

    match request.param:
        case "openai":
            async with Upstream(upstream_script).listening() as upstream:
                yield of(OpenAISettings(kind="openai", base_url=upstream.url), fields("hi"))
        case "anthropic":
            async with Upstream(AnthropicServer()).listening() as upstream:
                settings = AnthropicSettings(
                    kind="anthropic", base_url=upstream.url, model="claude-sonnet-4-5"
                )
                yield of(settings, fields("hi", seed=None))
        case "gemini":
            async with Upstream(GeminiServer()).listening() as upstream:
                base = upstream.url.removesuffix("/v1")
                settings = GeminiSettings(kind="gemini", base_url=base, model="gemini-2.5-flash")
                yield of(settings, fields("hi"))
        case "generator":
            settings = GeneratorSettings(kind="generator")
            anew = fields("two users", shape=SHAPE, seed=None)
            yield of(settings, fields("two users", shape=SHAPE), invents=anew)
        case "enricher":
            request_fields = fields("fill", shape=SHAPE, draft='{"name":"Ann"}')
            anew = request_fields | {"seed": None}
            yield of(EnricherSettings(kind="enricher"), request_fields, invents=anew)
        case "validator":
            request_fields = fields("x", shape=SHAPE, draft=RECORD)
            yield of(ValidatorSettings(kind="validator"), request_fields)
        case "specialist":
            places = {"home": str(folder / "index"), "encoders": str(encoders)}
            settings = SpecialistSettings(kind="specialist", folder="shipped:football", **places)
            yield of(settings, fields("What is a false nine?"))
        case "local":
            tiny = folder / "tiny"
            models = {"tiny": str(tiny) if tiny.exists() else made(tiny, 3)}
            settings = LocalSettings(kind="local", models=models, device="cpu")
            yield of(settings, fields("w1 w2", max_tokens=20))
        case "llama":
            settings = LlamaSettings(kind="llama", model="packaged:smollm2", context_window=512)
            anew = fields("Tell me a story", seed=None, temperature=2, max_tokens=20)
            yield of(settings, fields("Why do bees dance?", max_tokens=12), invents=anew)
        case "learned":
            register(folder / "models")
            settings = LearnedSettings(kind="learned", model="triage", home=str(folder / "models"))
            yield of(settings, fields(KNOWN["billing"]))
        case "twin":
            home = folder / "twins"
            if not home.exists():
                register_twin(home)
            writer = LlamaSettings(kind="llama", model="packaged:smollm2", context_window=1024)
            settings = TwinSettings(kind="twin", model="ann", writer=writer, home=str(home))
            yield of(settings, fields("Invite Bo to tea", max_tokens=12))
        case "encoder":
            settings = EncoderSettings(kind="encoder", encoders=str(encoders))
            yield of(
                settings, {"input": "a"}, path=EMBEDDINGS, content=lambda answer: answer["data"]
            )
        case "sandbox":
            source = "import random\nresult = {'x': [random.gauss(0, 1) for _ in range(50)]}"
            job = {
                "fields": fields("50 numbers x, normally distributed with mean 0 and sd 1"),
                "source": source,
                "seed": 1,
                "turn": 0,
            }
            settings = SandboxSettings(kind="sandbox", ready=())
            yield of(settings, job, path=COMPUTE, content=lambda answer: answer["document"])


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
async def test_a_backend_keeps(case, promise):
    await promise(case)


class EchoSettings(BackendSettings):
    kind: Literal["echo"]


def test_the_example_in_the_documentation_runs():
    example = dedent((contract.__doc__ or "").split("\n\n", 1)[1].split("`check_backend`")[0])
    names = dict(globals())
    exec(example, names)
    assert names["case"].settings == EchoSettings(kind="echo")


class Broken:
    """An echo with one fault in it."""

    def __init__(self, fault):
        self.fault = fault
        self.calls = 0
        self.closed = False

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT and self.fault != "answers any path":
            raise Fault("bad_request", f"no {call.path}")
        self.calls += 1
        text = last_user_text(fields_of(call))
        if self.fault == "streams another text" and call.stream:
            text += "!"
        if self.fault == "invents" and fields_of(call).get("seed") is None:
            text = str(self.calls)
        if self.fault == "mixes calls" and self.calls > 3:
            text = str(self.calls)
        if self.fault == "swallows cancellation":
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                raise ValueError("not cancelled") from None
        reply = chat_reply(call, "echo", [text], tokens_in(text))
        if self.fault == "answers in plain text":
            reply = Reply(200, "text/plain", in_one_piece(b"hello"))
        if self.fault == "forgets usage" and not call.stream:
            whole = json.loads(b"".join([piece async for piece in reply.body]))
            del whole["usage"]
            reply = Reply(200, "application/json", in_one_piece(json.dumps(whole).encode()))
        yield reply

    async def close(self) -> None:
        if self.fault == "closes once" and self.closed:
            raise BrokenPromise("closed already")
        self.closed = True


class Forgetful(EchoSettings):
    def model_dump_json(self, **_):
        return '{"kind": "echo", "queue": 1}'


@pytest.mark.parametrize(
    ("fault", "promise"),
    [
        ("answers any path", "unknown path"),
        ("streams another text", "stream must say"),
        ("mixes calls", "must not mix"),
        ("swallows cancellation", "CancelledError"),
        ("answers in plain text", "is JSON"),
        ("forgets usage", "usage"),
        ("closes once", "closed already"),
    ],
)
async def test_a_broken_promise_is_named(fault, promise):
    case = BackendCase(lambda: Broken(fault), fields("dance"), EchoSettings(kind="echo"))
    with pytest.raises(BrokenPromise, match=promise):
        await check_backend(case)


async def test_an_invented_answer_that_is_called_repeatable_is_named():
    invents = fields("dance", seed=None)
    case = BackendCase(
        lambda: Broken("invents"), fields("dance"), EchoSettings(kind="echo"), invents=invents
    )
    with pytest.raises(BrokenPromise, match="`repeatable` must be false"):
        await check_backend(case)


async def test_settings_that_change_on_the_way_are_named():
    case = BackendCase(lambda: Broken(""), fields("dance"), Forgetful(kind="echo"))
    with pytest.raises(BrokenPromise, match="unchanged"):
        await check_backend(case)
