"""A killed process of the service is replaced, and callers do not notice."""

import asyncio
import json
import os
import signal
import threading

import aiohttp
import pytest

from router.deployment.processes import born
from tests.router.test_local import made
from tests.serve.running import COMPUTE, HI, MEAN, SANDBOX, Load, configuration
from tests.waiting import until

pytestmark = pytest.mark.ray

STEPS = """  g: {{kind: generator}}
  e: {{kind: enricher}}
  v: {{kind: validator, repair: true}}
  mine:
    kind: local
    device: cpu
    models: {{tiny: {tiny}, other: {other}}}
"""
RECORDS = "  records: {pipeline: [{ask: g, fields: anchors}, e, v]}\n"
SHAPE = {"name": "string", "email": "email", "city": "string", "country": "string"}


@pytest.mark.parametrize("part", ["waggle-shared-network", "ServeReplica:waggle:router", "hive"])
async def test_a_replica_killed_under_load_is_not_noticed(service, part):
    async with Load(service) as load:
        victim = service.processes(part)[0]
        os.kill(victim, signal.SIGKILL)
        await load.more(60)
        await service.replaced(part, [victim])
        await load.more(60)
    load.assert_nobody_noticed()


async def test_haproxy_killed_is_replaced_at_once_by_another_one(service):
    """Only requests on the dead HAProxy's connections fail, and those that come before the other
    one listens: far fewer than in the three seconds in which Ray replaces its HAProxy."""
    async with Load(service) as load:
        killed = service.kill("bin/haproxy")
        await until(lambda: service.processes("ingress/haproxy.cfg"))
        await load.more(60)
        await until(lambda: set(service.processes("/h/")) - set(killed))
        await until(lambda: not service.processes("ingress/haproxy.cfg"))
        await load.more(60)
    assert load.statuses[-60:] == [200] * 60
    assert "HAProxy ended; another one serves on" in service.log

    def event() -> bool:
        sql = "select state, detail from events where kind = 'service' and subject = 'ingress'"
        return any(row["state"] == "replaced" for row in service.query(sql))

    await until(event)


async def test_haproxys_manager_killed_under_load_is_not_noticed(service):
    async with Load(service) as load:
        killed = service.kill("ray::HAProxyManager")
        await load.more(60)
        await service.replaced("ray::HAProxyManager", killed)
        await load.more(60)
    load.assert_nobody_noticed()


@pytest.mark.slow
async def test_a_lost_cluster_comes_back_as_it_was_deployed_and_no_row_is_lost(service, upstream):
    """Nobody replaces a raylet that was killed; so the command starts the cluster again."""
    plans = "  deployed_last: {ask: a}\n"
    await service.reload(configuration(upstream.url, plans=plans))
    before = len(service.log)

    async def health() -> dict:
        try:
            return (await service.get("/health/ready")).json
        except aiohttp.ClientError:
            return {}

    async with Load(service) as load:
        service.kill("raylet/raylet")

        async def says_restarting() -> bool:
            state = await health()
            return state.get("status") == "restarting" and any(state.get("reasons", ()))

        await until(says_restarting, 150)
        await until(lambda: "The service is back after" in service.log[before:], 150)
        await load.more(60)
    assert load.statuses[-20:] == [200] * 20
    assert "Starting again" in service.log[before:]
    assert "deployed_last" in (await health())["plans"]
    assert "ready" in await service.run_beside("status")
    acknowledged = {i for i, s in zip(load.ids, load.statuses, strict=True) if s == 200}

    def is_written() -> bool:
        rows = {row["request_id"] for row in service.query("select request_id from requests")}
        sql = "select state, detail->>'reason' as why from events where subject = 'cluster'"
        events = {row["state"] for row in service.query(sql) if row["why"]}
        return acknowledged <= rows and {"lost", "restarted"} <= events

    await until(is_written)


async def test_a_client_that_hangs_up_at_the_ingress_cancels_the_call_upstream(service, upstream):
    begun, ended = threading.Event(), threading.Event()

    async def until_closed(wire):
        begun.set()
        await wire.reader.read()
        ended.set()
        raise ConnectionError

    usual, upstream.script = upstream.script, until_closed
    try:
        asking = asyncio.create_task(service.chat())
        assert await asyncio.to_thread(begun.wait, 60)
        asking.cancel()
        assert await asyncio.to_thread(ended.wait, 60)
    finally:
        upstream.script = usual


async def test_the_keeper_killed_under_load_comes_back_and_no_row_is_lost(service):
    async with Load(service) as load:
        victims = service.kill("router.telemetry.keeper")
        assert len(victims) == 1
        await service.replaced("router.telemetry.keeper", victims)
        await load.more(50)
    rows = service.query("select request_id from requests")
    assert set(load.ids) <= {row["request_id"] for row in rows}
    load.assert_nobody_noticed()


@pytest.mark.slow
async def test_the_learner_killed_under_load_fails_nobody_and_remembers(service):
    async def report_after(least):
        async def report():
            answer = await service.get("/v1/learner")
            return answer.status == 200 and answer.json.get("learned", -1) >= least and answer.json

        return await until(report)

    before = (await report_after(0))["learned"]
    for n in range(10):
        answer = await service.chat(headers={"x-session-id": f"taught-{n}"})
        score = {"request_id": answer.headers["x-waggle-request-id"], "score": 0.7}
        assert (await service.post("/v1/feedback", score)).status == 200
    learned = await report_after(before + 10)
    (row,) = (row for row in learned["kinds"][0]["plans"] if row["plan"] == "fast")
    assert row["judged"] >= 10
    async with Load(service) as load:
        assert len(service.kill("ServeReplica:waggle:learner")) == 1
        await load.more(100)
        again = await report_after(before + 10)
    load.assert_nobody_noticed()
    assert again["learned"] == learned["learned"]
    assert "judged answers" in await service.run_beside("scores")


@pytest.mark.slow
async def test_plans_run_deployed_and_a_step_that_is_killed_is_not_noticed(
    service, upstream, tmp_path
):
    folders = {name: made(tmp_path / name, seed) for seed, name in enumerate(("tiny", "other"))}
    backends = STEPS.format(**folders)
    await service.reload(configuration(upstream.url, backends=backends, plans=RECORDS))
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    body = {"messages": HI, "shape": SHAPE}
    lines = (json.dumps({"custom_id": f"r{n}", "body": body | {"seed": n}}) for n in range(400))
    source.write_text("\n".join(lines))
    batch = asyncio.create_task(
        service.run_beside("batch", str(source), str(target), "--plan", "records")
    )
    await until(lambda: target.exists() and target.stat().st_size >= 20_000)
    service.kill("ServeReplica:waggle-shared-programs")
    await batch
    results = [json.loads(line) for line in target.read_text().splitlines()]
    assert len({result["custom_id"] for result in results}) == len(results) == 400
    assert all(result["error"] is None and "partial" not in result for result in results)
    models = []
    for model in ("tiny", "other", "tiny"):  # Serve swaps the models in memory
        models.append((await service.chat(model=model, max_tokens=2)).json["model"])
    assert models == ["tiny", "other", "tiny"]

    def steps() -> bool:
        rows = service.query(
            "select backend, role, parent, count(distinct request_id) as n,"
            " max(swap_ms) > 0 as swapped from attempts"
            " where backend in ('e', 'mine') and error_type is null group by all"
        )
        step = {"backend": "e", "role": "pipeline.1", "parent": 1, "n": 400, "swapped": None}
        own = {"backend": "mine", "role": None, "parent": None, "n": 3, "swapped": True}
        return step in rows and own in rows

    await until(steps)


@pytest.mark.slow
async def test_programs_go_on_though_the_sandbox_is_killed(service, upstream):
    """The test kills the zygotes, then their replica: all callers are answered, no process is
    left."""
    await service.reload(configuration(upstream.url, backends=SANDBOX, plans=COMPUTE))

    async def computed() -> str:
        answer = await service.chat(MEAN)
        assert answer.status == 200, answer.json
        return answer.text

    assert await computed() == '{"mean":3.0}'
    for part in ("sandbox.cell.nursery", "ServeReplica:waggle-shared-programs"):
        killed = service.kill(part)
        answers = await asyncio.gather(*(computed() for _ in range(20)))
        assert set(answers) == {'{"mean":3.0}'}
        await until(lambda pids=tuple(killed): not any(map(born, pids)))
