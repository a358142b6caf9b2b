"""Statistical requests at the endpoint: computed, verified, mended, or refused with a reason."""

import asyncio
import contextlib
import csv
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import openai
import pytest
import yaml as pyyaml

from router.backends.sandbox_backend import SandboxBackend
from router.config.backends import SandboxSettings
from router.config.load import ConfigError, load
from router.deployment.processes import descendants
from router.telemetry.rows import request_row
from tests.rig import rig
from tests.sandbox.hostile import ATTACKS
from tests.upstream import Upstream, completion
from tests.waiting import until

AGES = (
    "Generate 1000 user records where ages follow a normal distribution with mean 35 and "
    "standard deviation 12, clipped to 18–100"  # noqa: RUF001 - as people write it
)
YAML = """
backends:
  generator: {kind: generator}
  sandbox: {kind: sandbox, min_level: 1}
plans:
  generate: {ask: generator}
  compute: {code: sandbox, words: generator}
"""


def with_author(url: str, **plan) -> str:
    """A configuration in which a scripted model writes the programs."""
    config = pyyaml.safe_load(YAML)
    price = {"input": 1, "output": 2}
    config["backends"]["coder"] = {"kind": "openai", "base_url": url, "price": price}
    config["plans"]["compute"] = {"code": "sandbox", "authors": ["coder"], **plan}
    config["plans"]["words"] = {"ask": "coder"}
    return pyyaml.safe_dump(config)


def content(answer) -> str:
    return answer.json["choices"][0]["message"]["content"]


class ScriptedAuthor(Upstream):
    """A model that answers with the given programs in turn, and keeps its requests."""

    def __init__(self, *programs: str) -> None:
        self.requests = []
        left = list(programs)

        async def script(wire) -> None:
            self.requests.append(wire.fields)
            await wire.json(completion(left.pop(0) if len(left) > 1 else left[0]))

        super().__init__(script)


async def test_a_statistical_request_is_computed_with_no_model():
    async with rig(YAML) as waggle:
        answer = await waggle.chat(AGES, headers={"x-waggle-explain": "true"})
        assert answer.status == 200, answer.body
        records = json.loads(content(answer))
        assert len(records) == 1000
        ages = np.array([record["age"] for record in records])
        assert ages.min() >= 18
        assert ages.max() <= 100
        assert abs(ages.mean() - 35.4) < 1.5
        assert answer.headers["x-waggle-plan"] == "compute"
        assert answer.headers["x-waggle-strategy"] == "computed"
        assert answer.headers["x-waggle-verified"] == "true"
        computed = answer.json["waggle"]["computed"]
        assert computed["author"] == "synthesis"
        assert "np.clip(rng.normal(35, 12, n), 18, 100)" in computed["program"]
        assert computed["run"]["level"] >= 1
        names = [check["name"] for check in computed["verification"]["checks"]]
        assert names == ["count", "age: bounds", "age: whole numbers", "age: normal"]
        assert all(check["holds"] for check in computed["verification"]["checks"])
        assert "a program can answer it" in answer.json["waggle"]["reason"]


async def test_the_enterprise_example_passes_its_own_checks():
    text = (
        "Create a dataset of 500 enterprise customers: annual revenue is log-normally distributed "
        "with median $10M and sigma 1.2, company size correlates with revenue with R² > 0.8, and "
        "industry is Technology 35%, Finance 25%, Healthcare 20%, Manufacturing 20%."
    )
    async with rig(YAML) as waggle:
        answer = await waggle.chat(text)
        records = json.loads(content(answer))
        revenue = np.array([record["annual_revenue"] for record in records])
        size = np.array([record["company_size"] for record in records])
        assert np.corrcoef(revenue, size)[0, 1] ** 2 > 0.8
        assert 6e6 < np.median(revenue) < 16e6
        assert {record["industry"] for record in records} == {
            "Technology",
            "Finance",
            "Healthcare",
            "Manufacturing",
        }
        assert answer.headers["x-waggle-verified"] == "true"


async def test_statistics_of_given_data_are_answered_as_an_object():
    async with rig(YAML) as waggle:
        answer = await waggle.chat("Compute the median and standard deviation of [2, 4, 4, 10]")
        assert json.loads(content(answer)) == {"median": 4.0, "sd": pytest.approx(3.4641016)}
        table = "height,weight\n170,65\n180,80\n165,60\n"
        answer = await waggle.chat("What is the mean height?", data=table)
        assert json.loads(content(answer)) == {"mean": pytest.approx(515 / 3)}


@pytest.mark.parametrize("words", ["", ", name and email"])
async def test_a_request_for_csv_is_answered_with_csv(words: str):
    async with rig(YAML) as waggle:
        answer = await waggle.chat(f"Generate 20 users with age from N(35, 12){words}, as CSV")
        rows = list(csv.DictReader(io.StringIO(content(answer))))
        assert len(rows) == 20
        assert ("name" in rows[0]) is bool(words)
        assert all(row["age"].lstrip("-").isdecimal() for row in rows)


async def test_a_request_for_a_json_object_is_answered_with_an_object():
    async with rig(YAML) as waggle:
        wish = {"type": "json_object"}
        answer = await waggle.chat("Draw 5 values from N(0, 1)", response_format=wish)
        assert len(json.loads(content(answer))["records"]) == 5


async def test_columns_of_text_are_added_without_changing_the_computed_columns():
    text = "Generate 300 customers with id, name, email and age normally distributed, mean 40, sd 9"
    async with rig(YAML) as waggle:
        answer = await waggle.chat(text, seed=4, headers={"x-waggle-explain": "true"})
        records = json.loads(content(answer))
        assert [list(record) for record in records[:1]] == [["id", "name", "email", "age"]]
        assert [record["id"] for record in records] == list(range(1, 301))
        assert all("@" in record["email"] for record in records)
        assert len({record["name"] for record in records}) > 200
        plain = text.replace("name, email and ", "")
        alone = json.loads(content(await waggle.chat(plain, seed=4)))
        assert [record["age"] for record in alone] == [record["age"] for record in records]
        backends = [attempt["backend"] for attempt in answer.json["waggle"]["attempts"]]
        assert backends == ["generator", "sandbox"]
        again = json.loads(content(await waggle.chat(text, seed=4)))
        assert again == records


async def test_a_large_answer_streams_as_one_document():
    async with rig(YAML) as waggle:
        waggle.engine.plan_runs.head_start_seconds = 60.0
        answer = await waggle.chat(
            "Draw 20000 values from N(0, 1)", stream=True, headers={"x-waggle-explain": "true"}
        )
        assert answer.headers["x-waggle-verified"] == "true"
        *chunks, done = answer.events
        assert "rng.normal(0, 1, n)" in chunks[0]["waggle"]["computed"]["program"]
        assert done == "[DONE]"
        pieces = [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks]
        assert len([piece for piece in pieces if piece]) > 10
        assert len(json.loads("".join(pieces))) == 20_000
        assert chunks[-1]["usage"]["cost"] == 0
        (signal,) = waggle.journal.signals
        assert signal.score == 1.0


async def test_the_official_client_sees_an_ordinary_completion():
    async with rig(YAML) as waggle:
        client = openai.AsyncOpenAI(base_url=f"{waggle.url}/v1", api_key="none")
        done = await client.chat.completions.create(
            model="auto", messages=[{"role": "user", "content": "What is the mean of [1, 2, 6]?"}]
        )
        assert json.loads(done.choices[0].message.content or "") == {"mean": 3.0}
        assert done.usage is not None
        assert done.usage.completion_tokens > 0
        await client.close()


async def test_a_verdict_is_a_signal_without_words_of_the_request():
    async with rig(YAML) as waggle:
        answer = await waggle.chat("Generate 50 salaries from N(50000, 8000)")
        (signal,) = waggle.journal.signals
        assert (signal.source, signal.metric, signal.score) == ("check", "verification", 1.0)
        assert signal.weight == 0.8
        assert signal.about.request_id == answer.headers["x-waggle-request-id"]
        assert "salar" not in repr(signal)
        (trace,) = waggle.journal.traces
        row = request_row(trace)
        assert row["kind"] == "statistics"
        assert signal.about.ts_micros == row["ts"]
        assert "salar" not in json.dumps(row)


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


async def test_a_sandbox_that_is_full_is_busy_and_not_broken():
    config = pyyaml.safe_load(YAML)
    config["backends"]["sandbox"] |= {"at_once": 1, "waiting": 0, "retry": {"times": 0}}
    async with rig(pyyaml.safe_dump(config)) as waggle:
        question = "Generate 100000 values from N(0, 1)"
        answers = await asyncio.gather(*(waggle.chat(question) for _ in range(12)))
        statuses = {answer.status for answer in answers}
        assert statuses == {200, 429}
        busy = next(answer for answer in answers if answer.status == 429)
        assert busy.error["code"] == "backends_busy"
        assert "programs wait and the queue is full" in busy.error["message"]
        assert busy.headers["retry-after"]
        assert waggle.backends.hosts["sandbox"].breaker.state(time.monotonic()) == "closed"
        assert (await waggle.chat(question)).status == 200


async def test_a_computed_answer_leaves_the_conversation_with_its_plan():
    async with ScriptedAuthor("hello").listening() as up:
        config = pyyaml.safe_load(YAML)
        config["backends"]["m"] = {"kind": "openai", "base_url": up.url}
        config["plans"] |= {"talk": {"ask": "m"}}
        async with rig(pyyaml.safe_dump(config)) as waggle:
            session = {"x-session-id": "s1"}
            first = await waggle.chat("Why do bees dance?", headers=session)
            assert first.headers["x-waggle-plan"] == "talk"
            answer = await waggle.chat("What is the mean of [1, 2, 6]?", headers=session)
            assert answer.headers["x-waggle-plan"] == "compute"
            again = await waggle.chat("And why at noon?", headers=session)
            assert again.headers["x-waggle-strategy"] == "sticky"
            assert again.headers["x-waggle-backend"] == "m"


async def test_an_ordinary_request_or_a_request_with_a_shape_is_not_computed():
    async with rig(YAML) as waggle:
        answer = await waggle.chat('3 users {"name": "string", "age": "int 18..90"}')
        assert answer.headers["x-waggle-plan"] == "generate"
        assert "x-waggle-verified" not in answer.headers
        answer = await waggle.chat("Draw 5 values from N(0, 1)", shape={"value": "number"})
        assert answer.headers["x-waggle-plan"] == "generate"


GOOD = """```python
import numpy as np
result = {"age": np.random.default_rng().normal(35, 12, 100)}
```"""


async def test_a_model_writes_the_program_and_is_paid():
    async with ScriptedAuthor(GOOD).listening() as up, rig(with_author(up.url)) as waggle:
        answer = await waggle.chat("Generate 100 sizes from N(35, 12)")
        assert answer.status == 200
        answer = await waggle.chat(
            "Generate 100 values from N(35, 12)", headers={"x-waggle-explain": "true"}
        )
        assert answer.headers["x-waggle-verified"] == "true"


async def test_a_printed_result_counts_as_the_result_of_a_program():
    printed = (
        "import json, numpy as np\n"
        "print(json.dumps({'value': np.random.default_rng().normal(35, 12, 100).tolist()}))"
    )
    async with ScriptedAuthor(printed).listening() as up, rig(with_author(up.url)) as waggle:
        answer = await waggle.chat(
            "Generate 100 values from N(35, 12)", headers={"x-waggle-explain": "true"}
        )
        assert answer.json["waggle"]["computed"]["author"] == "coder"
        assert len(json.loads(content(answer))) == 100


async def test_an_author_sees_the_error_of_a_failed_program_and_mends_it_once():
    broken = "```python\nimport pandas\n```"
    good = GOOD.replace('"age"', '"value"')
    async with ScriptedAuthor(broken, good).listening() as up, rig(with_author(up.url)) as waggle:
        answer = await waggle.chat(
            "Generate 100 values from N(35, 12)", headers={"x-waggle-explain": "true"}
        )
        computed = answer.json["waggle"]["computed"]
        assert computed["author"] == "coder"
        assert computed["verified"]
        first, second = up.requests
        assert "pandas, polars, sklearn, matplotlib" in first["messages"][0]["content"]
        assert '"family": "normal"' in first["messages"][1]["content"]
        assert "import pandas" in second["messages"][2]["content"]
        assert "pandas is not available in this sandbox" in second["messages"][3]["content"]
        attempts = answer.json["waggle"]["attempts"]
        assert [a["backend"] for a in attempts] == ["coder", "sandbox", "coder", "sandbox"]
        assert attempts[1]["fault"] == "error"
        cost = sum(attempt["cost_usd"] for attempt in attempts)
        assert cost > 0
        assert answer.json["usage"]["cost"] == pytest.approx(cost)


@pytest.mark.parametrize(
    ("program", "fault"),
    [
        ("result = {'value': [1.0] * 100}", "not_verified"),
        ("result = {'value': [1.0] * 99}", "not_verified"),
        ("print('35, 36, 37')", "not_verified"),
        ("I am sorry, I cannot do that.", "error"),
        ("while True: pass", "timeout"),
    ],
)
async def test_an_author_who_fails_twice_is_replaced_by_synthesis(program, fault):
    config = with_author("{url}")
    if fault == "timeout":  # Two runs wait for this limit.
        config = config.replace("min_level: 1", "min_level: 1\n    wall_seconds: 1.6")
    async with (
        ScriptedAuthor(program).listening() as up,
        rig(config.replace("{url}", up.url)) as waggle,
    ):
        answer = await waggle.chat(
            "Generate 100 values from N(35, 12)", headers={"x-waggle-explain": "true"}
        )
        assert answer.status == 200
        assert answer.json["waggle"]["computed"]["author"] == "synthesis"
        faults = [
            a["fault"] for a in answer.json["waggle"]["attempts"] if a["backend"] == "sandbox"
        ]
        # A busy machine may give a program too little time, and such a run has its own fault.
        assert [fault if f == "starved" else f for f in faults] == [fault, fault, ""]
        assert len(up.requests) == 2


async def test_a_model_may_write_the_columns_of_text():
    names = [{"name": f"Name {i}", "email": f"n{i}@example.com"} for i in range(60)]
    lists = [f"Here you are:\n{json.dumps(names[:50])}", json.dumps(names[50:])]
    text = "Generate 60 users with name, email and age normally distributed, mean 40, sd 9"
    async with ScriptedAuthor(*lists).listening() as up:
        config = with_author(up.url, authors=["synthesis"], words="coder")
        async with rig(config) as waggle:
            answer = await waggle.chat(text, seed=4)
            records = json.loads(content(answer))
            assert [record["name"] for record in records] == [n["name"] for n in names]
            assert {type(record["age"]) for record in records} == {int}
            assert "exactly 50 objects" in up.requests[0]["messages"][0]["content"]
            assert "exactly 10 objects" in up.requests[1]["messages"][0]["content"]
            assert answer.json["usage"]["cost"] > 0
    for wrong in ("no", "[]", json.dumps([{"nam": "x"}] * 60)):
        async with ScriptedAuthor(wrong).listening() as up:
            async with rig(with_author(up.url, authors=["synthesis"], words="coder")) as waggle:
                answer = await waggle.chat(text)
                assert (answer.status, answer.error["code"]) == (422, "no_words")


async def test_a_seed_gives_the_same_records_even_if_the_first_draw_fails_its_check():
    """Two draws in a thousand fail a check by chance; the seed of the second draw is fixed too."""
    async with rig(YAML) as waggle:
        first = await waggle.chat("Generate 30 values from N(0, 1), seed 11")
        again = await waggle.chat("Generate 30 values from N(0, 1), seed 11")
        other = await waggle.chat("Generate 30 values from N(0, 1), seed 12")
        assert content(first) == content(again) != content(other)


async def test_the_second_author_writes_a_program_when_the_first_fails():
    async with (
        ScriptedAuthor("nonsense(").listening() as bad,
        ScriptedAuthor(GOOD.replace('"age"', '"value"')).listening() as good,
    ):
        config = pyyaml.safe_load(with_author(bad.url, authors=["coder", "second"]))
        config["backends"]["second"] = {"kind": "openai", "base_url": good.url}
        async with rig(pyyaml.safe_dump(config)) as waggle:
            answer = await waggle.chat(
                "Generate 100 values from N(35, 12)", headers={"x-waggle-explain": "true"}
            )
            assert answer.json["waggle"]["computed"]["author"] == "second"


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
            assert answer.headers["x-waggle-verified"] == "false"
            assert not answer.json["waggle"]["computed"]["verified"]
            assert "can reach" in answer.json["waggle"]["computed"]["problem"]
            assert not waggle.journal.signals


async def test_if_no_program_holds_and_no_model_may_answer_the_refusal_names_the_constraint():
    async with rig(YAML) as waggle:
        answer = await waggle.chat(IMPOSSIBLE_TO_REACH)
        assert answer.status == 422
        assert answer.error["code"] == "not_verified"
        assert "income and score: r: " in answer.error["message"]
        assert "columns with these distributions can reach" in answer.error["message"]


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
TRIED = [a for a in ATTACKS if a.status in ("error", "violation", "exit_0", "bad_frame")][::4]


async def test_hostile_programs_of_an_author_change_nothing_on_the_machine(tmp_path):
    """The author of statistical requests attacks; the caller gets the answer of synthesis."""
    secret, outside = tmp_path / "secret", tmp_path / "outside"
    secret.write_text("canary-77")
    outside.mkdir()
    places = {"secret": str(secret), "outside": str(outside), "port": 9, "victim": os.getpid()}
    before = sorted(p.name for p in outside.iterdir())
    assert len(TRIED) > 30
    programs = [f"```python\n{attack.at(**places)}\n```" for attack in TRIED for _ in range(2)]
    async with ScriptedAuthor(*programs).listening() as up, rig(with_author(up.url)) as waggle:
        for attack in TRIED:
            answer = await waggle.chat(
                "Generate 100 values from N(35, 12)", headers={"x-waggle-explain": "true"}
            )
            assert answer.status == 200, attack.name
            computed = answer.json["waggle"]["computed"]
            assert computed["author"] == "synthesis", attack.name
            faults = [attempt["fault"] for attempt in answer.json["waggle"]["attempts"]]
            assert attack.status in faults, (attack.name, faults)
            assert b"canary-77" not in answer.body, attack.name
    assert sorted(p.name for p in outside.iterdir()) == before
    assert secret.read_text() == "canary-77"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ask": "generator"}, "plans.compute.code = sandbox: nothing reads this key"),
        ({"code": "generator"}, "a backend of kind sandbox, and this is of kind generator"),
        ({"code": "sandbx"}, "sandbox"),
        ({"authors": ["nobody"]}, "nobody"),
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


async def test_a_long_table_is_routed_by_its_first_rows_and_computed_whole():
    rows = [f"{i},{'x' if i % 2 else 'y'}" for i in range(20_000)]
    table = "n,kind\r\n" + "\r\n".join(rows)
    async with rig(YAML) as waggle:
        answer = await waggle.chat("What is the mean of n by kind?", data=table)
        assert json.loads(content(answer)) == {"mean": {"x": 10_000.0, "y": 9_999.0}}
        columns = {"n": list(range(1000)), "kind": ["a"] * 1000}
        answer = await waggle.chat("What is the median of n?", data=columns)
        assert json.loads(content(answer)) == {"median": 499.5}
        answer = await waggle.chat("What is the mean of n?", data=[1, 2])
        assert answer.status == 400


async def test_a_computed_stream_that_begins_early_carries_its_verdict_at_its_end():
    async with rig(YAML) as waggle:
        waggle.engine.plan_runs.head_start_seconds = 0.0
        answer = await waggle.chat("Draw 10 values from N(0, 1), seed 1", stream=True)
        assert "x-waggle-verified" not in answer.headers
        assert answer.events[-2]["waggle"]["verified"] is True
        assert answer.events[-2]["waggle"]["backend"] == "sandbox"


def numpy_zygotes() -> list[int]:
    """The zygotes that this process started and that load numpy."""
    pids = []
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if b'"tier": "numpy"' in Path(f"/proc/{pid}/cmdline").read_bytes():
                pids.append(pid)
    return pids


async def test_a_backend_that_closes_while_its_pool_opens_leaves_no_zygote():
    backend = SandboxBackend(SandboxSettings(kind="sandbox", ready=("numpy",)))
    await until(numpy_zygotes)
    await backend.close()
    await until(lambda: not numpy_zygotes(), seconds=10)
