"""Which price a model has at a server, and that nothing is priced that only looks like it."""

import datetime as dt
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.catalog import look_up
from router.catalog.names import core, provider_of

AT = dt.datetime(2026, 11, 27, tzinfo=dt.UTC)
OPENAI, ANTHROPIC = "https://api.openai.com/v1", "https://api.anthropic.com"
OPENROUTER, GROQ = "https://openrouter.ai/api/v1", "https://api.groq.com/openai/v1"
MISTRAL, AZURE = "https://api.mistral.ai/v1", "https://contoso.openai.azure.com/openai/v1"
DEEPSEEK = "https://api.deepseek.com"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta/openai"


def price(model, base_url):
    facts = look_up(model, base_url, AT)
    return None if facts is None or facts.price is None else (facts.price.input, facts.price.output)


@pytest.mark.parametrize(
    ("model", "base_url", "dollars"),
    [
        ("gpt-4o", OPENAI, (2.5, 10)),
        ("GPT-4o", OPENAI, (2.5, 10)),
        ("gpt-4o-2024-05-13", OPENAI, (5, 15)),  # a date may have a price of its own
        ("gpt-4o-2024-08-06", OPENAI, (2.5, 10)),
        ("claude-sonnet-4-5", ANTHROPIC, (3, 15)),
        ("claude-sonnet-4-5-20250929", ANTHROPIC, (3, 15)),
        ("claude-sonnet-4-20250514", ANTHROPIC, (3, 15)),
        ("claude-3-5-haiku-latest", ANTHROPIC, (0.8, 4)),
        ("openai/gpt-4o", OPENROUTER, (2.5, 10)),
        ("anthropic/claude-sonnet-4.5", OPENROUTER, (3, 15)),
        ("openai/gpt-oss-120b", GROQ, (0.15, 0.6)),
        ("gpt-4o", AZURE, (2.5, 10)),
        ("anything", "https://contoso.openai.azure.com/openai/deployments/gpt-4o", (2.5, 10)),
        (
            "accounts/fireworks/models/llama-v3p1-8b-instruct",
            "https://api.fireworks.ai/inference/v1",
            (0.2, 0.2),
        ),
    ],
)
def test_a_model_of_a_provider_has_its_price(model, base_url, dollars):
    assert price(model, base_url) == dollars


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("gpt-4o", "http://127.0.0.1:8000/v1"),
        ("gpt-4o", "http://api.openai.com/v1"),
        ("gpt-4o", "https://api.openai.com:8080/v1"),
        ("gpt-4o", "http://localhost:8000/v1"),
        ("gpt-4o", "http://[::1]:8000/v1"),
        ("llama3.2:3b", "http://localhost:11434/v1"),
        ("llama3.2:3b", OPENAI),
        ("gpt-4o", "https://proxy.example.org/v1"),
        ("gpt-4o", "https://api.openai.com.example.org/v1"),
        ("gpt-4o", "https://api.openai.com@example.org/v1"),
        ("gpt-4o", "https://xapi.openai.com/v1"),
        ("gpt-4o", "https://example.org/?https://api.openai.com/v1"),
        ("gpt-4o", "http://[bad/v1"),
        ("gpt-4o-turbo-next", OPENAI),
        ("openai/gpt-4o", OPENAI),
        ("ft:gpt-4o-2024-08-06:acme::abc123", OPENAI),
        ("claude-sonnet-4-5-thinking-xl", ANTHROPIC),
        ("claude-3-5-haiku-super-20290101", ANTHROPIC),
        ("openai/gpt-4o:nitro", OPENROUTER),
        ("openrouter/auto", OPENROUTER),
        ("gpt-4o", OPENROUTER),
        ("our-deployment", AZURE),
        ("our-gpt-4o", AZURE),
        (
            "us.anthropic.claude-opus-4-5-20251101-v1:0",
            "https://bedrock-runtime.us-east-1.amazonaws.com",
        ),
        ("", OPENAI),
        ("x" * 10_000, OPENAI),
    ],
)
def test_what_only_looks_like_a_model_of_a_provider_has_no_price(model, base_url):
    assert price(model, base_url) is None


def test_a_price_that_the_second_table_contradicts_is_unknown():
    # One table has the model of 2024 under this name, the other the model of 2025.
    assert price("mistral-large-latest", MISTRAL) is None
    assert look_up("mistral-large-latest", MISTRAL, AT).context_window == 262_144


def test_two_sources_that_agree_settle_a_price_that_the_table_tells_differently():
    together = "https://api.together.xyz/v1"
    assert price("meta-llama/Llama-3.3-70B-Instruct-Turbo", together) == (1.04, 1.04)


def test_a_price_that_was_found_wrong_is_withheld():
    facts = look_up("grok-4-fast-latest", "https://api.x.ai/v1", AT)
    assert facts.price is None  # the table lacks its rate for long prompts
    assert facts.context_window == 2_000_000


def test_a_price_by_the_hour_is_unknown():
    assert price("deepseek-v4-flash", DEEPSEEK) is None


def test_a_price_is_the_price_of_the_day():
    model = "mistral-medium-latest"
    may, july = (dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in (5, 7))
    assert look_up(model, MISTRAL, july).price.input == 1.5
    assert look_up(model, MISTRAL, may).price is None  # the second table has the later price


def test_a_price_has_its_cache_and_its_tiers():
    facts = look_up("claude-sonnet-4-5", ANTHROPIC, AT)
    assert (facts.price.cached_input, facts.price.cache_write) == (0.3, 3.75)
    assert [(tier.above, tier.input, tier.cache_write) for tier in facts.price.tiers] == [
        (200_000, 6, 7.5)
    ]
    assert facts.context_window == 200_000  # the smaller of what the tables say


def test_a_model_has_abilities_and_efforts():
    facts = look_up("gpt-5", OPENAI, AT)
    assert facts.capabilities == ("chat", "tools", "images", "json")
    assert facts.efforts == ("minimal", "low", "medium", "high")
    assert facts.provider == "openai"
    assert "genai-prices" in facts.source
    assert "models.dev" in facts.source
    assert "images" not in look_up("llama-3.3-70b-versatile", GROQ, AT).capabilities
    assert look_up("text-embedding-3-small", OPENAI, AT).capabilities == ("embeddings",)


def test_a_name_that_no_table_has_gets_no_facts():
    assert look_up("no-such-model", OPENAI, AT) is None


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("claude-sonnet-4.5", "claude-sonnet-4-5"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("mistral-small-latest", "mistral-small"),
        ("claude-opus-4-1@20250805", "claude-opus-4-1"),
        ("gpt-4-0613", "gpt-4-0613"),
    ],
)
def test_a_core_name_has_no_date(name, short):
    assert core(name) == short


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_text_breaks_a_look_up(model, base_url):
    look_up(model, base_url, AT)
    assert provider_of(base_url) is None or "." in base_url


def test_a_configuration_without_a_remote_model_loads_no_table():
    """The package of prices takes 30 MB in every process that loads it."""
    program = (
        "import sys; from router.config.load import EMBEDDED, load; load(EMBEDDED, {}); "
        "print('genai_prices' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "False", run.stderr


@pytest.mark.parametrize(
    ("model", "url"),
    [
        ("gpt-4o-audio-preview", "https://api.openai.com/v1"),
        ("gpt-4o-mini-tts", "https://api.openai.com/v1"),
        ("gpt-4o-realtime-preview", "https://api.openai.com/v1"),
        ("gpt-4o-transcribe", "https://api.openai.com/v1"),
        ("gpt-4o-mini-search-preview", "https://api.openai.com/v1"),
        ("gemini-2.5-flash-preview-tts", "https://generativelanguage.googleapis.com"),
    ],
)
def test_what_does_more_than_words_has_no_price_for_words_alone(model, url):
    facts = look_up(model, url)
    assert facts is None or facts.price is None
