"""A service is taught before its first request, and learns from what users do next."""

import json

import pytest
import yaml

from router.outcomes.files import read_rows
from tests.serve.running import COMPUTE, SANDBOX, own_service
from tests.upstream import completion
from tests.waiting import until

pytestmark = [pytest.mark.ray, pytest.mark.slow]
COUNT = 60


async def _right(wire):
    await wire.json(completion(wire.fields["messages"][-1]["content"].split()[-1]))


async def _wrong(wire):
    await wire.json(completion("I do not know."))


@pytest.fixture
def service(background, tmp_path):
    right, wrong = background.upstream(_right), background.upstream(_wrong)
    backends = "".join(
        f'  {name}: {{kind: openai, base_url: "{upstream.url}", price: {{input: 1, output: 2}}}}\n'
        for name, upstream in (("a", wrong), ("b", right))
    )
    text = (
        f"backends:\n{backends}{SANDBOX}plans:\n  poor: {{ask: a}}\n  good: {{ask: b}}\n{COMPUTE}"
        "signals: [{kind: behaviour}]\nobjective: {strategy: bandit, plan: poor}\n"
    )
    with own_service(tmp_path, text) as service:
        yield service


async def _learner(service):
    return (await service.get("/v1/learner")).json


async def test_from_an_evaluation_to_a_warm_learner_and_what_users_do_next(service):
    questions, outcomes = service.folder / "questions.jsonl", service.folder / "outcomes.parquet"
    rows = [{"prompt": f"Please repeat this word {n}", "expected": n} for n in range(COUNT)]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ("--plans", "poor,good", "--check", "number", "-o", str(outcomes), "--budget", "1")
    done = service.run("evaluate", str(questions), *options)
    assert f"{2 * COUNT} of {2 * COUNT} done" in done.stderr
    scores = {plan: [r["score"] for r in read_rows(outcomes) if r["plan"] == plan] for plan in
              ("poor", "good")}  # fmt: skip
    assert scores == {"poor": [0.0] * COUNT, "good": [1.0] * COUNT}

    made = yaml.safe_load(service.run("cards", str(outcomes)).stdout)
    assert made["objective"]["cards"]["good"]["any"] == 1.0
    assert made["objective"]["cards"]["poor"]["any"] == 0.0

    assert "within a second" in " ".join(service.run("warm", str(outcomes)).stdout.split())
    await until(lambda: _has_learned(service, 2 * COUNT))
    await until(lambda: _prefers(service, "good"))

    await _retried_answers_are_worse(service)
    (behaviour,) = (await _learner(service))["behaviours"]
    assert behaviour["behaviour"] == "retried"
    assert behaviour["rated"] == 0.0
    assert behaviour["weight"] > 0.3


async def _has_learned(service, count):
    answer = await service.get("/v1/learner")  # on a busy machine the learner may be away
    return answer.status == 200 and answer.json["learned"] >= count


async def _prefers(service, plan):
    body = {"model": "auto", "messages": [{"role": "user", "content": "Please repeat this word 7"}]}
    decided = (await service.post("/v1/route", body)).json
    return decided["probabilities"][plan] > 0.5


async def _retried_answers_are_worse(service):
    """Every second answer is asked for again, and rated as bad; the others are rated as good."""
    prompts = [f"Please repeat this word {n}" for n in range(80)]
    answers = [await service.chat(prompt) for prompt in prompts]
    await until(lambda: _is_noticed(service, prompts[1]))  # routers share the conversations
    for n, answer in enumerate(answers):
        if n % 2:
            assert (await service.chat(prompts[n])).status == 200
        rating = float(n % 2 == 0)
        body = {"request_id": answer.headers["x-waggle-request-id"], "score": rating}
        assert (await service.post("/v1/feedback", body)).status == 200
    await until(lambda: _has_compared(service, 30))


async def _is_noticed(service, prompt):
    await service.chat(prompt)
    return bool(service.query("select 1 from signals where source = 'implicit'"))


async def _has_compared(service, count):
    rows = (await _learner(service))["behaviours"]
    return bool(rows) and rows[0]["compared"] >= count
