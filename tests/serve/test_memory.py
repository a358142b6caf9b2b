"""A replica that grows beyond its bound ends by itself, says why, and is replaced."""

import pytest

from tests.serve.running import HI, configuration
from tests.waiting import blocking_until, until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(240)]

PART = "waggle-backend-tight:tight"
TIGHT = "  tight: {kind: encoder, replica_memory_mb: 256}\n"  # torch alone needs more
EVENTS = "SELECT subject, state FROM events WHERE kind = 'backend'"


async def test_a_replica_beyond_its_memory_ends_says_why_and_is_replaced(service, upstream):
    await service.reload(configuration(upstream.url, backends=TIGHT))
    first = service.processes(PART)
    await service.post("/v1/embeddings", {"model": "tight", "input": "hello"})
    await service.replaced(PART, first)
    log = (service.data / "logs" / "waggle.log").read_text()
    assert "a replica of tight used" in log
    assert "replica_memory_mb = 256: it ends now" in log
    event = {"subject": "tight", "state": "out of memory"}
    blocking_until(lambda: event in service.query(EVENTS))
    body = {"model": "auto", "messages": HI}
    await until(lambda: _answered(service, body))


async def _answered(service, body) -> bool:
    return (await service.post("/v1/chat/completions", body)).status == 200
