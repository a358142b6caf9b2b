"""`waggle evaluate` through a running service: scores, costs, budgets, and kills."""

import asyncio
import json
import math
import os
import signal
import sys

import pytest
import yaml
from typer.testing import CliRunner

from router.cli.main import app
from router.outcomes.files import read_rows
from tests.router.scripted import ScriptedModel, planned
from tests.upstream import completion
from tests.waiting import until

PLANS = {"right": {"ask": "a"}, "wrong": {"ask": "b"}}


def last_word(fields):
    return fields["messages"][-1]["content"].split()[-1]


def write_questions(tmp_path, count=4):
    path = tmp_path / "questions.jsonl"
    rows = [{"prompt": f"Repeat {n}", "expected": n, "task": "echo"} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def configured(tmp_path, waggle):
    """The configuration of this service as a file, which the command reads for names and prices."""
    path = tmp_path / "waggle.yaml"
    content = waggle.engine.config.model_dump(mode="json", exclude_defaults=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


async def run(tmp_path, waggle, *args):
    given = ["-c", configured(tmp_path, waggle), "--data", tmp_path / "var", "--url", waggle.url]
    arguments = ["evaluate", *map(str, (*args, *given))]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


async def test_plans_are_compared_and_the_table_teaches_the_learner(tmp_path):
    source, target = write_questions(tmp_path), tmp_path / "out.parquet"
    models = {"a": ScriptedModel(last_word), "b": ScriptedModel("no idea")}
    async with planned(PLANS, **models) as waggle:
        done = await run(tmp_path, waggle, source, "--check", "number", "-o", target)
        assert done.exit_code == 0, done.output
        table = " ".join(done.stdout.split())
        assert "right 1.000 (0.51-1.00)" in table
        assert "wrong 0.000 (0.00-0.49)" in table
        rows = read_rows(target)
        assert [(row["plan"], row["score"]) for row in rows[:2]] == [("right", 1.0), ("wrong", 0.0)]
        assert {row["task"] for row in rows} == {"echo"}
        assert all(row["cost_usd"] > 0 and row["latency_s"] > 0 for row in rows)
        assert {row["output_tokens"] for row in rows} == {50}
        assert {trace.request.task for trace in waggle.journal.traces} == {"echo"}
    warmed = CliRunner().invoke(
        app,
        [
            *("warm", str(target), "-c", str(tmp_path / "waggle.yaml")),
            *("--data", str(tmp_path / "var")),
        ],
    )
    assert "4 prompts with 8 scores" in warmed.output, warmed.output


async def test_a_judge_is_asked_through_the_service_and_its_cost_is_told(tmp_path):
    source = tmp_path / "questions.csv"
    source.write_text("id,prompt\n1,Write a poem\n")
    judge = ScriptedModel('{"score": 0.75, "problems": "no rhyme"}')
    async with planned({"p": {"ask": "a"}}, a=ScriptedModel("roses"), j=judge) as waggle:
        out = tmp_path / "out.csv"
        done = await run(tmp_path, waggle, source, "--judge", "j", "-o", out, "--json")
        assert done.exit_code == 0, done.output
        (plan,) = json.loads(done.stdout)
        assert plan["quality"]["mean"] == 0.75
        (row,) = read_rows(out)
        assert (row["score"], row["scored_by"], row["reason"]) == ("0.75", "judge j", "no rhyme")
        assert "roses" in judge.last


async def test_it_refuses_before_it_starts_if_the_expected_cost_passes_the_budget(tmp_path):
    models = {"a": ScriptedModel(), "b": ScriptedModel()}
    async with planned(PLANS, **models) as waggle:
        source = write_questions(tmp_path)
        options = ("--check", "number", "-o", tmp_path / "out.parquet", "--budget", "0.0001")
        done = await run(tmp_path, waggle, source, *options)
        assert done.exit_code == 1
        assert "passes the budget of $0.0001" in " ".join(done.output.split())
        assert not waggle.journal.traces


class Chatty(ScriptedModel):
    """A model whose answers are far longer than a plan is expected to give."""

    async def __call__(self, wire):
        usage = {"prompt_tokens": 10, "completion_tokens": 5_000, "total_tokens": 5_010}
        await wire.json(completion("1") | {"usage": usage})


async def test_it_stops_when_the_budget_is_spent_and_names_what_was_left_out(tmp_path):
    async with planned({"p": {"ask": "a"}}, a=Chatty()) as waggle:
        source, out = write_questions(tmp_path, 20), tmp_path / "out.jsonl"
        options = ("--check", "number", "-o", out, "--concurrency", "1", "--budget")
        done = await run(tmp_path, waggle, source, *options, "0.02")
        output = " ".join(done.output.split())
        assert done.exit_code == 1
        assert "would pass the budget of $0.02: p 16, from row-5 on" in output
        rows = read_rows(out)
        assert 0.02 <= sum(row["cost_usd"] for row in rows) < 0.0251
        assert len(rows) == len(waggle.journal.traces) == 4
        refused = await run(tmp_path, waggle, write_questions(tmp_path, 25), *options, "9")
        assert refused.exit_code == 2
        assert "answers to other questions" in " ".join(refused.output.split())


async def test_a_plan_that_refuses_a_question_has_no_score_and_is_told(tmp_path):
    plans = {"p": {"ask": "a"}, "compute": {"code": "box"}}
    more = {"box": {"kind": "sandbox"}}
    async with planned(plans, more, a=ScriptedModel("4.5")) as waggle:
        source = tmp_path / "q.jsonl"
        prompts = ["the mean of 3, 6 and 4.5", "Write a poem about the sea"]
        source.write_text("".join(json.dumps({"prompt": p}) + "\n" for p in prompts))
        out = tmp_path / "out.jsonl"
        done = await run(tmp_path, waggle, source, "--check", "computed", "-o", out)
        assert done.exit_code == 0, done.output
        assert "1 refused" in " ".join(done.stdout.split())
        scores = [(row["plan"], row["score"], row["reason"]) for row in read_rows(out)]
        assert scores[0] == ("p", 1.0, "1 of 1 computed figures")
        assert scores[2] == ("p", None, "the sandbox proved no answer")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--plans", "gold"), "--plans gold: the plans are right, wrong"),
        (("--judge", "gold"), "--judge gold: there is no such plan or backend"),
        (("--check", "gold"), "--check gold: the checks are exact"),
        (("--check", "computed"), "needs a plan that computes"),
        (("-o", "x.txt"), "must end in .csv"),
        ((), "has no check: give --judge"),
    ],
)
async def test_a_wrong_option_is_refused_with_what_there_is(tmp_path, options, says):
    models = {"a": ScriptedModel(), "b": ScriptedModel()}
    async with planned(PLANS, **models) as waggle:
        done = await run(tmp_path, waggle, write_questions(tmp_path), *options)
        assert done.exit_code == 2
        assert says in " ".join(done.output.split())
        assert not waggle.journal.traces


def answers_in(ledger):
    return ledger.read_bytes().count(b'"answer":') if ledger.exists() else 0


@pytest.mark.slow
async def test_killed_in_the_middle_and_run_again_it_pays_for_no_kept_answer_twice(tmp_path):
    source, out = write_questions(tmp_path, 100), tmp_path / "out.parquet"
    ledger = out.with_name("out.parquet.answers")
    model = ScriptedModel(last_word)
    async with planned({"p": {"ask": "a"}}, a=model) as waggle:
        start = "from router.cli.main import main; main()"
        options = ["--check", "number", "-o", out, "--concurrency", 4, "--url", waggle.url]
        options += ["-c", configured(tmp_path, waggle), "--data", tmp_path / "var"]
        command = [sys.executable, "-c", start, "evaluate", source, *options]
        for ends_by in (signal.SIGKILL, signal.SIGINT):
            # The model holds what is asked later, so neither process reaches its end.
            model.holds_after, least = len(model.requests) + 30, answers_in(ledger) + 30
            process = await asyncio.create_subprocess_exec(
                *map(str, command),
                stderr=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
            )
            await until(lambda least=least: answers_in(ledger) >= least)
            os.kill(process.pid, ends_by)
            model.holds_after = math.inf
            assert await process.wait() == (-9 if ends_by == signal.SIGKILL else 130)
            if ends_by == signal.SIGINT:  # the answers under way were waited for
                assert len(read_rows(out)) == answers_in(ledger)
        kept = answers_in(ledger)
        asked_before = len(model.requests)
        assert 0 < kept < 100
        assert asked_before - kept <= 4  # only what was under way at the kill was lost
        done = await run(tmp_path, waggle, source, *options[:6])
        assert done.exit_code == 0, done.output
        assert len(model.requests) - asked_before == 100 - kept
        rows = read_rows(out)
        assert sorted(int(row["prompt_id"].removeprefix("row-")) for row in rows) == [
            *range(1, 101)
        ]
        assert {row["score"] for row in rows} == {1.0}
