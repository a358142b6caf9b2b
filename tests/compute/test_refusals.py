"""Statistical requests that are not computed, and the reason that the caller reads."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml as pyyaml

from router.config.load import ConfigError, load
from router.telemetry.rows import request_row
from tests.compute.computing import YAML, ScriptedAuthor, content, with_author
from tests.rig import rig


async def test_constraints_that_contradict_each_other_are_refused_with_the_reason():
    text = (
        "Generate 100 rows: x ~ N(0,1), y ~ N(0,1), z ~ N(0,1); correlation between x and y of "
        "0.9; correlation between y and z of 0.9; correlation between x and z of -0.9"
    )
    async with rig(YAML) as waggle:
        answer = await waggle.chat(text)
        assert answer.status == 422
        assert answer.error["code"] == "cannot_hold"
        assert "x/z -0.9" in answer.error["message"]
        assert "not positive definite" in answer.error["message"]
        answer = await waggle.chat("Generate 100 ages from N(150, 10), clipped to 0-100")
        assert "age: a mean of 150 lies outside its bounds" in answer.error["message"]
        assert not waggle.journal.signals
        trace = waggle.journal.traces[-1]
        assert "age" not in json.dumps(request_row(trace).get("error", ""))


async def test_a_sandbox_that_a_caller_names_computes_or_says_why_not():
    async with rig(YAML) as waggle:
        answer = await waggle.chat("What is the mean of [1, 2, 6]?", model="sandbox")
        assert json.loads(content(answer)) == {"mean": 3.0}
        answer = await waggle.chat("Why do bees dance?", model="sandbox")
        assert (answer.status, answer.error["code"]) == (400, "not_statistical")
        answer = await waggle.chat("Why do bees dance?", model="compute")
        assert (answer.status, answer.error["code"]) == (400, "not_statistical")


async def test_a_calculation_that_nobody_can_read_is_refused_with_what_was_not_understood():
    async with rig(YAML) as waggle:
        answer = await waggle.chat("What is the mean of 3, 5 and 9, after a blorfing of each?")
        assert (answer.status, answer.error["code"]) == (400, "not_statistical")
        assert "blorfing" in answer.error["message"]
        row = request_row(waggle.journal.traces[-1])
        assert "blorfing" not in json.dumps(row)
        answer = await waggle.chat("Why do bees dance?")
        assert (answer.status, answer.error["code"]) == (400, "no_plan_can_answer")


IMPOSSIBLE_TO_REACH = (
    "Generate 200 rows: income is lognormal with mu 10 and sigma 3, score is uniform between 0 and "
    "1, correlation between income and score of 0.99"
)


async def test_if_no_program_holds_a_model_answers_in_words_marked_as_unverified():
    async with ScriptedAuthor("In words: no.").listening() as up:
        config = with_author(up.url, authors=["synthesis"], fallback=["coder"])
        async with rig(config) as waggle:
            answer = await waggle.chat(IMPOSSIBLE_TO_REACH, headers={"x-waggle-explain": "true"})
            assert answer.status == 200
            assert content(answer) == "In words: no."
            assert answer.headers["x-waggle-verified"] == "unverified"
            assert answer.json["waggle"]["computed"]["level"] == "unverified"
            assert "can reach" in answer.json["waggle"]["computed"]["problem"]
            assert not waggle.journal.signals


async def test_if_no_program_holds_and_no_model_may_answer_the_refusal_names_the_constraint():
    async with rig(YAML) as waggle:
        answer = await waggle.chat(IMPOSSIBLE_TO_REACH)
        assert answer.status == 422
        assert answer.error["code"] == "not_verified"
        assert "income and score: r: " in answer.error["message"]
        assert "columns with these distributions can reach" in answer.error["message"]


BELOW = f"""
import asyncio, json
from tests.rig import rig

async def main():
    async with rig({YAML!r}) as waggle:
        answer = await waggle.chat("What is the mean of [1, 2, 6]?")
        print(json.dumps({{"status": answer.status, "error": answer.error}}))
        answer = await waggle.chat('2 users {{"name": "string"}}')
        print(json.dumps({{"status": answer.status}}))

asyncio.run(main())
"""
ROOT = Path(__file__).parents[2]


async def test_a_kernel_without_system_call_filters_computes_nothing_and_routes_the_rest():
    command = [sys.executable, "-m", "tests.sandbox.without", "seccomp=1", "--", sys.executable]
    done = subprocess.run(
        [*command, "-c", BELOW], cwd=ROOT, capture_output=True, text=True, check=False
    )
    refused, ordinary = map(json.loads, done.stdout.splitlines())
    assert refused["status"] == 503
    assert refused["error"]["code"] == "sandbox_refused"
    assert "programs are not run here: level 1 of isolation" in refused["error"]["message"]
    assert "the kernel accepts no system call filter here" in refused["error"]["message"]
    assert ordinary == {"status": 200}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ask": "generator"}, "plans.compute.code = sandbox: nothing reads this key"),
        ({"code": "generator"}, "a backend of kind sandbox, and this is of kind generator"),
        ({"code": "sandbx"}, "sandbox"),
        ({"authors": ["nobody"]}, "nobody"),
        ({"authors": ["generator"]}, "a model writes programs, and this backend is of kind gen"),
        ({"words": "sandbox"}, "a sandbox answers no chat"),
        ({"fallback": ["sandbox"]}, "a sandbox answers no chat"),
    ],
)
def test_an_impossible_plan_is_refused_with_its_reason(tmp_path, change, says):
    config = pyyaml.safe_load(YAML)
    config["plans"]["compute"] |= change
    file = tmp_path / "waggle.yaml"
    file.write_text(pyyaml.safe_dump(config))
    with pytest.raises(ConfigError, match=says):
        load(file, {})
