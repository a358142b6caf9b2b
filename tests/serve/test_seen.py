"""What operators and analysts see of a deployed service: dashboard, telemetry, feedback."""

import asyncio
import json
import os
import signal
import urllib.request
from pathlib import Path

import pytest

from dashboard.board import PAGES
from tests.dashboard.browser import CHROMIUM, Watched, chromium
from tests.serve.running import Load
from tests.waiting import blocking_until

pytestmark = pytest.mark.ray


@pytest.mark.slow
def test_the_dashboard_beside_it_shows_what_it_does_and_comes_back(service):
    url = json.loads(service.run("status", "--json").stdout)["dashboard"]
    assert url in service.log
    service.run("ask", "hi")
    blocking_until(lambda: _learning_page(url)["newest"] is not None)
    (pid,) = service.processes("-m dashboard")
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"WAGGLE_TOKEN" not in environment
    assert b"RAY_" not in environment
    if CHROMIUM is None:
        os.kill(pid, signal.SIGKILL)
    else:
        _watch_it_die_in_a_browser(url, pid)
    blocking_until(lambda: service.processes("-m dashboard") not in ([], [pid]))
    blocking_until(lambda: _learning_page(url)["state"] == "live")


def _watch_it_die_in_a_browser(url, pid):
    with chromium() as browser:
        seen = Watched(browser, url)
        for name in PAGES:
            seen.open(f"/{name}?last=1h")
            assert seen.page.locator("#state").inner_text() == "● live"
        seen.open("/system")
        assert "in force" in seen.page.locator("#panel-changed").inner_text()
        seen.open("/learning")
        assert seen.trouble == []
        os.kill(pid, signal.SIGKILL)
        seen.until("document.getElementById('state').textContent.includes('answer')")
        seen.until("document.getElementById('state').textContent === '● live'", 60)
        seen.close()
        assert seen.foreign == []


def _learning_page(url):
    try:
        with urllib.request.urlopen(f"{url}/data/learning?last=1h", timeout=10) as answer:
            return json.load(answer)
    except OSError:
        return {"newest": None, "state": "away"}


async def test_analysts_see_the_last_second_while_the_service_is_under_load(service):
    async with Load(service) as load:
        for _ in range(5):
            await load.more(10)
            before = list(load.ids)
            rows = await asyncio.to_thread(
                service.query,
                "select request_id, epoch(utc_now() - ts) as age from requests order by ts desc",
            )
            # The query sees every request that was answered before the query began.
            assert set(before) <= {row["request_id"] for row in rows}
            assert rows[0]["age"] < 1
            curve = await asyncio.to_thread(
                service.query, "from learning_curve(since := ago(interval 1 hour))"
            )
            # A new bucket may have begun.
            assert sum(bucket["n"] for bucket in curve) >= len(before)
    load.assert_nobody_noticed()


async def test_feedback_is_durable_and_counts_at_once(service):
    request_id = (await service.chat()).headers["x-waggle-request-id"]
    feedback = {"request_id": request_id, "score": 0.75, "comment": "nearly"}
    for new in (2, 0, 0):  # any router may get the feedback
        answer = await service.post("/v1/feedback", feedback)
        assert (answer.status, answer.json["new"]) == (200, new)
    (row,) = service.query(f"from explain('{request_id}')")
    assert (row["quality"], row["quality_source"]) == (0.75, "app")
    query = {"sql": f"select quality from requests where request_id = '{request_id}'"}
    assert (await service.post("/v1/sql", query)).json["rows"] == [[0.75]]


async def test_what_happened_is_on_disk_and_no_secret_or_prompt_is(service):
    async with Load(service) as load:
        await load.more(100)
    key = (await service.run_beside("keys", "new", "alice")).strip()
    answer = await service.chat(headers={"authorization": f"Bearer {key}"})
    rows = service.query("select * from requests")
    assert answer.headers["x-waggle-request-id"] in {row["request_id"] for row in rows}
    assert len(rows) > 100
    text = json.dumps(rows, default=str)
    assert '"content"' not in text
    assert "wg-" not in text
    assert not [row for row in rows if row["prompt"] or row["answer"]]
    events = service.query("select kind, count(*) as n from events group by kind")
    assert {"configuration", "router", "topology"} <= {row["kind"] for row in events}
