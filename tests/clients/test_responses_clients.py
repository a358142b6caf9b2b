"""Clients of `/v1/responses` against a running Waggle, as `make clients` installs them."""

import json

import pytest

from tests.clients.test_clients import CLIENTS, HELLO, PLANS, PROGRAMS, run

PARIS = {"city": "Paris"}

pytestmark = pytest.mark.skipif(
    not (CLIENTS / "bin" / "python").exists(),
    reason="the clients are not installed: `make clients` installs them and runs these tests",
)


def report(client, served, tmp_path):
    before = len(served.waggle.journal.traces)
    program = PROGRAMS / f"responses_with_{client}.py"
    command = [CLIENTS / "bin" / "python", program, served.url, "fast", *PLANS]
    printed = json.loads(run(command, tmp_path).splitlines()[-1])
    dialects = {trace.request.dialect for trace in served.waggle.journal.traces[before:]}
    assert dialects == {"responses"}
    return printed


def test_openais_client_reads_every_response(served, tmp_path):
    seen = report("openai", served, tmp_path)
    called = {"arguments": PARIS, "streamed": PARIS}
    assert seen["tools"] == called | {"after": "hello", "parsed": "Paris"}
    assert seen["together"] == ["hello"] * 5
    expected = HELLO | {"status": "completed", "usage": True}
    assert seen["of"] == dict.fromkeys(PLANS, expected)


def test_langchain_reads_every_response(served, tmp_path):
    seen = report("langchain", served, tmp_path)
    called = {"arguments": PARIS, "streamed": PARIS}
    assert seen["tools"] == called | {"after": "hello", "parsed": "Paris"}
    assert seen["of"] == dict.fromkeys(PLANS, HELLO | {"usage": True})


def test_llamaindex_reads_every_response(served, tmp_path):
    seen = report("llamaindex", served, tmp_path)
    assert seen["tools"] == {"arguments": PARIS}
    assert seen["of"] == dict.fromkeys(PLANS, HELLO)


def test_litellm_reads_every_response(served, tmp_path):
    seen = report("litellm", served, tmp_path)
    assert seen["tools"] == {"arguments": PARIS}
    assert seen["of"] == dict.fromkeys(PLANS, HELLO | {"usage": True})


def test_the_agents_sdk_runs_its_tools_and_reads_every_response(served, tmp_path):
    seen = report("agents", served, tmp_path)
    answers = {"after": "hello", "streamed": "hello", "parsed": "Paris"}
    assert seen["tools"] == {"called": ["Paris", "Paris"]} | answers
    expected = HELLO | {"events": True, "usage": True}
    assert seen["of"] == dict.fromkeys(PLANS, expected)
