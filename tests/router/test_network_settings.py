"""The settings of servers over the network: what is refused, and that no secret is ever shown."""

import pytest

from router.config.backends import OpenAISettings
from router.config.load import as_written, secrets_of
from router.config.network import AnthropicSettings, GeminiSettings
from router.config.problems import ConfigError

SECRETS = dict.fromkeys(("K1", "K2", "TOKEN"), "sk-topsecret")


def written(tmp_path, backend, plans="{p: {ask: it}}"):
    path = tmp_path / "waggle.yaml"
    path.write_text(f"backends:\n  it: {{{backend}}}\nplans: {plans}\n")
    return as_written(path, SECRETS)


def problem(tmp_path, backend, plans="{p: {ask: it}}"):
    with pytest.raises(ConfigError) as error:
        written(tmp_path, backend, plans)
    assert "topsecret" not in str(error.value)
    (only,) = error.value.problems
    return only


OPENAI = "kind: openai, base_url: http://h/v1"
CLAUDE = "kind: anthropic, model: claude-sonnet-4-5"


@pytest.mark.parametrize(
    ("backend", "key", "rule"),
    [
        ("kind: openai", "backends.it", "needs a base_url"),
        ("kind: anthropic", "backends.it.model", "must be there"),
        (f"{OPENAI}, base_urls: ['http://a/v1']", "backends.it", "base_url or base_urls, not both"),
        (f"{OPENAI}, api_key: '${{K1}}', api_keys: ['${{K2}}']", "backends.it", "not both"),
        (f"{OPENAI}, api_keys: [sk-topsecret]", "backends.it.api_keys.0", "secret"),
        (f"{OPENAI}, headers: {{x-api-key: sk-topsecret}}", "backends.it.headers", "is a secret"),
        (
            f"{OPENAI}, headers: {{x: '${{TOKEN}}', Cookie: sk-topsecret}}",
            "backends.it.headers",
            "is a secret",
        ),
        (f"{OPENAI}, headers: {{Host: x}}", "backends.it.headers", "writes the header"),
        (f"{OPENAI}, query: {{api_key: sk-topsecret}}", "backends.it.query", "is a secret"),
        (f"{OPENAI}, auth: 'a b'", "backends.it.auth", ""),
        (
            "kind: openai, base_urls: ['http://a/v1', 'http://b/v1', 'http://c/v1'], "
            "api_keys: ['${K1}', '${K2}']",
            "backends.it",
            "3 base_urls and 2 api_keys",
        ),
    ],
)
def test_a_mistake_names_its_place_and_its_rule_and_hides_the_secret(tmp_path, backend, key, rule):
    mistake = problem(tmp_path, backend)
    assert mistake.key.startswith(key)
    assert rule in mistake.rule
    assert mistake.mend


def test_keys_and_headers_stay_references_and_deploy_knows_their_names(tmp_path):
    headers = "headers: {x-token: '${TOKEN}', Authorization: 'Token ${K2}', x-title: Waggle}"
    config = written(tmp_path, f"{OPENAI}, api_keys: ['${{K1}}', '${{K2}}'], {headers}")
    assert "topsecret" not in config.model_dump_json()
    assert secrets_of(config) == ("K1", "K2", "TOKEN")


@pytest.mark.parametrize(
    ("addresses", "keys", "endpoints"),
    [
        (("a",), (), [("a", "")]),
        (("a",), ("k", "l"), [("a", "k"), ("a", "l")]),
        (("a", "b"), ("k",), [("a", "k"), ("b", "k")]),
        (("a", "b"), ("k", "l"), [("a", "k"), ("b", "l")]),
    ],
)
def test_each_address_has_its_key(addresses, keys, endpoints):
    settings = OpenAISettings(
        kind="openai",
        base_urls=tuple(f"http://{address}" for address in addresses),
        api_keys=tuple(f"${{{key}}}" for key in keys),
    )
    assert settings.endpoints == tuple(
        (f"http://{address}", f"${{{key}}}" if key else "") for address, key in endpoints
    )


@pytest.mark.parametrize(
    ("backend", "settings", "field", "rule"),
    [
        (CLAUDE, "reasoning_effort: low, temperature: 0", "temperature", "thinks first"),
        (CLAUDE, "temperature: 1.5", "temperature", "from 0 to 1"),
        ("kind: anthropic, model: claude-opus-5", "temperature: 0", "temperature", "no longer"),
        (CLAUDE, "seed: 1", "seed", "does not take it"),
        (
            "kind: gemini, model: gemini-2.0-flash-x",
            "reasoning_effort: low",
            "reasoning_effort",
            "",
        ),
        ("kind: gemini, model: gemini-2.5-flash", "parallel_tool_calls: false", "parallel", ""),
    ],
)
def test_what_no_request_of_a_plan_could_carry_is_found_when_the_file_is_read(
    tmp_path, backend, settings, field, rule
):
    mistake = problem(tmp_path, backend, f"{{p: {{ask: it, set: {{{settings}}}}}}}")
    assert mistake.key.startswith(f"plans.p.set.{field}")
    assert rule in mistake.rule


def test_a_cascade_that_waits_for_logprobs_which_claude_has_not_is_a_mistake(tmp_path):
    plans = "{c: {cascade: [it, p], accept: {probability: 0.8}}, p: {ask: it}}"
    mistake = problem(tmp_path, CLAUDE, plans)
    assert mistake.key == "plans.c.cascade.0"
    assert "needs logprobs" in mistake.rule


@pytest.mark.parametrize(
    ("settings", "steadily"),
    [
        (OpenAISettings(kind="openai", base_url="http://h", model="gpt-4o"), {"temperature": 0}),
        (OpenAISettings(kind="openai", base_url="http://h", model="gpt-5-mini"), {}),
        (OpenAISettings(kind="openai", base_url="http://h", model="openai/o3"), {}),
        (OpenAISettings(kind="openai", base_url="http://h"), {"temperature": 0}),
        (AnthropicSettings(kind="anthropic", model="claude-haiku-4-5"), {"temperature": 0}),
        (AnthropicSettings(kind="anthropic", model="claude-opus-4-8"), {}),
        (GeminiSettings(kind="gemini", model="gemini-3-pro"), {"temperature": 0}),
    ],
)
def test_waggles_own_questions_ask_for_no_temperature_that_the_model_lacks(settings, steadily):
    assert settings.steadily == steadily


@pytest.mark.parametrize(
    "settings",
    [
        OpenAISettings(kind="openai", base_urls=("http://a", "http://b"), api_keys=("${A}",)),
        AnthropicSettings(kind="anthropic", model="c", base_urls=("http://a",), api_key="${A}"),
        GeminiSettings(kind="gemini", model="g", headers={"x": "${A}"}, query={"v": "1"}),
    ],
)
def test_settings_reach_a_replica_unchanged(settings):
    assert type(settings).model_validate_json(settings.model_dump_json()) == settings


def test_claude_and_gemini_are_at_their_providers_unless_the_file_says_otherwise():
    claude = AnthropicSettings(kind="anthropic", model="c")
    assert claude.endpoints == (("https://api.anthropic.com", ""),)
    assert claude.named_model == ("c", "https://api.anthropic.com")
    elsewhere = AnthropicSettings(kind="anthropic", model="c", base_url="http://h")
    assert elsewhere.addresses == ("http://h",)
