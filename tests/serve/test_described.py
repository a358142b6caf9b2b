"""What a running service answers is what `/openapi.json` says."""

import json
from pathlib import Path

import aiohttp
import pytest

from router.version import version
from tests.described import check_answer, described
from tests.serve.running import HI
from tests.shipping.metrics import labels_of, metrics_of, queried
from tests.waiting import until

pytestmark = pytest.mark.ray
DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "waggle.json"
ASKED = [
    ("POST", "/v1/chat/completions", {"model": "auto", "messages": HI}, 200),
    ("POST", "/v1/chat/completions", {"model": "auto", "messages": HI, "stream": True}, 200),
    ("POST", "/v1/route", {"model": "auto", "messages": HI}, 200),
    ("POST", "/v1/sql", {"sql": "select plan, ts from requests", "rows": 2}, 200),
    ("POST", "/v1/sql", {"sql": "drop table requests"}, 400),
    ("POST", "/v1/trials", {"do": "list"}, 200),
    ("POST", "/v1/trials", {"do": "nothing"}, 400),
    ("POST", "/v1/growth", {"do": "list"}, 200),
    ("POST", "/v1/routes", {"do": "list"}, 200),
    ("POST", "/v1/growth", {"do": "approve", "name": "nothing"}, 400),
    ("POST", "/v1/routes", {"do": "approve", "name": "nothing"}, 400),
    ("POST", "/v1/feedback", {"request_id": "nothing"}, 400),
    *(("GET", path, None, 200) for path in ("/v1/models", "/v1/learner", "/v1/trials", "/metrics")),
    *(("GET", path, None, 200) for path in ("/health", "/health/live", "/health/ready")),
]


async def test_a_running_service_answers_as_its_own_document_says(service):
    async with aiohttp.ClientSession() as session:
        async with session.get(service.url + "/openapi.json") as answer:
            assert await answer.json() == described()
        for method, path, body, due in ASKED:
            sent = {} if body is None else {"json": body}
            async with session.request(method, service.url + path, **sent) as answer:
                content = await answer.read()
                assert answer.status == due, (path, content)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                check_answer(method, path, answer.status, headers, content)


async def test_a_running_service_says_its_version(service):
    assert (await service.get("/health")).json["version"] == version()
    assert (await service.get("/openapi.json")).json["info"]["version"] == version()


async def test_every_query_of_the_grafana_dashboard_finds_its_metrics_and_labels(service):
    panels = json.loads(DASHBOARD.read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    metrics = {name for query in queries for name in metrics_of(query)}
    labels = {name for query in queries for name in labels_of(query)}
    assert len(metrics) >= 10

    async def all_there():
        await service.chat("hello again")
        await service.chat("hello again", stream=True)
        async with aiohttp.ClientSession() as session:
            async with session.get(service.url + "/metrics") as answer:
                shown, labelled = queried(await answer.text())
        return metrics <= shown and labels <= labelled

    await until(all_there)
