"""`kill -9` in the middle of a batch: each line is answered exactly once in the output."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager, suppress

import openai
import pytest

from router.batches.stored_files import FileStore
from router.config.batches import FileSettings
from tests.upstream import Upstream, completion
from tests.waiting import until

CHAT = "/v1/chat/completions"
LINES = 400
AT_ONCE = 4
TEXT = """
server: {{data: "{data}", batches: {{concurrency: 4}}}}
backends: {{up: {{kind: openai, base_url: "{url}", price: {{input: 1, output: 1}}}}}}
plans: {{p: {{ask: up}}}}
"""


class Counting:
    """A model server that counts how often each line was asked."""

    def __init__(self):
        self.times = {}

    async def __call__(self, wire):
        text = wire.fields["messages"][-1]["content"]
        self.times[text] = self.times.get(text, 0) + 1
        await wire.json(completion(text))


@asynccontextmanager
async def router(config):
    """A router as a process of its own; the kernel ends it like a power switch."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.batches.serving", str(config),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(120):
            url = (await process.stdout.readline()).decode().strip()
        async with openai.AsyncOpenAI(base_url=url + "/v1", api_key="x") as client:
            yield client
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def lines():
    for number in range(LINES):
        messages = [{"role": "user", "content": f"p{number}"}]
        body = {"model": "p", "messages": messages}
        yield json.dumps({"custom_id": f"c{number}", "method": "POST", "url": CHAT, "body": body})


@pytest.mark.parametrize("most_kills", [1, pytest.param(4, marks=pytest.mark.slow)])
async def test_killed_again_and_again_each_line_is_answered_exactly_once(tmp_path, most_kills):
    model, config = Counting(), tmp_path / "waggle.yaml"
    async with Upstream(model).listening() as up:
        config.write_text(TEXT.format(data=tmp_path, url=up.url))
        async with router(config) as c:
            content = "\n".join(lines()).encode()
            file = await c.files.create(file=("in.jsonl", content), purpose="batch")
            batch = await c.batches.create(
                input_file_id=file.id, endpoint=CHAT, completion_window="24h"
            )
            await until(lambda: len(model.times) > 20)
        kills = 1
        while (
            kills < most_kills
        ):  # with a second router, which goes on where the killed one stopped
            before = len(model.times)
            async with router(config):
                await until(lambda seen=before: len(model.times) > min(seen + 30, LINES - 1))
            kills += 1
        async with router(config) as c:

            async def completed():
                record = await c.batches.retrieve(batch.id)
                return record if record.status == "completed" else None

            record = await until(completed)
            output = await c.files.content(record.output_file_id)
    answered = [json.loads(line) for line in output.text.splitlines()]
    ids = [each["custom_id"] for each in answered]
    assert sorted(ids) == sorted(f"c{number}" for number in range(LINES))
    assert record.request_counts.completed == LINES
    assert record.error_file_id is None
    for each in answered:
        text = each["response"]["body"]["choices"][0]["message"]["content"]
        assert text == "p" + each["custom_id"][1:]
    again = sum(count - 1 for count in model.times.values())
    assert again <= kills * AT_ONCE  # only lines that were under way at a kill


@pytest.mark.slow
async def test_another_process_goes_on_when_the_owner_is_killed(tmp_path):
    model, config = Counting(), tmp_path / "waggle.yaml"
    async with Upstream(model).listening() as up:
        config.write_text(TEXT.format(data=tmp_path, url=up.url))
        async with router(config) as first:
            content = "\n".join(lines()).encode()
            file = await first.files.create(file=("in.jsonl", content), purpose="batch")
            batch = await first.batches.create(
                input_file_id=file.id, endpoint=CHAT, completion_window="24h"
            )
            second = router(config)
            c = await second.__aenter__()
            await until(lambda: len(model.times) > 10)
        try:

            async def completed():
                return (await c.batches.retrieve(batch.id)).status == "completed"

            await until(completed)
        finally:
            await second.__aexit__(None, None, None)
    assert sum(count - 1 for count in model.times.values()) <= AT_ONCE


def test_a_file_is_handed_over_once_however_often_a_kill_repeats_it(tmp_path):
    store, answers = FileStore(tmp_path / "files", FileSettings()), tmp_path / "output"
    answers.write_bytes(b"{}\n")
    record = store.record("file-1", 0, "out.jsonl", "batch_output", 1e9, None)
    store.adopt("key", answers, record)
    store.path("key", "file-1").with_suffix(".json").unlink()  # killed before the record
    for _ in range(2):
        store.adopt("key", answers, record)
        assert store.get("key", "file-1", now=1e9).bytes == 3
        assert store.path("key", "file-1").read_bytes() == b"{}\n"
