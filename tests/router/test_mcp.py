"""Agents use a service through `waggle mcp`, over stdio and over HTTP, with the official client."""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from uuid import uuid4

import aiohttp
import httpx2
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from router.deployment.ray_environment import free_ports
from router.keys import new_key
from tests.forked_waggle import forked_command
from tests.rig import rig
from tests.telemetry.test_analyst import Stored, request

WAGGLE = ["-c", "from router.cli.main import main; main()", "mcp"]
YAML = """
server: {data: DATA}
backends: {generator: {kind: generator}}
plans: {generate: {ask: generator}}
"""
TOOLS = ["ask", "explain", "feedback", "route", "scores", "sql"]
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
PROMPT = '{"city": "string"}'


def environment(key=""):
    return {**os.environ, "WAGGLE_API_KEY": key}


@asynccontextmanager
async def service(folder, *keys):
    async with rig(YAML.replace("DATA", str(folder)), keys=keys) as waggle:
        yield waggle


@asynccontextmanager
async def over_stdio(url, key=""):
    command, *arguments = forked_command("mcp", "--url", url)
    server = StdioServerParameters(command=command, args=arguments, env=environment(key))
    async with Client(server) as client:
        yield client


@asynccontextmanager
async def serving_http(url, *options, key=""):
    """The address of `waggle mcp --http`, which runs as a process of its own."""
    (port,) = free_ports(1)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *WAGGLE, "--url", url, "--http", "--port", str(port), *options),
        env=environment(key),
        stderr=asyncio.subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}/mcp"

    async def answers():
        assert process.returncode is None
        try:
            await posted(address, HELLO)
        except aiohttp.ClientError:
            return False
        return True

    try:
        while not await answers():
            await asyncio.sleep(0.05)
        yield address
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def posted(address, body, **headers):
    accept = {"accept": "application/json, text/event-stream"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(address, json=body, headers=accept | headers) as answer,
    ):
        return answer.status, await answer.text()


async def called(client, tool, **arguments):
    result = await client.call_tool(tool, arguments)
    text = "".join(part.text for part in result.content)
    return result.is_error, text, result.structured_content


async def test_an_agent_asks_over_stdio_and_says_how_good_the_answer_was(tmp_path):
    async with service(tmp_path) as waggle, over_stdio(waggle.url) as client:
        assert sorted(tool.name for tool in (await client.list_tools()).tools) == TOOLS
        failed, _, answer = await called(client, "ask", prompt=PROMPT, task="cities")
        assert not failed
        assert json.loads(answer["answer"]).keys() == {"city"}
        assert (answer["plan"], answer["backend"], answer["cut"]) == (
            "generate",
            "generator",
            False,
        )
        statement = {"request_id": answer["request_id"], "score": 0.25, "comment": "too short"}
        failed, _, stored = await called(client, "feedback", **statement)
        assert not failed
        assert stored == {"request_id": answer["request_id"], "new": 2}
        row = next(trace for trace in waggle.journal.traces)
        assert row.request.task == "cities"
        scored = next(s for s in waggle.journal.signals if s.score is not None)
        assert (scored.source, scored.score) == ("mcp", 0.25)


async def test_a_route_is_shown_and_no_model_is_called(tmp_path):
    async with service(tmp_path) as waggle, over_stdio(waggle.url) as client:
        failed, _, route = await called(client, "route", prompt=PROMPT)
        assert not failed
        assert route["plan"] == "generate"
        assert waggle.journal.traces == []


async def test_an_agent_reads_telemetry_and_a_past_request(tmp_path):
    stored = Stored(tmp_path / "telemetry")
    rows = [request() for _ in range(3)]
    stored.write("requests", rows)
    async with service(tmp_path) as waggle, over_stdio(waggle.url) as client:
        failed, _, table = await called(client, "sql", query="select plan from requests", rows=2)
        assert not failed
        assert table == {"columns": ["plan"], "rows": [["cheap"], ["cheap"]], "cut": True}
        failed, _, past = await called(client, "explain", request_id=rows[0]["request_id"])
        assert not failed
        assert (past["plan"], past["signals"]) == ("cheap", [])


BAD = (
    ("ask", {}, "prompt"),
    ("ask", {"prompt": ""}, "at least 1 character"),
    ("ask", {"prompt": "hi", "modle": "x"}, "modle"),
    ("ask", {"prompt": "hi", "plan": "no-such"}, "no-such"),
    ("ask", {"prompt": "hi", "task": "two words"}, "pattern"),
    ("sql", {"query": "drop table requests"}, "Only SELECT"),
    ("sql", {"query": "select * from read_csv('/etc/passwd')"}, "read_csv"),
    ("sql", {"query": "select 1", "rows": 100_000}, "less than or equal to 200"),
    ("explain", {"request_id": "x' OR 1=1 --"}, "UUID"),
    ("explain", {"request_id": str(uuid4())}, "There is no request"),
    ("feedback", {"request_id": str(uuid4())}, "Give `score`"),
    ("feedback", {"request_id": str(uuid4()), "score": 7}, "less than or equal to 1"),
    ("scores", {"kind": "poems"}, "learner"),
    ("shell", {"command": "ls"}, "shell"),
)


async def test_bad_input_is_an_error_that_names_it(tmp_path):
    Stored(tmp_path / "telemetry").write("requests", [request()])
    async with service(tmp_path) as waggle, over_stdio(waggle.url) as client:
        for tool, arguments, says in BAD:
            try:
                failed, text, _ = await called(client, tool, **arguments)
            except MCPError as error:  # an unknown tool is an error of the protocol
                failed, text = True, str(error)
            assert failed, (tool, arguments)
            assert says in text, (tool, arguments)


async def test_a_service_that_does_not_run_is_named_with_the_mend():
    (port,) = free_ports(1)
    async with over_stdio(f"http://127.0.0.1:{port}") as client:
        failed, text, _ = await called(client, "ask", prompt="hi")
        assert failed
        assert "cannot be reached" in text
        assert "`waggle serve`" in text


async def test_a_key_is_needed_where_the_service_needs_one_and_its_scopes_hold(tmp_path):
    text, record = new_key("app", "2026-01-01")
    Stored(tmp_path / "telemetry").write("requests", [request()])
    async with service(tmp_path, record) as waggle:
        async with over_stdio(waggle.url) as client:
            failed, says, _ = await called(client, "ask", prompt=PROMPT)
            assert failed
            assert "Set WAGGLE_API_KEY" in says
        async with over_stdio(waggle.url, text) as client:
            assert not (await called(client, "ask", prompt=PROMPT))[0]
            failed, says, _ = await called(client, "sql", query="select 1")
            assert failed
            assert "lacks `analyst`" in says
            assert "--scope analyst" in says


PAGES = (
    ({}, 200),
    ({"host": "evil.example"}, 421),
    ({"host": "evil.example:8791"}, 421),
    ({"origin": "https://evil.example"}, 403),
    ({"origin": "null"}, 403),
    ({"origin": "http://localhost:3000"}, 200),
)


async def test_an_agent_asks_over_http_and_no_web_page_does(tmp_path):
    async with service(tmp_path) as waggle, serving_http(waggle.url) as address:
        for headers, status in PAGES:
            assert (await posted(address, HELLO, **headers))[0] == status, headers
        async with Client(address) as client:
            failed, _, answer = await called(client, "ask", prompt=PROMPT)
            assert not failed
            assert answer["plan"] == "generate"


async def test_on_the_network_each_caller_brings_a_key_and_acts_with_it(tmp_path):
    text, record = new_key("app", "2026-01-01")
    everywhere = ("--host", "0.0.0.0")
    async with (
        service(tmp_path, record) as waggle,
        serving_http(waggle.url, *everywhere, key=text) as address,
    ):
        status, says = await posted(address, HELLO)
        assert (status, "needs a key" in says) == (401, True)
        status, says = await posted(address, HELLO, authorization="Bearer wg-1-2")
        assert (status, "does not know this key" in says) == (401, True)
        bearer = {"authorization": f"Bearer {text}"}
        async with (
            httpx2.AsyncClient(headers=bearer) as http,
            Client(streamable_http_client(address, http_client=http)) as client,
        ):
            failed, _, answer = await called(client, "ask", prompt=PROMPT)
            assert not failed
        (trace,) = waggle.journal.traces
        assert (trace.request.id, trace.request.key_id) == (answer["request_id"], record.id)


async def test_a_service_without_keys_is_not_offered_to_the_network(tmp_path):
    async with service(tmp_path) as waggle:
        process = await asyncio.create_subprocess_exec(
            *forked_command("mcp", "--url", waggle.url, "--http", "--host", "0.0.0.0"),
            env=environment(),
            stderr=asyncio.subprocess.PIPE,
        )
        _, says = await process.communicate()
        assert process.returncode == 1
        assert b"waggle keys new" in says
