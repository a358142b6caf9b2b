"""A replica that grows beyond its bound ends by itself, says why, and is replaced."""

from pathlib import Path

import pytest

from tests.router.test_local import made
from tests.serve.running import HI, configuration
from tests.waiting import blocking_until, until

pytestmark = [pytest.mark.ray, pytest.mark.slow]

PART = "waggle-backend-tight:tight"
TIGHT = "  tight: {{kind: local, models: {{tiny: {folder}}}, replica_memory_mb: 256}}\n"
EVENTS = "SELECT subject, state FROM events WHERE kind = 'backend'"


async def test_a_replica_beyond_its_memory_ends_says_why_and_is_replaced(
    service, upstream, tmp_path
):
    tight = TIGHT.format(folder=made(tmp_path / "tiny", 3))  # torch alone needs more
    await service.reload(configuration(upstream.url, backends=tight))
    first = service.processes(PART)
    await service.post("/v1/chat/completions", {"model": "tight", "messages": HI})
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
    warm = "  warm: {kind: encoder, process: own}\n"
    await service.reload(configuration(upstream.url, backends=warm))
    (replica,) = service.processes("waggle-backend-warm:warm")
    maps = Path(f"/proc/{replica}/maps")
    await until(lambda: "onnxruntime" in maps.read_text(), seconds=120)
    answer = await service.post("/v1/embeddings", {"model": "warm", "input": "hello"})
    assert answer.status == 200
    assert "libtorch" not in maps.read_text()
