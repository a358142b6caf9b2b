"""How far a computed answer was checked: what callers, telemetry and learning get of it."""

import asyncio
import json

import pytest
import yaml as pyyaml
from typer.testing import CliRunner

from router.cli.main import app
from router.telemetry.rows import request_row
from tests.compute.computing import YAML, ScriptedAuthor, content, give, with_author
from tests.rig import rig

MEAN = "What is the mean of [1, 2, 6]?"
EXPLAIN = {"x-waggle-explain": "true"}
UNCHECKED = ["at least 3", "días\r\nset-cookie: a=b"]
IN_HEADER = "rerun; unchecked: at least 3, dias set-cookie: a=b"


async def test_an_answer_names_its_level_and_what_nobody_checked():
    async with rig(YAML) as waggle:
        give(waggle, "rerun", *UNCHECKED)
        answer = await waggle.chat(MEAN, headers=EXPLAIN)
        assert answer.headers["x-waggle-verified"] == IN_HEADER
        assert "set-cookie" not in answer.headers
        explained = answer.json["waggle"]
        assert explained["verified"] == {"level": "rerun", "unchecked": UNCHECKED}
        assert explained["computed"]["level"] == "rerun"
        plain = await waggle.chat(MEAN)
        assert plain.headers["x-waggle-verified"] == IN_HEADER
        assert "waggle" not in plain.json


async def test_a_stream_names_the_level_in_its_head_or_in_its_last_chunk():
    async with rig(YAML) as waggle:
        give(waggle, "agreed", "sorted")
        waggle.engine.plan_runs.head_start_seconds = 60.0
        answer = await waggle.chat(MEAN, stream=True)
        assert answer.headers["x-waggle-verified"] == "agreed; unchecked: sorted"
        waggle.engine.plan_runs.head_start_seconds = 0.0
        early = await waggle.chat(MEAN, stream=True)
        assert "x-waggle-verified" not in early.headers
        assert early.events[-2]["waggle"]["verified"] == {
            "level": "agreed",
            "unchecked": ["sorted"],
        }


async def test_an_error_is_unverified():
    async with rig(YAML) as waggle:
        waggle.engine.plan_runs.head_start_seconds = 60.0
        answer = await waggle.chat("Generate 100 ages from N(150, 10), clipped to 0-100")
        assert answer.status == 422
        assert answer.headers["x-waggle-verified"] == "unverified"
        waggle.engine.plan_runs.head_start_seconds = 0.0
        early = await waggle.chat(
            "Generate 100 ages from N(150, 10), clipped to 0-100", stream=True
        )
        assert early.status == 200
        assert early.events[-1]["error"]["code"] == answer.error["code"]
        assert early.events[-1]["waggle"]["verified"]["level"] == "unverified"


async def test_an_answer_that_was_not_computed_has_no_level():
    async with rig(YAML) as waggle:
        answer = await waggle.chat('2 users {"name": "string"}', headers=EXPLAIN)
        assert "x-waggle-verified" not in answer.headers
        assert "verified" not in answer.json["waggle"]
        assert "level" not in request_row(waggle.journal.traces[-1])


async def test_each_line_of_a_batch_has_its_level(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"prompt": MEAN}) + "\n")
    async with rig(YAML) as waggle:
        give(waggle, "rerun", "sorted")
        arguments = ["batch", str(source), str(target), "--url", waggle.url]
        done = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        assert json.loads(target.read_text())["verified"] == "rerun; unchecked: sorted"
        assert "1 of them are computed but not proven: see their `verified`." in done.output


@pytest.mark.parametrize("head_start_seconds", [0.0, 60.0])
async def test_the_command_ask_shows_the_level(head_start_seconds: float):
    async with rig(YAML) as waggle:
        waggle.engine.plan_runs.head_start_seconds = head_start_seconds
        give(waggle, "rerun", "[bold]sorted")
        arguments = ["ask", MEAN, "--url", waggle.url]
        done = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        assert "verified: rerun; unchecked: [bold]sorted" in " ".join(done.output.split())


@pytest.mark.parametrize(("prompts", "parts"), [(False, None), (True, UNCHECKED)])
async def test_a_row_counts_the_unchecked_parts_and_quotes_them_only_with_prompts(prompts, parts):
    config = pyyaml.safe_load(YAML) | {"telemetry": {"prompts": prompts}}
    async with rig(pyyaml.safe_dump(config)) as waggle:
        give(waggle, "rerun", *UNCHECKED)
        await waggle.chat(MEAN)
        row = request_row(waggle.journal.traces[-1])
        assert (row["level"], row["unchecked"]) == ("rerun", 2)
        assert row.get("unchecked_parts") == parts
        assert ("at least 3" in json.dumps(row)) is prompts


@pytest.mark.parametrize(
    ("level", "teaches"),
    [("spec", True), ("agreed", True), ("rerun", False), ("unverified", False), ("sure", False)],
)
async def test_only_a_proven_answer_counts_as_quality(level: str, teaches: bool):
    """The check of JSON would give a score too: the form of an unproven answer says nothing."""
    async with rig(YAML) as waggle:
        give(waggle, level)
        answer = await waggle.chat(MEAN, response_format={"type": "json_object"})
        assert answer.status == 200
        await waggle.engine.assessor.idle()
        signals = {signal.metric for signal in waggle.journal.signals}
        assert signals == ({"verification", "json"} if teaches else set())


async def test_an_answer_in_words_to_what_a_plan_could_not_compute_is_unverified():
    async with ScriptedAuthor("Bees dance.").listening() as up:
        config = with_author(up.url, authors=["synthesis"], fallback=["coder"])
        async with rig(config) as waggle:
            answer = await waggle.chat("Why do bees dance?", model="compute", headers=EXPLAIN)
            assert answer.status == 200
            assert answer.headers["x-waggle-verified"] == "unverified"


async def test_what_a_later_step_makes_of_a_proven_answer_is_unverified():
    async with ScriptedAuthor("The mean is about 4.").listening() as up:
        config = pyyaml.safe_load(YAML)
        config["backends"]["m"] = {"kind": "openai", "base_url": up.url}
        config["plans"] |= {"spoken": {"pipeline": ["compute", {"ask": "m"}]}}
        async with rig(pyyaml.safe_dump(config)) as waggle:
            answer = await waggle.chat(MEAN, model="spoken", headers=EXPLAIN)
            assert content(answer) == "The mean is about 4."
            assert answer.headers["x-waggle-verified"] == "unverified"
            assert answer.json["waggle"]["computed"]["level"] == "unverified"
            assert not waggle.journal.signals
