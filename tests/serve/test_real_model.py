"""A service whose model runs in a replica: it answers, tells its memory, and survives a kill."""

import json
import signal

import pytest

from tests.serve.running import own_service
from tests.waiting import until

pytestmark = [pytest.mark.ray, pytest.mark.slow]
TEXT = """
backends:
  m: {kind: llama, model: packaged:smollm2, system: "", last_resort: true, context_window: 512}
  broken: {kind: llama, model: broken.gguf, lazy: false}
plans:
  small: {ask: m}
"""
FRANCE = "What is the capital of France?"
PARIS = "The capital of France is Paris."


@pytest.fixture
def service(tmp_path):
    (tmp_path / "broken.gguf").write_text("hello, I am a text")
    with own_service(tmp_path, TEXT) as service:
        yield service


async def test_a_real_model_answers_tells_its_memory_and_comes_back_when_killed(service):
    small = "goes to small: a small model (SmolLM2-135M-Instruct)"
    await until(lambda: small in " ".join(service.log.split()))
    reason = "this is no GGUF file"
    log = service.data / "logs" / "waggle.log"
    await until(
        lambda: f"the model of broken was not loaded: model = {service.folder}" in log.read_text()
    )
    refused = await service.chat(FRANCE, model="broken")
    assert reason in refused.error["message"]
    before = json.loads(await service.run_beside("status", "--json"))["memory_mb"]
    answer = service.run("ask", FRANCE)
    assert answer.stdout.strip() == PARIS
    stderr = " ".join(answer.stderr.split())
    assert "8 tokens" in stderr
    assert "model SmolLM2-135M-Instruct" in stderr
    status = " ".join((await service.run_beside("status")).split())
    assert "m up 1 " in status
    assert " memory of the whole service: " in status
    after = json.loads(await service.run_beside("status", "--json"))["memory_mb"]
    assert after - before > 50  # the model was loaded by the first call, and not before
    service.kill("ServeReplica:waggle-backend-m")

    async def answers() -> bool:
        answer = await service.chat(FRANCE)
        return answer.status == 200 and answer.json["choices"][0]["message"]["content"] == PARIS

    await until(answers)
    assert service.stop(signal.SIGHUP) == 0  # its terminal was closed
    assert "Nothing is left running" in service.log
