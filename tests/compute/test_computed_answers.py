"""Statistical requests at the endpoint: computed, verified, and answered in the wanted form."""

import csv
import io
import json

import numpy as np
import openai
import pytest
import yaml as pyyaml

from router.telemetry.rows import request_row
from sandbox.tables.people import first_names
from tests.compute.computing import YAML, ScriptedAuthor, content
from tests.rig import rig

AGES = (
    "Generate 1000 user records where ages follow a normal distribution with mean 35 and "
    "standard deviation 12, clipped to 18–100"  # noqa: RUF001 - as people write it
)


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
        assert answer.headers["x-waggle-verified"] == "spec"
        computed = answer.json["waggle"]["computed"]
        assert computed["author"] == "synthesis"
        assert "np.clip(rng.normal(35, 12, n), 18, 100)" in computed["program"]
        assert computed["run"]["level"] >= 1
        names = [check["name"] for check in computed["verification"]["checks"]]
        assert {"count", "age: bounds", "age: whole numbers", "age: normal"} <= {*names}
        assert {"age: mean", "age: spread", "age: order"} <= {*names}
        assert computed["verification"]["level"] == "spec"
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
        assert answer.headers["x-waggle-verified"] == "spec"


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
        assert answer.headers["x-waggle-verified"] == "spec"
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


async def test_a_seed_gives_the_same_records_even_if_the_first_draw_fails_its_check():
    """Two draws in a thousand fail a check by chance; the seed of the second draw is fixed too."""
    async with rig(YAML) as waggle:
        first = await waggle.chat("Generate 30 values from N(0, 1), seed 11")
        again = await waggle.chat("Generate 30 values from N(0, 1), seed 11")
        other = await waggle.chat("Generate 30 values from N(0, 1), seed 12")
        assert content(first) == content(again) != content(other)


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
        assert answer.events[-2]["waggle"]["verified"] == {"level": "spec", "unchecked": []}
        assert answer.events[-2]["waggle"]["backend"] == "sandbox"


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


async def test_names_fit_the_decade_of_birth_and_jobs_the_age_of_each_record():
    text = "Generate 400 people with name, email, job and age from N(50, 30), clipped to 3-95"
    async with rig(YAML) as waggle:
        records = json.loads(content(await waggle.chat(text, seed=4)))
        young = [record for record in records if record["age"] < 12]
        old = [record for record in records if record["age"] > 85]
        assert min(len(young), len(old)) > 20
        assert {record["job"] for record in young} <= {"Child", "Student"}
        assert sum(record["job"] == "Retired" for record in old) > len(old) / 2
        first = {name: {r["name"].split()[0] for r in rows} for name, rows in
                 (("young", young), ("old", old))}  # fmt: skip
        this_decade = {label for d in (2010, 2020) for label in first_names(d).labels}
        long_ago = {label for d in (1920, 1930, 1940) for label in first_names(d).labels}
        assert first["young"] <= this_decade
        assert first["old"] <= long_ago
        assert all(r["name"].split()[0].lower() in r["email"] for r in records)
