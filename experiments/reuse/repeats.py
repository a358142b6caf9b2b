"""Measures whether records that are asked for again and again are new each time.

`waggle batch` sends the same request a hundred times, half of them to each of two routers that
share one memory. Every answer passes the check of its schema. `kept` is what the operator's
`reuse.keep` says: `all` keeps every answer, and tempts memory most. Drawn values are rounded, so
some of them are equal by chance; the answers as a whole differ.
"""

import asyncio
import json
import math
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import orjson
import yaml

from router.batches.jobs import BatchJob
from router.cli.batch_files import locked_output, read_jobs
from router.cli.batch_sending import BatchTally, PooledService, send_all
from router.config.load import EMBEDDED
from tests.rig import Rig, rig

REQUESTS, RECORDS = 100, 100
ASKS, VARIANTS = 400, 4
_SHAPE = {"name": "string", "email": "string", "city": "string", "age": "int 18..90"}
_LINES: dict[str, dict[str, Any]] = {
    "generate": {"model": "generate", "prompt": f"{RECORDS} customers {json.dumps(_SHAPE)}"},
    "records": {"model": "records", "prompt": f"{RECORDS} customers {json.dumps(_SHAPE)}"},
    "auto": {"prompt": f"{RECORDS} customers", "shape": _SHAPE},
    "drawn": {
        "prompt": f"Generate {RECORDS} values from a normal distribution with mean 5 and sd 2"
    },
}


def measured() -> dict[str, Any]:
    return asyncio.run(_measured())


async def _measured() -> dict[str, Any]:
    batches = [
        await _batch(name, line, kept)
        for name, line in _LINES.items()
        for kept in ("proven", "all")
    ]
    return {"batches": batches, "cache": await _cache()}


@asynccontextmanager
async def _routers(folder: Path, kept: str) -> AsyncIterator[list[Rig]]:
    """Two routers with the embedded default configuration and one memory."""
    settings = yaml.safe_load(EMBEDDED.read_text())
    settings["server"] = {"data": str(folder)}
    settings["reuse"]["keep"] = kept
    async with AsyncExitStack() as stack:
        text = yaml.safe_dump(settings)
        yield [await stack.enter_async_context(rig(text, name=name)) for name in ("r1", "r2")]


async def _batch(name: str, line: dict[str, Any], kept: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = folder / "requests.jsonl"
        source.write_text(f"{json.dumps(line)}\n" * REQUESTS)
        jobs = read_jobs(source, "auto")
        async with _routers(folder, kept) as routers:
            answers = await _sent(routers, jobs, folder)
    records = [orjson.dumps(record) for answer in answers for record in _records(answer)]
    return {
        "batch": name,
        "kept": kept,
        "requests": len(answers),
        "records": len(records),
        "distinct_records": len(set(records)),
        "distinct_answers": len(set(answers)),
    }


async def _sent(routers: Sequence[Rig], jobs: Sequence[BatchJob], folder: Path) -> list[str]:
    """Send the jobs in rounds, so that memory has time to learn from the earlier answers."""
    rounds = [jobs[at : at + REQUESTS // 10] for at in range(0, len(jobs), REQUESTS // 10)]
    target = folder / "answers.jsonl"
    with locked_output(target) as output:
        for part, router in zip(rounds, cycle(routers), strict=False):
            tally, service = BatchTally(), PooledService(router.url, "")
            await send_all(service, part, output, tally, 4, max_cost_usd=None)
            await router.engine.assessor.idle()
    lines = [orjson.loads(line) for line in target.read_bytes().splitlines()]
    bodies = [line["response"]["body"] for line in lines]
    return [body["choices"][0]["message"]["content"] for body in bodies]


def _records(answer: str) -> list[Any]:
    """The records of an answer; figures by column are taken apart."""
    content = orjson.loads(answer)
    if isinstance(content, dict):
        return [dict(zip(content, row, strict=True)) for row in zip(*content.values(), strict=True)]
    return list(content)


async def _cache() -> dict[str, Any]:
    """How evenly a shape with `$cache` is answered, by both routers at once."""
    body = {
        "model": "generate",
        "shape": {"$cache": VARIANTS, **_SHAPE},
        "messages": [{"role": "user", "content": "a customer"}],
    }
    with tempfile.TemporaryDirectory() as scratch:
        async with _routers(Path(scratch), "all") as routers:
            replies = [
                await asyncio.gather(
                    *(router.post("/v1/chat/completions", body) for router in routers)
                )
                for _ in range(ASKS // len(routers))
            ]
    answers = [reply.json["choices"][0]["message"]["content"] for pair in replies for reply in pair]
    counts = sorted(Counter(answers).values())
    share = 1 / VARIANTS
    sigma = math.sqrt(ASKS * share * (1 - share))
    most = max(abs(count - ASKS * share) for count in counts) / sigma
    return {
        "asks": len(answers),
        "variants": len(counts),
        "counts": counts,
        "sigmas": round(most, 2),
    }
