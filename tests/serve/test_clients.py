"""Clients and commands work against a deployed service."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import duckdb
import openai
import pytest
from yarl import URL

from tests.serve.running import HI

pytestmark = pytest.mark.ray


async def test_the_official_client_works_against_it(service):
    async with openai.AsyncOpenAI(base_url=service.url + "/v1", api_key="x") as client:
        answer = await client.chat.completions.create(model="auto", messages=HI)
        stream = await client.chat.completions.create(model="auto", messages=HI, stream=True)
        words = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert answer.choices[0].message.content == "hello"
    assert answer.usage.cost == pytest.approx(0.0002)
    assert "".join(words) == "one two three"


async def test_the_official_client_gets_responses_from_it(service):
    async with openai.AsyncOpenAI(base_url=service.url + "/v1", api_key="x") as client:
        answer = await client.responses.create(model="auto", input="hi")
        async with client.responses.stream(model="auto", input="hi") as stream:
            streamed = await stream.get_final_response()

    def ask():
        with openai.OpenAI(base_url=service.url + "/v1", api_key="x") as client:
            return client.responses.create(model="auto", input="hi").output_text

    assert answer.output_text == await asyncio.to_thread(ask) == "hello"
    assert answer.usage.cost == pytest.approx(0.0002)
    assert (streamed.status, streamed.output_text) == ("completed", "one two three")


def test_the_official_node_clients_work_against_it(service):
    folder = Path(__file__).parent.parent / "node"
    if shutil.which("npm") is None:
        pytest.skip("no node on this machine")
    if not (folder / "node_modules" / "@anthropic-ai").is_dir():
        install = ["npm", "ci", "--no-audit", "--no-fund"]
        subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=200)
    command = ["node", "client.mjs", service.url]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "plain": "hello",
        "cost": 0.0002,
        "stream": "one two three",
        "tools": "hello",
        "parallel": ["hello", "hello", "hello"],
        "notFound": 404,
        "badRequest": 400,
        "response": "hello",
        "responseCost": 0.0002,
        "responseStream": "one two three",
        "lastEvent": "response.completed",
        "goesOn": True,
        "message": "hello",
        "stopReason": "end_turn",
        "messageStream": "one two three",
        "counted": True,
        "messageNotFound": 404,
    }


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("x-session-id", 400),
        ("x-request-id", 200),
        ("serve_multiplexed_model_id", 200),
        ("traceparent", 200),
    ],
)
async def test_a_header_of_odd_bytes_is_no_fault_of_the_service(service, header, status):
    address = urlsplit(service.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}: "
    writer.write(head.encode() + b"\xff\xfe\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer


async def test_a_rebound_name_and_a_foreign_page_reach_nothing(service):
    async with aiohttp.ClientSession() as client:
        for headers, status in (
            ({"host": "evil.example"}, 421),
            ({"origin": "https://evil.example"}, 403),
            ({"content-type": "text/plain"}, 415),
        ):
            url = f"{service.url}/v1/chat/completions"
            async with client.post(url, data=b"{}", headers=headers) as answer:
                assert answer.status == status


@pytest.mark.parametrize("path", ["/-/routes", "/-/ROUTES", "/%2d/routes", "/-/routes?a=b"])
async def test_nobody_gets_serves_list_of_applications(service, path):
    async with aiohttp.ClientSession() as client:
        url = URL(service.url + path, encoded=True)
        async with client.get(url) as answer:
            assert answer.status == 404
            assert (await answer.json())["error"]["code"] == "unknown_url"
        async with client.get(url, headers={"host": "evil.example"}) as answer:
            assert answer.status == 404


async def test_rays_health_check_tells_a_rebound_page_nothing_more_than_success(service):
    async with aiohttp.ClientSession() as client:
        headers = {"host": "evil.example"}
        async with client.get(f"{service.url}/-/healthz", headers=headers) as answer:
            assert (answer.status, await answer.text()) == (200, "success")


def test_ask_and_status_speak_to_the_running_service(service):
    answer = service.run("ask", "hi")
    assert answer.stdout == "one two three\n"
    assert "plan fast · backend a · cost $0.000200" in answer.stderr.replace("\n", " ")
    assert "is ready" in service.run("status").stdout
    status = json.loads(service.run("status", "--json").stdout)
    backend = status["backends"]["a"]
    assert (backend["state"], backend["replicas"], backend["last_error"]) == ("up", 1, "")


def test_everything_it_listens_on_is_loopback(service):
    assert "all on loopback" in service.run("doctor").stdout


def test_a_second_service_on_the_same_folder_is_refused(service):
    refused = service.run("serve", check=False)
    assert refused.returncode == 1
    assert "already runs" in refused.stderr


async def test_queries_and_verification_run_beside_the_running_service(service, tmp_path):
    for _ in range(60):
        assert (await service.chat()).status == 200
    assert "fast" in await service.run_beside("sql", "select distinct plan from requests")
    printed = await service.run_beside("sql", "select 1 as one", "--format", "csv")
    assert printed.splitlines() == ["one", "1"]
    target = tmp_path / "rows.parquet"
    written = ("--format", "parquet", "--out", str(target))
    await service.run_beside("sql", "select * from requests", *written)
    assert duckdb.connect().execute(f"select count(*) > 50 from '{target}'").fetchall() == [(True,)]
    assert "Nothing is damaged" in await service.run_beside("telemetry", "verify")
    assert "now." in await service.run_beside("telemetry", "compact")
    assert "requests" in await service.run_beside("telemetry", "status")
    assert "Nothing is damaged" in await service.run_beside("telemetry", "verify")
