"""The sandbox as a backend of the router: a full queue, and closing."""

import asyncio
import contextlib
import os
import time
from pathlib import Path

import orjson
import pytest
import yaml as pyyaml

from router.backends.sandbox_backend import SandboxBackend
from router.config.backends import SandboxSettings
from router.deployment.processes import descendants
from router.domain import RUN, Call
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


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # The process has ended meanwhile.
        return b""


def sandboxes(library: str = "") -> list[int]:
    """The processes of sandboxes that this process started and that have loaded a library.

    A service that other tests share may run below this process, with sandboxes of its own.
    """
    services = {pid for pid in descendants(os.getpid()) if b"serve" in command_line(pid)}
    others = {pid for service in services for pid in descendants(service)}
    pids = []
    for pid in set(descendants(os.getpid())) - others:
        with contextlib.suppress(OSError):  # The process may have ended meanwhile.
            ours = b"sandbox.cell.nursery" in command_line(pid)
            if ours and library in Path(f"/proc/{pid}/maps").read_text():
                pids.append(pid)
    return pids


async def test_a_backend_that_closes_while_its_pool_opens_leaves_no_process():
    backend = SandboxBackend(SandboxSettings(kind="sandbox", ready=("numpy",)))
    await until(sandboxes)
    await backend.close()
    await until(lambda: not sandboxes())


@pytest.mark.slow
async def test_scipy_is_loaded_some_time_after_the_start_though_no_program_needed_it():
    settings = SandboxSettings(kind="sandbox", ready=("numpy",))
    backend = SandboxBackend(settings, settled_seconds=0.01)
    try:
        await until(lambda: sandboxes("scipy/stats"))
    finally:
        await backend.close()
    assert not sandboxes()


@pytest.mark.parametrize(
    ("source", "status", "result"),
    [
        ("result = 'word'", "ok", "word"),
        ("import numpy as np\nresult = [np.arange(3), np.nan]", "ok", [[0, 1, 2], None]),
        ("result = 10 ** 30", "ok", 1e30),
        ("result = 'x' * 1_000_000", "output_limit", None),
        ("import numpy as np\nresult = np.zeros((90_000_000, 0))", "output_limit", None),
        ("result = {}\nfor _ in range(99): result = {'a': result}", "error", None),
    ],
)
async def test_any_result_of_a_program_comes_back_as_json_or_by_its_status(source, status, result):
    backend = SandboxBackend(SandboxSettings(kind="sandbox", ready=("stdlib",)))
    try:
        call = Call(RUN, orjson.dumps({"source": source}), False, "id")
        async with backend.send(call) as reply:
            bodies = [piece async for piece in reply.body]
    finally:
        await backend.close()
    outcome = orjson.loads(b"".join(bodies))
    assert outcome["status"] == status
    assert outcome["result"] == result
