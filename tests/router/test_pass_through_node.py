"""The official Node client completes, draws, speaks, listens, and has batches answered."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.rig import rig
from tests.router.test_pass_through import AUDIO, TEXT, script
from tests.upstream import Upstream, completion

NODE = Path(__file__).parents[1] / "node"


async def _script(wire):
    if wire.path.endswith("/chat/completions"):
        await wire.json(completion("hello"))
    else:
        await script(wire)


def _install() -> None:
    if shutil.which("npm") is None:
        pytest.skip("no node on this machine")
    if not (NODE / "node_modules" / "openai").is_dir():
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=NODE, check=True, capture_output=True, timeout=200)


async def test_the_official_node_client_works_against_it(tmp_path):
    await asyncio.to_thread(_install)
    async with Upstream(_script).listening() as up:
        settings = yaml.safe_load(TEXT.format(url=up.url)) | {"server": {"data": str(tmp_path)}}
        async with rig(yaml.safe_dump(settings)) as r:
            working = asyncio.ensure_future(r.router.batches.keep_working())
            process = await asyncio.create_subprocess_exec(
                "node", "passed.mjs", r.url,
                cwd=NODE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            try:
                async with asyncio.timeout(120):
                    output, errors = await process.communicate()
            finally:
                working.cancel()
                await r.router.batches.close()
    assert process.returncode == 0, errors.decode()
    assert json.loads(output) == {
        "completion": "a dance",
        "stream": "one two",
        "flagged": False,
        "images": ["AAAA", "BBBB"],
        "edited": 2,
        "speech": len(AUDIO),
        "heard": "Bees dance.",
        "answer": "hello",
        "listed": ["batch", "batch_output"],
    }
