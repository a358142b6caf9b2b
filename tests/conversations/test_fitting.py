"""What happens where a conversation does not fit the window of what may answer."""

from typing import Any

import openai
import pytest

from router.keys import new_key
from tests.conversations.recalling import RecallingModel
from tests.conversations.remembering import client, remembering

SMALL = {"context_window": 1_200}
LONG = {"context_window": 100_000}
FILLER = "And now some words that say nothing at all. " * 20  # about 220 tokens
ALICE, ALICE_KEY = new_key("alice", "2026-01-01", plans=("small",))


def models() -> dict[str, RecallingModel]:
    return {"small": RecallingModel(), "long": RecallingModel()}


def waggle(folder, its_models, **sections: Any):
    settings = {"small": SMALL, "long": LONG}
    return remembering(folder, its_models, settings=settings, **sections)


async def talk(
    sdk: openai.AsyncOpenAI, turns: int, *, first: int = 0, previous: str | None = None
) -> str:
    """Tell the long model a fact in each turn; return the id of the last response."""
    for n in range(first, first + turns):
        answer = await sdk.responses.create(
            model="long", input=f"The code of N{n} is {n}. {FILLER}", previous_response_id=previous
        )
        previous = answer.id
    assert previous is not None
    return previous


async def ask(sdk, previous: str, n: int = 0, **more: Any):
    return await sdk.responses.with_raw_response.create(
        model="small",
        input=f"What is the code of N{n}?",
        previous_response_id=previous,
        **more,
    )


async def test_the_oldest_items_become_a_summary(tmp_path):
    its_models = models()
    async with waggle(tmp_path, its_models) as service, client(service) as sdk:
        previous = await talk(sdk, 10)
        raw = await ask(sdk, previous)
        assert raw.parse().output_text == "0"
        assert its_models["long"].summaries == 1
        texts = its_models["small"].texts()
        assert "Summary of the earlier part" in texts[0][1]
        assert "The code of N0 is 0." in texts[0][1]
        assert texts[-1] == ("user", "What is the code of N0?")
        assert texts[-3][1].endswith(FILLER)  # the newest turn is whole
        items = int(raw.headers["x-waggle-summary"].split(" ")[0])
        assert raw.headers["x-waggle-summary"] == f"{items} items in a summary by long"
        assert len(texts) == 20 - items + 2
        # The call is an attempt like every other, with its role and its price.
        trace = service.journal.traces[-1]
        (call,) = trace.questions
        assert (call.role, call.backend, call.fault) == ("summary", "long", "")
        assert call.cost_usd == pytest.approx(150e-6)
        assert trace.cost_usd == pytest.approx(300e-6)
        assert float(raw.headers["x-waggle-cost-usd"]) == pytest.approx(300e-6)


async def test_a_summary_is_kept_and_extended_and_not_made_anew(tmp_path):
    its_models = models()
    async with waggle(tmp_path, its_models) as service, client(service) as sdk:
        previous = (await ask(sdk, await talk(sdk, 10))).parse().id
        assert its_models["long"].summaries == 1
        for n in range(1, 4):
            answer = (await ask(sdk, previous, n)).parse()
            assert answer.output_text == str(n)
            previous = answer.id
        assert its_models["long"].summaries == 1  # the kept one serves these turns
        previous = await talk(sdk, 6, first=10, previous=previous)
        assert (await ask(sdk, previous, 12)).parse().output_text == "12"
        assert (await ask(sdk, previous, 0)).parse().output_text == "0"
        assert its_models["long"].summaries == 2
        last = next(r for r in reversed(its_models["long"].requests) if len(r["messages"]) == 2)
        words = last["messages"][1]["content"]
        assert words.startswith("<summary>\nThe code of N0 is 0.")
        assert f"N0 is 0. {FILLER}" not in words  # the first turns are not read again


async def test_a_summary_never_comes_from_memory_and_is_never_reused(tmp_path):
    its_models = models()
    reuse = {"mode": "exact", "keep": "all"}
    async with waggle(tmp_path, its_models, reuse=reuse) as service, client(service) as sdk:
        previous = await talk(sdk, 10)
        for _ in range(2):
            assert (await ask(sdk, previous)).headers["x-waggle-reuse"] == "novel"
        assert len(its_models["small"].requests) == 2
        assert service.journal.traces[-1].verified is None


async def test_without_anybody_who_can_summarise_the_mend_is_named(tmp_path):
    its_models = models()
    async with waggle(tmp_path, its_models, keys=[ALICE_KEY]) as service:
        async with client(service, ALICE) as sdk:
            items: Any = [
                {"role": "user", "content": f"The code of N{n} is {n}. {FILLER}"} for n in range(10)
            ]
            begun = await sdk.conversations.create(items=items)
            its_models["small"].requests.clear()
            raw = await sdk.responses.with_raw_response.create(
                model="small", input="What is the code of N0?", conversation=begun.id
            )
            # The key may not use `long`: the small model reads the oldest part in pieces itself.
            assert raw.parse().output_text == "0"
            assert its_models["long"].requests == []
            assert raw.headers["x-waggle-summary"].endswith("by small")


async def test_a_model_that_fails_to_summarise_is_named_with_the_window_and_the_mend(tmp_path):
    its_models = models()
    settings = {"summarizer": "long"}
    async with waggle(tmp_path, its_models, conversations=settings, keys=[ALICE_KEY]) as service:
        async with client(service, ALICE) as sdk:
            items: Any = [{"role": "user", "content": FILLER} for _ in range(10)]
            begun = await sdk.conversations.create(items=items)
            with pytest.raises(openai.BadRequestError) as error:
                await sdk.responses.create(model="small", input="hi", conversation=begun.id)
    assert error.value.code == "context_length_exceeded"
    for words in ("window that may answer has 1200", "long, which conversations.summarizer names",
                  '`truncation: "auto"`'):  # fmt: skip
        assert words in error.value.message


async def test_truncation_auto_drops_the_oldest_and_says_so(tmp_path):
    its_models = models()
    async with waggle(tmp_path, its_models) as service, client(service) as sdk:
        previous = await talk(sdk, 10)
        raw = await ask(sdk, previous, 0, truncation="auto")
        assert raw.parse().output_text == "unknown"
        dropped = int(raw.headers["x-waggle-truncated"].split(" ")[0])
        assert raw.headers["x-waggle-truncated"] == f"{dropped} items dropped"
        assert len(its_models["small"].texts()) == 20 - dropped + 1
        assert its_models["small"].texts()[0][0] == "user"
        assert "x-waggle-summary" not in raw.headers
        assert its_models["long"].summaries == 0
        raw = await ask(sdk, previous, 9, truncation="auto")
        assert raw.parse().output_text == "9"
        assert raw.parse().truncation == "auto"


async def test_truncation_auto_works_without_memory_too(tmp_path):
    its_models = models()
    async with waggle(tmp_path, its_models) as service, client(service) as sdk:
        items: Any = [{"role": "developer", "content": "Be kind."}]
        items += [
            {"role": "user", "content": f"The code of N{n} is {n}. {FILLER}"} for n in range(9)
        ]
        items += [{"role": "user", "content": "What is the code of N8?"}]
        raw = await sdk.responses.with_raw_response.create(
            model="small", input=items, truncation="auto", store=False
        )
        assert raw.parse().output_text == "8"
        assert its_models["small"].texts()[0] == ("system", "Be kind.")
        assert raw.headers["x-waggle-truncated"].endswith("items dropped")


async def test_truncation_disabled_refuses(tmp_path):
    its_models = models()
    async with waggle(tmp_path, its_models) as service, client(service) as sdk:
        previous = await talk(sdk, 10)
        with pytest.raises(openai.BadRequestError, match="`truncation` is disabled") as error:
            await ask(sdk, previous, truncation="disabled")
        assert error.value.code == "context_length_exceeded"
        assert its_models["long"].summaries == 0


async def test_auto_prefers_who_can_read_it_whole(tmp_path):
    its_models = models()
    async with waggle(tmp_path, its_models) as service, client(service) as sdk:
        previous = await talk(sdk, 10)
        raw = await sdk.responses.with_raw_response.create(
            model="auto", input="What is the code of N3?", previous_response_id=previous
        )
        assert raw.headers["x-waggle-backend"] == "long"
        assert raw.parse().output_text == "3"
        assert "x-waggle-summary" not in raw.headers


async def test_what_a_summary_cannot_hold_is_said(tmp_path):
    its_models = models()
    pixel = "data:image/png;base64,iVBORw0KGgo="
    image: Any = {"type": "input_image", "image_url": pixel, "detail": "auto"}
    sees = {"capabilities": ["chat", "images"]}
    settings = {"small": SMALL | sees, "long": LONG}
    async with (
        remembering(tmp_path, its_models, settings=settings) as service,
        client(service) as sdk,
    ):
        items: Any = [{"role": "user", "content": [image, image]}]
        items += [{"role": "user", "content": FILLER} for _ in range(10)]
        begun = await sdk.conversations.create(items=items)
        raw = await sdk.responses.with_raw_response.create(
            model="small", input="hi", conversation=begun.id
        )
        assert raw.headers["x-waggle-summary"].endswith("by long; without 2 images")


async def test_instructions_and_tool_calls_outlive_a_summary_whole(tmp_path):
    its_models = models()
    call: Any = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}
    output: Any = {"type": "function_call_output", "call_id": "c1", "output": "The code of X is 7."}
    async with waggle(tmp_path, its_models) as service, client(service) as sdk:
        items: Any = [{"role": "developer", "content": "Be kind."}]
        items += [{"role": "user", "content": FILLER} for _ in range(8)]
        items += [{"role": "user", "content": "look"}, call]
        begun = await sdk.conversations.create(items=items)
        await sdk.responses.create(model="small", input=[output], conversation=begun.id)
        texts, messages = its_models["small"].texts(), its_models["small"].requests[-1]["messages"]
        assert texts[0] == ("system", "Be kind.")
        assert "Summary of the earlier part" in texts[1][1]
        assert [message["role"] for message in messages[-3:]] == ["user", "assistant", "tool"]
        assert messages[-2]["tool_calls"][0]["id"] == messages[-1]["tool_call_id"]


async def test_a_deleted_turn_is_in_no_later_summary(tmp_path):
    its_models = models()
    async with waggle(tmp_path, its_models) as service, client(service) as sdk:
        items: Any = [
            {"role": "user", "content": f"The code of N{n} is {n}. {FILLER}"} for n in range(10)
        ]
        begun = await sdk.conversations.create(items=items)
        first = (await sdk.conversations.items.list(begun.id, order="asc")).data[0]
        question = {"model": "small", "input": "What is the code of N0?"}
        answer = await sdk.responses.create(**question, conversation=begun.id)
        assert answer.output_text == "0"
        await sdk.conversations.items.delete(first.id, conversation_id=begun.id)
        answer = await sdk.responses.create(**question, conversation=begun.id)
        assert answer.output_text == "unknown"


async def test_guards_read_a_summary_like_every_other_call(tmp_path):
    its_models = models()
    guards = [{"name": "personal", "kind": "redact"}]
    async with waggle(tmp_path, its_models, guardrails=guards) as service:
        async with client(service) as sdk:
            items: Any = [{"role": "user", "content": "The code of Ada is 4711. ada@example.org"}]
            items += [{"role": "user", "content": FILLER} for _ in range(10)]
            begun = await sdk.conversations.create(items=items)
            answer = await sdk.responses.create(
                model="small", input="What is the code of Ada?", conversation=begun.id
            )
            assert answer.output_text == "4711"
            sent = str([model.requests for model in its_models.values()])
            assert its_models["long"].summaries == 1
            assert "ada@example.org" not in sent
            kept = await sdk.conversations.items.list(begun.id, order="asc")
            assert "ada@example.org" in kept.data[0].content[0].text
