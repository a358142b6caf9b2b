"""A replica that grows beyond its bound ends by itself, says why, and is replaced."""

from pathlib import Path

import pytest

from tests.serve.running import HI, configuration
from tests.waiting import blocking_until, until

pytestmark = pytest.mark.ray

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


async def test_an_encoder_loads_its_model_before_its_first_call(service, upstream):
    await service.reload(configuration(upstream.url, backends="  warm: {kind: encoder}\n"))
    (replica,) = service.processes("waggle-backend-warm:warm")
    maps = Path(f"/proc/{replica}/maps")
    await until(lambda: "libtorch" in maps.read_text(), seconds=120)
    answer = await service.post("/v1/embeddings", {"model": "warm", "input": "hello"})
    assert answer.status == 200
