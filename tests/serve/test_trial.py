"""A routing function goes through a trial on a deployed service."""

import contextlib

import duckdb
import pytest

from tests.serve.running import configuration
from tests.waiting import until

pytestmark = [pytest.mark.ray, pytest.mark.slow]

ROUTE = """\
def route(request, scores, similar):
    return "other" if request["task"] == "hard" else "fast"
"""


async def _headers_once(service, task, **wanted):
    """Send requests until an answer has these headers. Routers hear of a change within a second."""

    async def headers():
        answer = await service.chat(headers={"x-waggle-task": task})
        assert answer.status == 200
        given = {name: answer.headers.get(f"x-waggle-{name}") for name in wanted}
        return answer.headers if given == wanted else None

    return await until(headers)


async def test_a_function_is_tried_adopted_and_rolled_back_and_survives_the_learner(
    service, upstream, tmp_path
):
    await service.reload(configuration(upstream.url, plans="  other: {ask: a}\n"))
    (tmp_path / "route.py").write_text(ROUTE)
    source = str(tmp_path / "route.py")
    run = service.run_beside
    await run("trial", "register", "mine", "--kind", "function", "--file", source)
    await run("trial", "new", "try-mine", "--candidate", "mine", "--split", "0.9")
    headers = await _headers_once(service, "hard", experiment="try-mine:candidate", plan="other")
    assert headers["x-waggle-strategy"] == "function"
    assert headers["x-waggle-propensity"] == "0.9"
    await run("trial", "adopt", "try-mine", "--at-once")
    await _headers_once(service, "hard", experiment="try-mine:candidate", plan="other")
    service.kill("learner")
    await _headers_once(service, "easy", experiment="try-mine:candidate", plan="fast")
    assert "mine@1 serves, held against ladder" in await run("trial", "list")
    assert "mine@1" in await run("routes", "log")
    await run("trial", "rollback")
    await _headers_once(service, "hard", experiment="none", strategy="ladder")

    def is_recorded():
        """Whether the learner that replaced the killed learner has recorded the rollback."""
        with contextlib.suppress(duckdb.Error):
            rows = service.query("select state from trial_history order by ts")
            return bool(rows) and rows[-1]["state"] == "rolled back"

    await until(is_recorded)
    sides = service.query("from trial_results('try-mine')")
    assert {row["variant"] for row in sides} <= {"candidate", "current"}
