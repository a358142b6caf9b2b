"""Reuse as callers see it: the published story, tiers, isolation, and requests not to reuse."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
import yaml

from router.keys import new_key
from router.telemetry.rows import request_row
from tests.rig import rig as any_rig
from tests.upstream import Upstream, completion

STORY = [
    ("Generate 1000 users with normal age distribution", "novel", 1000, "age"),
    ("500 employees with normal age distribution", "reuse", 500, "age"),
    ("2000 customers with normal salary distribution", "adapt", 2000, "salary"),
    ("users with bimodal age distribution", "pattern", 1000, "age"),
]
QUESTION = "What is the capital of France?"
AGAIN = "Can you tell me France's capital city?"


@pytest.fixture(autouse=True)
def _encoder(tmp_path, encoders, encoder):
    """The exported encoder, as a service finds it in its data folder."""
    (tmp_path / "encoders").symlink_to(encoders)


@asynccontextmanager
async def rig(text: str, **more):
    """A Waggle that answers anew only where it always does: its chance is fixed."""
    async with any_rig(text, **more) as waggle:
        if waggle.engine.recall is not None:
            waggle.engine.recall.uniform = lambda: 0.5
        yield waggle


def bare(folder, **reuse) -> str:
    return yaml.safe_dump(
        {
            "server": {"data": str(folder)},
            "backends": {"generator": {"kind": "generator"}, "sandbox": {"kind": "sandbox"}},
            "plans": {
                "generate": {"ask": "generator"},
                "compute": {"code": "sandbox", "words": "generator"},
            },
            "reuse": {"mode": "similar", **reuse},
        }
    )


def models(folder, url: str, *, authors: bool = False, **reuse) -> str:
    settings = yaml.safe_load(bare(folder, **reuse))
    price = {"input": 1, "output": 2}
    settings["backends"]["model"] = {"kind": "openai", "base_url": url, "price": price}
    settings["plans"]["ask"] = {"ask": "model"}
    if not authors:
        del settings["backends"]["sandbox"], settings["plans"]["compute"]
    else:
        settings["plans"]["compute"] = {"code": "sandbox", "authors": ["model"]}
    return yaml.safe_dump(settings)


class Model(Upstream):
    """Answers with these texts in turn, the last for ever, and keeps the requests."""

    def __init__(self, *texts: str) -> None:
        self.requests = []
        left = list(texts) or ["Paris."]

        async def script(wire) -> None:
            self.requests.append(wire.fields)
            await wire.json(completion(left.pop(0) if len(left) > 1 else left[0]))

        super().__init__(script)


def content(reply) -> str:
    return reply.json["choices"][0]["message"]["content"]


async def settled(waggle) -> None:
    """Wait until all that was queued is written and followed."""
    keeper = waggle.engine.recall.memory.keeper
    before = keeper.turns
    async with asyncio.timeout(10):
        while keeper.turns < before + 2:
            await asyncio.sleep(0.02)


async def rate(waggle, reply, score: float = 1.0, **headers) -> None:
    body = {"request_id": reply.headers["x-waggle-request-id"], "score": score}
    assert (await waggle.post("/v1/feedback", body, **headers)).status == 200
    await settled(waggle)


async def test_the_published_story_on_a_bare_machine(tmp_path):
    async with rig(bare(tmp_path)) as waggle:
        for text, tier, count, field in STORY:
            reply = await waggle.chat(text)
            assert reply.headers["x-waggle-reuse"] == tier, text
            records = json.loads(content(reply))
            assert len(records) == count
            assert set(records[0]) == {field}
            assert reply.headers["x-waggle-verified"] == "true"
            await settled(waggle)
        rows = [request_row(trace) for trace in waggle.journal.traces]
        assert [row["reuse_tier"] for row in rows] == [tier for _, tier, _, _ in STORY]
        assert all(row["solution"] == 1 for row in rows[1:])
        other = await waggle.chat("Generate 1000 users with uniform age distribution")
        assert other.headers["x-waggle-reuse"] == "pattern"


async def test_a_models_program_is_edited_by_rule_and_the_model_is_not_asked(tmp_path):
    program = (
        "```python\nimport numpy as np\nrng = np.random.default_rng()\nages = []\n"
        "while len(ages) < 1000:\n    age = round(rng.normal(40, 12))\n"
        "    if 18 <= age <= 90:\n        ages.append(int(age))\nresult = {'age': ages}\n```"
    )
    async with (
        Model(program).listening() as model,
        rig(models(tmp_path, model.url, authors=True)) as waggle,
    ):
        first = await waggle.chat(STORY[0][0], headers={"x-waggle-explain": "true"})
        assert first.json["waggle"]["computed"]["author"] == "model"
        assert float(first.headers["x-waggle-cost-usd"]) > 0
        await settled(waggle)
        reply = await waggle.chat(STORY[1][0], headers={"x-waggle-explain": "true"})
        assert reply.headers["x-waggle-reuse"] == "reuse"
        assert float(reply.headers["x-waggle-cost-usd"]) == 0
        assert reply.json["waggle"]["computed"]["author"] == "memory"
        assert reply.json["waggle"]["computed"]["verification"]["checks"]
        assert len(json.loads(content(reply))) == 500
        assert len(model.requests) == 1
        pattern = await waggle.chat(STORY[3][0])
        assert "while len(ages) < 1000" in json.dumps(model.requests[1]["messages"])
        assert pattern.headers["x-waggle-reuse"] in ("pattern", "novel")


async def test_only_a_well_rated_answer_is_given_again(tmp_path):
    async with Model().listening() as model, rig(models(tmp_path, model.url)) as waggle:
        first = await waggle.chat(QUESTION)
        await settled(waggle)
        again = await waggle.chat(QUESTION)
        assert (again.headers["x-waggle-reuse"], len(model.requests)) == ("novel", 2)
        await rate(waggle, first)
        exact = await waggle.chat(QUESTION)
        assert exact.headers["x-waggle-reuse"] == "exact"
        assert exact.headers["x-waggle-backend"] == "memory"
        assert exact.headers["x-waggle-plan"] == "ask"
        assert exact.json["usage"]["cost"] == 0
        assert exact.json["model"] == "up-1"
        assert content(exact) == "Paris."
        other = await waggle.chat(AGAIN)
        assert other.headers["x-waggle-reuse"] == "reuse"
        assert len(model.requests) == 2


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Germany?",
        "Which city is not the capital of France?",
        "What was the capital of France?",
        "What is the population of France?",
        "What is the capital of France? Answer as JSON.",
    ],
)
async def test_a_request_with_another_meaning_is_never_answered_from_memory(tmp_path, question):
    async with Model().listening() as model, rig(models(tmp_path, model.url, keep="all")) as waggle:
        await waggle.chat(QUESTION)
        await settled(waggle)
        reply = await waggle.chat(question)
        assert reply.headers["x-waggle-reuse"] == "novel"
        assert len(model.requests) == 2


SETTING = {"messages": [{"role": "user", "content": QUESTION}], "model": "auto"}


@pytest.mark.parametrize(
    "other",
    [
        {"messages": [{"role": "system", "content": "Be rude."}, *SETTING["messages"]]},
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"},
                      *SETTING["messages"]]},
        {"max_tokens": 5},
        {"temperature": 0},
        {"temperature": 0.9},
        {"seed": 4},
        {"response_format": {"type": "json_object"}},
        {"model": "ask"},
        {"n": 2},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
        {"stop": ["x"]},
    ],
)  # fmt: skip
async def test_everything_but_the_last_message_must_be_equal(tmp_path, other):
    async with Model().listening() as model, rig(models(tmp_path, model.url, keep="all")) as waggle:
        await waggle.post("/v1/chat/completions", SETTING)
        await settled(waggle)
        reply = await waggle.post("/v1/chat/completions", SETTING | other)
        assert reply.headers["x-waggle-reuse"] == "novel"
        same = await waggle.post("/v1/chat/completions", SETTING | {"user": "x"})
        assert same.headers["x-waggle-reuse"] == "exact"


@pytest.mark.parametrize(
    ("headers", "tiers"),
    [
        ({"x-waggle-reuse": "off"}, ("novel", "novel")),
        ({"x-waggle-reuse": "exact"}, ("exact", "novel")),
        ({"x-waggle-reuse": "similar"}, ("exact", "reuse")),
        ({"cache-control": "no-cache"}, ("novel", "novel")),
    ],
)
async def test_a_request_says_how_far_memory_may_go(tmp_path, headers, tiers):
    async with Model().listening() as model, rig(models(tmp_path, model.url, keep="all")) as waggle:
        await waggle.chat(QUESTION)
        await settled(waggle)
        replies = [await waggle.chat(text, headers=headers) for text in (QUESTION, AGAIN)]
        assert tuple(reply.headers["x-waggle-reuse"] for reply in replies) == tiers
        assert len(model.requests) == 1 + tiers.count("novel")


@pytest.mark.parametrize(
    "more",
    [
        {"headers": {"cache-control": "no-store"}},
        {"store": False},
        {"headers": {"x-waggle-ttl": "0"}},
        {"headers": {"cache-control": "max-age=0"}},
    ],
)
async def test_an_answer_that_must_not_be_kept_is_not(tmp_path, more):
    async with Model().listening() as model, rig(models(tmp_path, model.url, keep="all")) as waggle:
        await waggle.chat(QUESTION, **more)
        await settled(waggle)
        assert (await waggle.chat(QUESTION)).headers["x-waggle-reuse"] == "novel"


@pytest.mark.parametrize(
    "text",
    [
        "What is the weather in Paris?",
        "Who is the current president of France?",
        "What happened today?",
        "My name is Ada Lovelace. What is a good birthday gift for me?",
        "Is ada@example.org a valid address?",
        "Call 555-123-4567 for what?",
    ],
)
async def test_an_answer_for_now_or_for_one_person_is_neither_kept_nor_reused(tmp_path, text):
    async with Model().listening() as model, rig(models(tmp_path, model.url, keep="all")) as waggle:
        for _ in range(2):
            reply = await waggle.chat(text)
            assert reply.headers["x-waggle-reuse"] == "novel"
            await settled(waggle)
        assert sum(waggle.engine.recall.memory.store.counts().values()) == 0


async def test_solutions_never_cross_keys_unless_they_share(tmp_path):
    made = [new_key(name, "", shares=group) for name, group in
            (("a", ""), ("b", ""), ("c", "team"), ("d", "team"))]  # fmt: skip
    keys = [key for _, key in made]
    bearer = [{"authorization": f"Bearer {text}"} for text, _ in made]
    async with (
        Model().listening() as model,
        rig(models(tmp_path, model.url, keep="all"), keys=keys) as waggle,
    ):
        tiers = []
        for headers in bearer:
            for text in (QUESTION, AGAIN):
                reply = await waggle.chat(text, headers=headers)
                tiers.append(reply.headers["x-waggle-reuse"])
                await settled(waggle)
        own, shared = ["novel", "reuse"], ["exact", "reuse"]
        assert tiers == own + own + own + shared


async def test_a_plan_that_a_key_may_not_use_gives_it_no_remembered_answers(tmp_path):
    (first_token, first), (second_token, second) = (
        new_key("a", "", shares="t"),
        new_key("b", "", shares="t", plans=("generate",)),
    )
    async with (
        Model().listening() as model,
        rig(models(tmp_path, model.url, keep="all"), keys=[first, second]) as waggle,
    ):
        await waggle.chat(QUESTION, headers={"authorization": f"Bearer {first_token}"})
        await settled(waggle)
        reply = await waggle.chat(QUESTION, headers={"authorization": f"Bearer {second_token}"})
        assert reply.headers.get("x-waggle-reuse") != "exact"
        assert b"Paris" not in reply.body


async def test_an_answer_reported_wrong_is_put_away_with_its_descendants(tmp_path):
    async with rig(bare(tmp_path)) as waggle:
        replies = []
        for text, _, _, _ in STORY[:3]:
            replies.append(await waggle.chat(text))
            await settled(waggle)
        store = waggle.engine.recall.memory.store
        assert store.get(2).parent == 1
        await rate(waggle, replies[1], 0.0)  # it was made by the program of the first
        assert [store.get(n).state for n in (1, 2)] == ["quarantined", "quarantined"]
        again = await waggle.chat(STORY[0][0])
        assert again.headers["x-waggle-reuse"] == "novel"


async def test_a_remembered_answer_streams_as_any_other(tmp_path):
    async with Model().listening() as model, rig(models(tmp_path, model.url, keep="all")) as waggle:
        await waggle.chat(QUESTION)
        await settled(waggle)
        options = {"include_usage": True}
        reply = await waggle.chat(QUESTION, stream=True, stream_options=options)
        assert reply.headers["x-waggle-reuse"] == "exact"
        *events, end = reply.events
        assert end == "[DONE]"
        words = "".join(c["delta"].get("content", "") for e in events for c in e["choices"])
        assert words == "Paris."
        assert events[-1]["usage"]["cost"] == 0
        assert len(model.requests) == 1


async def test_a_streamed_answer_is_remembered_once_it_ended_well(tmp_path):
    async def script(wire) -> None:
        wire.events()
        for chunk in ({"content": "Par"}, {"content": "is."}):
            await wire.event({"model": "m", "choices": [{"index": 0, "delta": chunk}]})
        end = {"index": 0, "delta": {}, "finish_reason": "stop"}
        await wire.event({"choices": [end]})
        await wire.event(b"[DONE]")
        await wire.chunk(b"")

    async with (
        Upstream(script).listening() as up,
        rig(models(tmp_path, up.url, keep="all")) as waggle,
    ):
        await waggle.chat(QUESTION, stream=True)
        await settled(waggle)
        reply = await waggle.chat(QUESTION)
        assert (reply.headers["x-waggle-reuse"], content(reply)) == ("exact", "Paris.")


async def test_a_sampled_share_is_made_anew_and_compared_with_the_remembered_answer(tmp_path):
    async with (
        Model("Paris.", "Lyon.").listening() as model,
        rig(models(tmp_path, model.url, keep="all", checked=1.0, budget=0.005)) as waggle,
    ):
        await waggle.chat(QUESTION)
        await settled(waggle)
        reply = await waggle.chat(AGAIN, headers={"x-waggle-explain": "true"})
        assert (reply.headers["x-waggle-reuse"], content(reply)) == ("novel", "Lyon.")
        assert reply.json["waggle"]["reuse"]["checked"] is True
        await settled(waggle)
        row = request_row(waggle.journal.traces[-1])
        assert (row["reuse_checked"], row["reuse_propensity"]) == (True, 1.0)
        (event,) = [e for e in waggle.journal.events if e.kind == "reuse"]
        assert (event.state, event.detail["by"]) == ("wrong", "made anew")
        calibration = waggle.engine.recall.memory.calibration
        assert not calibration.standing(row["reuse_bucket"]).serves


async def test_a_backend_adapts_a_close_answer_that_it_is_shown(tmp_path):
    async with (
        Model("That is 8.05 km.", "That is 12.87 km.").listening() as model,
        rig(models(tmp_path, model.url, keep="all", adapter="model")) as waggle,
    ):
        await waggle.chat("Convert 5 miles to kilometres.")
        await settled(waggle)
        reply = await waggle.chat("Convert 8 miles to kilometres.")
        assert reply.headers["x-waggle-reuse"] == "adapt"
        assert content(reply) == "That is 12.87 km."
        assert "That is 8.05 km." in json.dumps(model.requests[1]["messages"])
        await settled(waggle)
        child = waggle.engine.recall.memory.store.get(2)
        assert (child.parent, child.change) == (1, "a backend adapted it")


@pytest.mark.parametrize(
    ("plans", "headers"),
    [
        (("generate",), {}),
        ((), {"x-waggle-plans": "ask"}),
        ((), {"x-waggle-max-cost": "0.5"}),
        ((), {"x-waggle-max-latency-ms": "60000"}),
    ],
)
async def test_the_adapter_is_not_asked_against_a_keys_plans_or_a_requests_bounds(
    tmp_path, plans, headers
):
    (first_token, first), (second_token, second) = (
        new_key("a", "", shares="t"),
        new_key("b", "", shares="t", plans=plans),
    )
    async with (
        Model("That is 8.05 km.", "That is 12.87 km.").listening() as model,
        rig(
            models(tmp_path, model.url, keep="all", adapter="model"), keys=[first, second]
        ) as waggle,
    ):
        bearer = {"authorization": f"Bearer {first_token}"}
        await waggle.chat("Convert 5 miles to kilometres.", headers=bearer)
        await settled(waggle)
        bearer = {"authorization": f"Bearer {second_token}"}
        reply = await waggle.chat("Convert 8 miles to kilometres.", headers=bearer | headers)
        assert reply.headers.get("x-waggle-reuse") != "adapt"
        assert "8.05" not in json.dumps([request["messages"] for request in model.requests])


async def test_remembered_answers_teach_no_plan(tmp_path):
    async with Model().listening() as model, rig(models(tmp_path, model.url, keep="all")) as waggle:
        await waggle.chat(QUESTION)
        await settled(waggle)
        await waggle.chat(QUESTION)
        row = request_row(waggle.journal.traces[-1])
        assert (row["strategy"], row["plan"], row["cost_usd"]) == ("reuse", "ask", 0)
        assert row["premium_cost_usd"] > 0
        assert "attempts" not in row
        assert QUESTION not in json.dumps(row)


async def test_a_memory_that_cannot_be_opened_costs_no_request(tmp_path):
    folder = tmp_path / "solutions"
    folder.mkdir()
    (folder / "solutions.sqlite").write_bytes(b"this is no database" * 100)
    async with Model().listening() as model, rig(models(tmp_path, model.url)) as waggle:
        assert "move it away" in waggle.engine.recall.memory.trouble
        reply = await waggle.chat(QUESTION)
        assert (reply.status, reply.headers["x-waggle-reuse"]) == (200, "novel")


async def test_a_bad_header_is_refused_by_name(tmp_path):
    async with Model().listening() as model, rig(models(tmp_path, model.url)) as waggle:
        reply = await waggle.chat(QUESTION, headers={"x-waggle-reuse": "always"})
        assert reply.status == 400
        assert "one of off, exact, similar, not 'always'" in reply.error["message"]
        reply = await waggle.chat(QUESTION, headers={"x-waggle-ttl": "soon"})
        assert "`x-waggle-ttl` must be seconds, 0 or more, not 'soon'" in reply.error["message"]
        assert model.requests == []
