"""Of long lists a handful is chosen, as a person would; a name takes what it names."""

import pytest

from router.catalog import ModelFacts, Price, look_up
from router.discovery import listing
from router.discovery.choosing import candidate, chosen, family
from router.discovery.listing import Listed
from router.discovery.providers import places
from tests.discovery import dialects

KEY = "k"
CLOUD = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY, "GROQ_API_KEY": KEY, "XAI_API_KEY": KEY}


def place(name):
    return next(each for each in places(CLOUD) if each.provider.name == name)


def candidates(name, listed, facts=look_up):
    return [candidate(place(name), name, each, facts) for each in listed]


def names(models):
    return [each.model for each in models]


def listed_openai():
    return candidates("openai", listing.openai(dialects.OPENAI_LIST))


def test_of_openais_list_the_cheap_the_middle_and_the_strong_are_chosen():
    models = chosen(listed_openai(), only=(), every=False)
    assert names(models) == ["gpt-5", "gpt-5-mini", "gpt-5-nano"]


def test_of_anthropics_list_the_newest_of_each_family_are_chosen():
    rows = [{"id": name, "created_at": at} for name, at in dialects.ANTHROPIC_LIST]
    models = chosen(
        candidates("anthropic", listing.anthropic({"data": rows})), only=(), every=False
    )
    assert [each.short_label for each in models] == [
        "claude-opus-4-5", "claude-haiku-4-5", "claude-sonnet-4-5",
    ]  # fmt: skip


def test_many_providers_give_fewer_models_each():
    groups = [listed_openai()]
    for name in ("groq", "xai", "anthropic"):
        priced = [
            Listed(f"{name}-{size}", price=Price(input=dear, output=dear))
            for dear, size in ((1, "small"), (3, "medium"), (9, "large"))
        ]
        groups.append(candidates(name, priced))
    models = chosen([each for group in groups for each in group], only=(), every=False)
    assert len(models) == 8
    assert {"gpt-5", "gpt-5-nano"} <= set(names(models))


def test_all_takes_everything_that_chats_and_has_a_price():
    models = names(chosen(listed_openai(), only=(), every=True))
    assert "gpt-4o-2024-08-06" in models
    assert not {"gpt-5-pro", "gpt-5-codex", "whisper-1", "sora-2", "gpt-image-1"} & set(models)
    assert not [name for name in models if "embedding" in name or "tts" in name]


def test_a_name_takes_what_it_names_even_if_nobody_would_choose_it():
    assert names(chosen(listed_openai(), only=["gpt-4o-2024*"], every=False)) == [
        "gpt-4o-2024-08-06"
    ]
    assert names(chosen(listed_openai(), only=["openai/gpt-5-pro"], every=False)) == ["gpt-5-pro"]


def test_a_server_that_is_named_gives_its_usual_handful():
    both = [
        *listed_openai(),
        *candidates("xai", [Listed("grok-9", price=Price(input=1, output=1))]),
    ]
    assert names(chosen(both, only=["xai"], every=False)) == ["grok-9"]


def test_a_model_without_a_known_price_is_taken_only_by_its_name():
    unpriced = candidates("groq", [Listed("strange-1")], lambda model, url: None)
    assert chosen(unpriced, only=(), every=True) == ()
    assert names(chosen(unpriced, only=["strange-1"], every=False)) == ["strange-1"]


def test_what_the_server_says_about_itself_wins_over_the_catalog():
    facts = ModelFacts("m", "groq", Price(input=9, output=9), 9000, ("chat", "images"), (), "table")
    says = Listed("m", context_window=7, price=Price(input=1, output=2), capabilities=("chat",))
    (model,) = candidates("groq", [says], lambda model, url: facts)
    assert (model.price.input, model.context_window, model.capabilities) == (1, 7, ("chat",))
    (model,) = candidates("groq", [Listed("m")], lambda model, url: facts)
    assert (model.price.input, model.context_window) == (9, 9000)
    assert model.capabilities == ("chat", "images")


def test_the_same_model_at_two_servers_is_taken_once():
    facts = ModelFacts("m", "", Price(input=1, output=1), None, (), (), "")
    both = [*candidates("groq", [Listed("openai/gpt-oss-20b")], lambda model, url: facts),
            *candidates("openai", [Listed("gpt-oss-20b")], lambda model, url: facts)]  # fmt: skip
    assert len(chosen(both, only=(), every=False)) == 1


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4.1-mini", ("gpt-mini", (4, 1))),
        ("gpt-4o-mini-2024-07-18", ("gpt-mini", (4,))),
        ("claude-haiku-4-5-20251001", ("claude-haiku", (4, 5))),
        ("claude-3-5-haiku-latest", ("claude-haiku", (3, 5))),
        ("gemini-2.5-flash-lite", ("gemini-flash-lite", (2, 5))),
        ("gemini-2.0-flash-001", ("gemini-flash", (2, 0))),
        ("mistral-large-2512", ("mistral-large", ())),
        ("meta-llama/Llama-3.1-8B-Instruct", ("llama-8b-instruct", (3, 1))),
        ("accounts/fireworks/models/deepseek-v3p2", ("deepseek-v", (3, 2))),
        ("o4-mini", ("o-mini", (4,))),
    ],
)
def test_a_name_is_a_family_and_a_version(model, expected):
    assert family(model) == expected
