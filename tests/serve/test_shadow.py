"""A deployed service in the shadow tells what `auto` would do, and its switch outlives kills."""

import contextlib

import duckdb
import pytest

from tests.serve.running import end_hard, own_service
from tests.waiting import until

pytestmark = pytest.mark.ray

YAML = """
backends:
  a: {{kind: openai, base_url: "{url}", model: small, price: {{input: 0.1, output: 0.2}}}}
  b: {{kind: openai, base_url: "{url}", model: large, price: {{input: 20, output: 60}}}}
plans: {{cheap: {{ask: a}}, dear: {{ask: b}}}}
objective: {{strategy: bandit, start: shadow}}
"""


async def _plan_becomes(service, plan):
    """Name `large` until this plan answers. Routers hear of a switch within a second."""

    async def answers():
        answer = await service.chat(model="large")
        assert answer.status == 200, answer.json
        return answer.headers["x-waggle-plan"] == plan

    await until(answers)


async def test_a_switch_by_an_operator_outlives_kill_9_and_can_be_undone(upstream, tmp_path):
    with own_service(tmp_path, YAML.format(url=upstream.url)) as service:
        for n in range(12):
            answer = await service.chat(f"hi {n}", model="large")
            assert answer.headers["x-waggle-plan"] == "dear"
            given = {"score": 1, "request_id": answer.headers["x-waggle-request-id"]}
            assert (await service.post("/v1/feedback", given)).status == 200

        async def is_told():
            report = (await service.get("/v1/learner")).json
            standing = report.get("shadow", {})
            return report.get("learned") and standing.get("noted") == 12 and standing

        service.kill("learner")  # another process reads everything again
        standing = await until(is_told)
        assert standing["state"] == "shadow"
        assert "Foretold, not measured: `auto` would have saved about $" in standing["words"]
        assert "callers always name `dear`" in standing["words"]
        assert "objective.shadow_explore: 0.05" in standing["words"]
        report = await service.run_beside("report")
        assert "What auto would have saved" in report
        (row,) = service.query(
            "select named, auto_plan, count(*) n from shadow_requests group by all"
        )
        assert row == {"named": "dear", "auto_plan": "cheap", "n": 12}

        await service.run_beside("policy", "live")
        await _plan_becomes(service, "cheap")
        end_hard(service)
        service.start()
        await _plan_becomes(service, "cheap")
        by_header = await service.chat(headers={"x-llm-backend": "b"})
        assert by_header.headers["x-waggle-backend"] == "b"

        def switches():
            with contextlib.suppress(duckdb.Error):
                return service.query("select state from events where kind = 'switch' order by ts")

        assert switches() == [{"state": "live"}]
        await service.run_beside("policy", "shadow")
        await _plan_becomes(service, "dear")
        await until(lambda: len(switches() or ()) == 2)
        assert switches()[-1] == {"state": "in the shadow again"}
        done = service.run("policy", "shadow", check=False)
        assert done.returncode
        assert "in the shadow already" in done.stderr
