"""The sandbox as a backend of the router: a full queue, and closing."""

import asyncio
import contextlib
import os
import time
from pathlib import Path

import yaml as pyyaml

from router.backends.sandbox_backend import SandboxBackend
from router.config.backends import SandboxSettings
from router.deployment.processes import descendants
from tests.compute.computing import YAML
from tests.rig import rig
from tests.waiting import until


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


def numpy_zygotes() -> list[int]:
    """The zygotes that this process started and that load numpy."""
    pids = []
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):  # The process may have ended meanwhile.
            if b'"tier": "numpy"' in Path(f"/proc/{pid}/cmdline").read_bytes():
                pids.append(pid)
    return pids


async def test_a_backend_that_closes_while_its_pool_opens_leaves_no_zygote():
    backend = SandboxBackend(SandboxSettings(kind="sandbox", ready=("numpy",)))
    await until(numpy_zygotes)
    await backend.close()
    await until(lambda: not numpy_zygotes())
