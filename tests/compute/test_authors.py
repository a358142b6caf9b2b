"""Programs that models write: verified, mended once, replaced, and never trusted."""

import json
import os

import pytest
import yaml as pyyaml

from tests.compute.computing import ScriptedAuthor, content, with_author
from tests.rig import rig
from tests.sandbox.hostile import ATTACKS

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
        assert answer.headers["x-waggle-verified"] == "spec"


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
        assert computed["level"] == "spec"
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
    if fault == "timeout":  # A short limit, because two runs reach it.
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
        # On a busy machine a program may get too little time. The fault is then `starved`.
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


TRIED = [a for a in ATTACKS if a.status in ("error", "violation", "exit_0", "bad_frame")][::4]


async def test_hostile_programs_of_an_author_change_nothing_on_the_machine(tmp_path):
    """Each program of the author is an attack. The caller gets synthesis's answer instead."""
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
