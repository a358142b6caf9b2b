"""`waggle batch` answers every line exactly once, even after kills and failures."""

import asyncio
import json
import math
import os
import signal
import sys

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from tests.router.scripted import ScriptedModel, planned
from tests.waiting import until


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def written(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


async def run(waggle, *args):
    arguments = ["batch", *map(str, args), "--url", waggle.url]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


async def test_each_line_is_sent_and_its_answer_carries_its_id(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    requests = [
        {"prompt": "one"},
        {"custom_id": "b", "body": {"messages": [{"role": "user", "content": "two"}]}},
        {"messages": [{"role": "user", "content": "three"}], "model": "a", "temperature": 0.5},
    ]
    source.write_text("\n".join(map(json.dumps, requests)) + "\n\n")
    echo = ScriptedModel(lambda fields: fields["messages"][-1]["content"].upper())
    async with planned({"p": {"ask": "a"}}, a=echo) as waggle:
        done = await run(waggle, source, target, "--plan", "p")
        assert done.exit_code == 0, done.output
        answers = {
            line["custom_id"]: line["response"]["body"]["choices"][0]["message"]["content"]
            for line in lines(target)
        }
        assert answers == {"line-1": "ONE", "b": "TWO", "line-3": "THREE"}
        assert all(line["cost_usd"] > 0 and line["error"] is None for line in lines(target))
        assert "3 of 3 answered" in done.output
        assert {f["model"] for f in echo.requests} == {"up-1"}
        assert [f.get("temperature") for f in echo.requests].count(0.5) == 1


async def test_an_answered_line_is_not_sent_again_and_a_torn_line_is(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps({"prompt": f"p{n}"}) + "\n" for n in range(6)))
    model = ScriptedModel("x")
    async with planned({"p": {"ask": "a"}}, a=model) as waggle:
        await run(waggle, source, target)
        raw = target.read_bytes()
        target.write_bytes(raw[: len(raw) - 40])
        model.requests.clear()
        done = await run(waggle, source, target)
        assert "5 of 6 were answered before" in done.output
        assert len(model.requests) == 1
        assert sorted(line["custom_id"] for line in lines(target)) == [
            f"line-{n}" for n in range(1, 7)
        ]


async def test_a_refusal_is_an_answer_and_a_failure_is_tried_again_later(tmp_path, monkeypatch):
    monkeypatch.setattr("router.batches.asking.LONGEST_WAIT_SECONDS", 0.01)
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"prompt": "a"}\n{"prompt": "b", "model": "nobody"}\n')
    model = ScriptedModel(status=500)
    async with planned({"p": {"ask": "a"}}, a=model) as waggle:
        done = await run(waggle, source, target)
        assert done.exit_code == 1
        assert "run the same command again" in " ".join(done.output.split())
        (refused,) = lines(target)
        assert refused["custom_id"] == "line-2"
        assert refused["response"]["status_code"] == 404
        assert "nobody" in refused["error"]["message"]
        waggle.engine.tries.resting.clear()
        waggle.backends.hosts["a"].breaker.succeeded()
        model.status = 200
        assert (await run(waggle, source, target)).exit_code == 0
        assert len(lines(target)) == 2


async def test_a_ceiling_on_the_cost_of_the_batch_stops_it_in_time(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps({"prompt": f"p{n}"}) + "\n" for n in range(20)))
    async with planned({"p": {"ask": "a"}}, a=ScriptedModel()) as waggle:
        done = await run(waggle, source, target, "--max-cost", "0.0005", "--concurrency", "1")
        assert done.exit_code == 1
        assert "are spent" in done.output
        assert len(lines(target)) == 4  # at $0.00015 a line, the fourth passes the maximum


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no request"),
        ("not json\n", "in.jsonl:1: this is not JSON"),
        ('{"prompt": "x"}\n[1]\n', "in.jsonl:2: a line must be a JSON object"),
        ('{"prompt": 3}\n', "prompt = 3 must be a text"),
        ('{"x": 3}\n', '"prompt", "messages" or "body"'),
        ('{"prompt": "x", "custom_id": 7}\n', "custom_id = 7 must be a text"),
        ('{"prompt": "x", "custom_id": "a"}\n' * 2, "stands in line 1 as well"),
        ('{"url": "/v1/sql", "body": {}}\n', "a batch sends only /v1/chat/completions, "),
    ],
)
def test_a_file_with_a_mistake_is_refused_before_anything_is_sent(tmp_path, text, reason):
    source = tmp_path / "in.jsonl"
    source.write_text(text)
    url = ["--url", "http://127.0.0.1:9"]
    done = CliRunner().invoke(app, ["batch", str(source), str(tmp_path / "out.jsonl"), *url])
    assert done.exit_code == 2
    assert reason in " ".join(done.output.split())


def test_a_file_that_is_no_output_of_a_batch_is_never_touched(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"prompt": "x"}\n')
    target.write_text("my diary\n")
    url = ["--url", "http://127.0.0.1:9"]
    done = CliRunner().invoke(app, ["batch", str(source), str(target), *url])
    assert done.exit_code == 2
    assert target.read_text() == "my diary\n"
    target.write_text('{"custom_id": "other"}\n')
    done = CliRunner().invoke(app, ["batch", str(source), str(target), *url])
    assert "has not: other" in " ".join(done.output.split())


async def test_killed_in_the_middle_and_started_again_every_line_is_answered_once(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps({"prompt": f"p{n}"}) + "\n" for n in range(300)))
    model = ScriptedModel("x")
    async with planned({"p": {"ask": "a"}}, a=model) as waggle:
        start = "from router.cli.main import main; main()"
        command = [sys.executable, "-c", start, "batch", str(source), str(target)]
        for _ in range(3):  # the model holds what is asked later, so no process reaches its end
            least = written(target) + 10
            model.holds_after = len(model.requests) + 40
            process = await asyncio.create_subprocess_exec(
                *command, "--url", waggle.url, stderr=asyncio.subprocess.DEVNULL
            )
            await until(lambda least=least: written(target) >= least)
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
        model.holds_after = math.inf
        assert 0 < written(target) < 300
        assert (await run(waggle, source, target)).exit_code == 0
        ids = [line["custom_id"] for line in lines(target)]
        assert len(ids) == len(set(ids)) == 300
