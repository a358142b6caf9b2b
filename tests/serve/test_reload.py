"""A running service under load adopts a changed configuration and keys, and fails no request."""

import openai
import pytest

from tests.serve.running import HI, Load, configuration
from tests.waiting import until

pytestmark = pytest.mark.ray


async def test_a_reload_changes_prices_under_load_and_fails_nobody(service, upstream):
    async with Load(service) as load:
        await service.reload(configuration(upstream.url, price=5))
        await load.more(40)
    load.assert_nobody_noticed()
    for _ in range(6):  # any router may answer
        answer = await service.chat()
        assert answer.json["usage"]["cost"] == pytest.approx((100 * 5 + 50 * 2) / 1e6)


@pytest.mark.slow
async def test_a_reload_brings_backends_and_plans_and_takes_them_away(service, upstream):
    backend = f'  b: {{kind: openai, base_url: "{upstream.url}"}}\n'
    grown = configuration(upstream.url, backends=backend, plans="  other: {ask: b}\n")
    async with Load(service) as load:
        await service.reload(grown)
        async with openai.AsyncOpenAI(base_url=service.url + "/v1", api_key="x") as client:
            raw = client.chat.completions.with_raw_response
            answer = await raw.create(model="other", messages=HI)
            assert answer.headers["x-waggle-backend"] == "b"
            await service.reload(configuration(upstream.url))
            await load.more(20)
            with pytest.raises(openai.NotFoundError):
                await client.chat.completions.create(model="other", messages=HI)
    load.assert_nobody_noticed()


@pytest.mark.slow
async def test_a_router_that_has_to_go_answers_its_requests_first(service):
    def routers() -> set[int]:
        return set(service.processes("ServeReplica:waggle:router"))

    before = routers()
    async with Load(service) as load:
        server = f"server: {{port: {service.port}, replicas: 1}}\n"
        service.config.write_text(server + service.dashboard + service.text)
        await service.run_beside("reload")
        await until(lambda: len(routers()) == 1)
        await load.more(40)
    load.assert_nobody_noticed()
    assert routers() < before


def test_a_reload_of_a_wrong_file_changes_nothing(service):
    service.configure(service.text + "nonsense: 1\n")
    refused = service.run("reload", check=False)
    service.configure(service.text)
    assert refused.returncode == 2
    assert "nonsense" in refused.stderr
    assert service.run("ask", "hi").stdout == "one two three\n"


@pytest.mark.slow
async def test_a_backend_under_load_gets_more_replicas(service, upstream):
    many = "replicas: {min: 1, max: 2, ongoing: 1}"
    backend = f'  b: {{kind: openai, base_url: "{upstream.url}", {many}}}\n'
    plan = "  other: {ask: b}\n"
    await service.reload(configuration(upstream.url, backends=backend, plans=plan))

    async def has_two() -> bool:
        return (await service.get("/health/ready")).json["backends"]["b"]["replicas"] == 2

    async with Load(service, model="other") as load:
        await until(has_two, 150)
        await load.more(20)
    load.assert_nobody_noticed()


async def test_a_key_made_or_revoked_counts_at_once(service):
    key = (await service.run_beside("keys", "new", "alice", "--rpm", "1000")).strip()
    bearer = {"authorization": f"Bearer {key}"}
    assert (await service.chat()).status == 401
    assert (await service.chat(headers=bearer)).status == 200
    assert key not in await service.run_beside("keys", "list")
    await service.run_beside("keys", "revoke", "alice")
    revoked = await service.chat(headers=bearer)
    assert (revoked.status, revoked.error["code"]) == (401, "revoked_api_key")
