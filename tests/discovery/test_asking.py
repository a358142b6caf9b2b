"""Servers in the dialects of the providers are asked for models; each failure has its line."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from router.discovery.asking import Answered, Failed, ask, ask_all
from router.discovery.providers import PROVIDERS, places
from tests.discovery import dialects
from tests.discovery.dialects import KEY
from tests.router.test_proxy import proxy_before
from tests.upstream import Upstream

SECONDS = 60.0  # a busy machine takes long; only the test of a silent server waits for less
URLS = {provider.name: provider.urls[0] for provider in PROVIDERS}
KEYS = {provider.name: provider.keys[0] for provider in PROVIDERS}


def place_of(name, upstream, *, at="/v1", key=KEY, **more):
    base = upstream.url.removesuffix("/v1") + at
    variables = {URLS[name]: base} | ({KEYS[name]: key} if key else {}) | more
    (place,) = [each for each in places(variables) if each.provider.name == name]
    return place


async def outcome(name, script, *, seconds=SECONDS, **more):
    async with Upstream(script).listening() as upstream:
        return await ask(place_of(name, upstream, **more), seconds=seconds)


async def models(name, script, **more):
    answer = await outcome(name, script, **more)
    assert isinstance(answer, Answered), answer
    return {each.model: each for each in answer.models}


async def reason(name, script, **more):
    failure = await outcome(name, script, **more)
    assert isinstance(failure, Failed), failure
    assert KEY not in failure.reason
    return failure.reason


async def test_openai_lists_its_models_with_their_age():
    listed = await models("openai", dialects.openai())
    assert listed["gpt-4o"].created > listed["gpt-4o-2024-08-06"].created
    assert len(listed) == len(dialects.OPENAI_LIST["data"])


async def test_anthropic_is_read_page_by_page():
    listed = await models("anthropic", dialects.anthropic(page=2), at="")
    assert list(listed) == [name for name, _ in dialects.ANTHROPIC_LIST]
    assert listed["claude-3-haiku-20240307"].created < listed["claude-opus-4-5-20251101"].created


async def test_gemini_is_read_page_by_page_and_says_what_generates():
    listed = await models("gemini", dialects.gemini(page=3), at="")
    assert listed["gemini-2.5-flash"].context_window == 1_048_576
    assert [name for name, each in listed.items() if not each.chat] == [
        "embedding-gecko-001", "gemini-embedding-001", "imagen-4.0-generate-001",
        "veo-3.0-generate-001", "aqa",
    ]  # fmt: skip


async def test_the_address_of_a_native_client_may_end_in_its_version():
    listed = await models("anthropic", dialects.anthropic(), at="/v1")
    assert "claude-haiku-4-5-20251001" in listed


async def test_mistral_says_its_windows_and_what_its_models_can():
    listed = await models("mistral", dialects.mistral())
    assert listed["mistral-large-2512"].capabilities == ("chat", "tools", "images", "json")
    assert listed["ministral-8b-2512"].capabilities == ("chat", "tools", "json")
    assert listed["ministral-8b-2512"].context_window == 262_144
    assert listed["mistral-embed"].chat is False


async def test_groq_says_its_windows_and_which_models_are_switched_off():
    script = dialects.openai(dialects.GROQ_LIST, at="/openai/v1")
    listed = await models("groq", script, at="")
    assert listed["openai/gpt-oss-20b"].context_window == 131_072
    assert listed["qwen/qwen3-32b"].chat is False


async def test_deepseek_says_names_only():
    listed = await models("deepseek", dialects.openai(dialects.deepseek_list()))
    assert list(listed) == ["deepseek-chat", "deepseek-reasoner"]


async def test_xai_counts_cents_for_a_hundred_million_tokens():
    listed = await models("xai", dialects.xai())
    price = listed["grok-4-0709"].price
    assert (price.input, price.output, price.cached_input) == (3, 15, 0.75)
    assert listed["grok-code-fast-1"].capabilities == ("chat", "tools", "json")


async def test_openrouter_counts_dollars_for_a_token():
    listed = await models("openrouter", dialects.openrouter())
    price = listed["moonshotai/kimi-k2"].price
    assert (price.input, price.output, price.cached_input) == (0.6, 2.5, 0.1)
    assert listed["openrouter/auto"].price is None, "a price of -1 is a price that varies"
    assert listed["google/gemini-2.5-flash-image"].chat is False
    assert listed["z-ai/glm-4.6"].logprobs is True


async def test_a_bad_key_of_openrouter_is_noticed_although_its_list_needs_none():
    assert "refused the key in OPENROUTER_API_KEY (401)" in await reason(
        "openrouter", dialects.openrouter(), key="sk-or-old"
    )


async def test_together_answers_with_a_bare_list_and_its_prices():
    listed = await models("together", dialects.openai(dialects.TOGETHER_LIST))
    assert listed["meta-llama/Llama-3.3-70B-Instruct-Turbo"].price.output == 0.88
    assert listed["meta-llama/Llama-4-Dedicated"].price is None, "0 means: not by the token"
    assert listed["BAAI/bge-large-en-v1.5"].chat is False


async def test_fireworks_says_what_chats():
    listed = await models("fireworks", dialects.openai(dialects.FIREWORKS_LIST))
    assert [name.rsplit("/")[-1] for name, each in listed.items() if each.chat] == [
        "gpt-oss-120b", "gpt-oss-20b",
    ]  # fmt: skip


async def test_azure_lists_deployments_and_the_models_behind_them():
    listed = await models("azure", dialects.azure(), at="/")
    assert listed["chat-large"].served == "gpt-4o"
    assert listed["coming"].chat is False


async def test_deployments_of_azure_may_be_named_where_it_does_not_list_them():
    script = dialects.azure(lists=False)
    assert "AZURE_OPENAI_DEPLOYMENT" in await reason("azure", script, at="/")
    listed = await models("azure", script, at="/", AZURE_OPENAI_DEPLOYMENT="gpt-4o, mini")
    assert list(listed) == ["gpt-4o", "mini"]


async def test_ollama_says_its_window_and_not_what_the_model_could_read():
    listed = await models("ollama", dialects.ollama(), key="")
    assert listed["llama3.2:latest"].context_window == 4096
    assert "131,072 (OLLAMA_CONTEXT_LENGTH)" in listed["llama3.2:latest"].window_note
    assert listed["llava:13b"].context_window == 2048
    assert listed["llava:13b"].capabilities == ("chat", "images", "json")
    assert [name for name, each in listed.items() if each.chat] == ["llama3.2:latest", "llava:13b"]


async def test_the_environment_may_widen_ollamas_window():
    listed = await models("ollama", dialects.ollama(), key="", OLLAMA_CONTEXT_LENGTH="32768")
    assert listed["llama3.2:latest"].context_window == 32_768
    assert listed["llava:13b"].context_window == 2048, "the model's own setting wins"


async def test_lm_studio_says_the_window_as_loaded():
    listed = await models("lmstudio", dialects.lmstudio(), key="")
    assert listed["meta-llama-3.1-8b-instruct"].context_window == 4096
    assert listed["qwen2-vl-7b-instruct"].capabilities == ("chat", "images", "json")
    assert listed["text-embedding-nomic-embed-text-v1.5"].chat is False


async def test_an_older_lm_studio_is_read_in_openais_dialect():
    listed = await models("lmstudio", dialects.lmstudio(rich=False), key="")
    assert "qwen2-vl-7b-instruct" in listed


async def test_vllm_says_the_length_it_was_started_with():
    listed = await models("vllm", dialects.vllm(), key="")
    assert listed["Qwen/Qwen2.5-7B-Instruct"].context_window == 16_384


async def test_llamacpp_says_the_window_of_a_slot():
    (model,) = (await models("llamacpp", dialects.llamacpp(), key="")).values()
    assert model.context_window == 8192
    assert model.logprobs is True
    assert model.size == pytest.approx(8.03, abs=0.01)


async def test_llamacpp_that_loads_its_model_is_waited_for_by_the_user():
    assert "still loading" in await reason("llamacpp", dialects.llamacpp(loading=True), key="")


@pytest.mark.parametrize("keys", [False, True])
async def test_waggle_recognises_itself(keys):
    text = await reason("vllm", dialects.waggle(keys=keys), key="")
    assert text.startswith("is Waggle itself")


async def test_waggle_recognises_itself_behind_the_address_that_apps_use():
    text = await reason("openai", dialects.waggle())
    assert text == (
        "is Waggle itself, by OPENAI_BASE_URL: unset OPENAI_BASE_URL while `waggle init` runs"
    )


@pytest.mark.parametrize(
    ("name", "script", "at", "status"),
    [
        ("openai", dialects.openai(), "/v1", 401),
        ("anthropic", dialects.anthropic(), "", 401),
        ("gemini", dialects.gemini(), "", 400),
        ("mistral", dialects.mistral(), "/v1", 401),
        ("xai", dialects.xai(), "/v1", 400),
        ("azure", dialects.azure(), "/", 401),
    ],
)
async def test_a_bad_key_is_named_by_its_variable(name, script, at, status):
    text = await reason(name, script, at=at, key="sk-old")
    variable = KEYS[name]
    assert text == f"refused the key in {variable} ({status}): set {variable} to a valid key"


async def test_no_error_repeats_what_a_server_wrote():
    async def echo(wire):
        await wire.json({"error": {"message": wire.headers["authorization"]}}, 418)

    assert await reason("openai", echo) == "refused to answer (418)"


async def nothing_listed(wire):
    await wire.json({"object": "list", "data": []})


async def other_json(wire):
    await wire.json({"hello": "world"})


async def no_json(wire):
    await wire.json(b"hello, world")


async def deep_json(wire):
    await wire.json(b"[" * 100_000)


async def redirect(wire):
    wire.head(301, location="https://login.example.com/x?token=1", content_length="0")


async def huge(wire):
    wire.head(content_type="application/json", transfer_encoding="chunked")
    for _ in range(20):
        await wire.chunk(b" " * 2**20)


async def cut(wire):
    wire.head(content_type="application/json", content_length="100")
    wire.raw(b'{"data": [')
    await wire.writer.drain()
    wire.close()


async def out_of_order(wire):
    await wire.json({"error": "upstream"}, 502)


async def too_many(wire):
    await wire.json({"error": {"code": "insufficient_quota"}}, 429)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (nothing_listed, "lists no models"),
        (dialects.web_page, "answered with a web page, and no list of models"),
        (other_json, "answered with JSON that has no list `data`"),
        (no_json, "answered with something that is not JSON"),
        (deep_json, "answered with something that is not JSON"),
        (huge, "answered more than 16 MiB, which is no list of models"),
        (out_of_order, "is out of order (502)"),
        (too_many, "had too many requests, or no credit is left (429): try again later"),
        (dialects.unknown, "no list of models at /v1 (404); OPENAI_BASE_URL says where it is"),
        (redirect, "points elsewhere (301), to login.example.com"),
        (cut, "ended the connection"),
    ],
)
async def test_each_failure_has_a_clear_line(script, expected):
    assert expected in await reason("openai", script)


async def test_a_silent_server_is_waited_for_no_longer_than_asked():
    async def silent(wire):
        await asyncio.Event().wait()

    assert await reason("openai", silent, seconds=0.2) == "did not answer within 0.2 s"


async def test_a_slow_drip_of_bytes_does_not_lengthen_the_wait():
    async def drip(wire):
        wire.head(content_type="application/json", transfer_encoding="chunked")
        while True:
            await wire.chunk(b" ")
            await asyncio.sleep(0.01)

    assert await reason("openai", drip, seconds=0.3) == "did not answer within 0.3 s"


async def test_one_silent_server_holds_up_no_other():
    async def silent(wire):
        await asyncio.Event().wait()

    async with Upstream(silent).listening() as mute, Upstream(dialects.mistral()).listening() as up:
        servers = [place_of("openai", mute), place_of("mistral", up)]
        order = [at async for at, _ in ask_all(servers, seconds=2.0)]
    assert order == [1, 0]


async def test_a_server_is_asked_through_the_proxy_of_the_environment():
    async with Upstream(dialects.mistral()).listening() as upstream:
        place = replace(place_of("mistral", upstream), base_url="http://mistral.lan/v1")
        async with proxy_before(int(upstream.url[:-3].rpartition(":")[2])) as proxy:
            answer = await ask(place, seconds=SECONDS, proxy=proxy.url)
        assert isinstance(answer, Answered), answer
        (head,) = proxy.heads
    assert head.startswith("GET http://mistral.lan/v1/models HTTP/1.1")
    assert "proxy-authorization: Basic " in head


async def test_a_proxy_that_cannot_be_used_is_named_without_its_password():
    place = place_of("mistral", Upstream(url="http://127.0.0.1:9/v1"))
    answer = await ask(place, seconds=SECONDS, proxy="https://me:pw@proxy.lan:1")
    assert "only a proxy with http:// can be used" in answer.reason
    assert "pw" not in answer.reason


async def test_names_that_could_command_something_are_left_out():
    names = (
        "good-1",
        "${OPENAI_API_KEY}",
        "a\nb: c",
        "x" * 300,
        "",
        "\x1b[31mred",
        "-rf",
        "{a: b}",
    )
    listed = {"data": [{"id": name} for name in names] + ["no object", {"id": None}, {"id": 7}]}
    listed_models = await models("openai", dialects.openai(listed))
    assert list(listed_models) == ["good-1", "7"]


async def test_odd_values_in_a_list_are_unknown_and_break_nothing():
    row = {"id": "m", "created": "soon", "context_window": -5, "meta": [], "owned_by": None}
    listed = await models("openai", dialects.openai({"data": [row]}))
    assert (listed["m"].created, listed["m"].context_window) == (0.0, None)


@pytest.mark.parametrize("name", [provider.name for provider in PROVIDERS])
async def test_no_dialect_breaks_on_json_of_any_form(name):
    """Whatever JSON a server gives, there is an outcome, never an exception."""
    odd = {"id": "a", "pricing": 1, "architecture": 2, "capabilities": 3, "details": 4}
    values = [None, "x", [], [1], {}, {"data": 1}, {"data": [1, None, {}, {"id": {}}]}]
    values += [{"data": [odd]}, {"models": [{}]}, {"models": [odd | {"modified_at": 9e99}]}]
    at = {"anthropic": "", "gemini": "", "azure": "/"}.get(name, "/v1")
    for value in values:

        async def script(wire, value=value):
            await wire.json(orjson.dumps(value))

        answer = await outcome(name, script, at=at)
        assert isinstance(answer, Answered | Failed)
