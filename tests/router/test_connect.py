"""`waggle connect`: its texts hold the right address and no key; such apps are answered.

The apps in Python run in `tests/clients`. Open WebUI, Cursor, Continue and Zed run in no test: here
are requests of the shape that they send.
"""

import ast
import json
import tomllib

import pytest
import yaml
from typer.testing import CliRunner

from router.cli.connecting import APPS
from router.cli.main import app
from router.keys import new_key, save_keys
from tests.rig import rig
from tests.upstream import Upstream

PROGRAMS = ("openai", "langchain", "llamaindex", "dspy", "litellm", "agents-sdk")


def connect(*args):
    return CliRunner().invoke(app, ["connect", *map(str, args)])


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A folder without a configuration, where no service runs."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", APPS)
def test_every_text_names_the_address_and_the_model(name):
    printed = connect(name, "--url", "http://waggle.example:9000", "--model", "premium").stdout
    address = "http://waggle.example:9000" + ("" if name == "claude-code" else "/v1")
    assert f"{address}\n" in printed if name == "claude-code" else address in printed
    assert "premium" in printed
    assert "@URL@" not in printed
    assert "@ROOT@" not in printed
    assert "@MODEL@" not in printed


def test_the_address_is_the_configurations_where_no_service_runs(tmp_path):
    (tmp_path / "waggle.yaml").write_text(
        "server: {port: 8123, host: 0.0.0.0}\nbackends: {g: {kind: generator}}\n"
        "plans: {p: {ask: g}}\n"
    )
    result = connect("openai")
    assert "http://127.0.0.1:8123/v1" in result.stdout
    assert "No service runs here: start one with `waggle serve`." in result.stderr


@pytest.mark.parametrize("url", ["http://h:1", "http://h:1/", "http://h:1/v1", "h:1"])
def test_an_address_may_end_as_people_write_it(url):
    assert 'base_url="http://h:1/v1"' in connect("openai", "--url", url).stdout


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_python_and_takes_its_key_from_the_environment(name):
    text = connect(name).stdout
    ast.parse(text)
    assert 'os.environ.get("WAGGLE_API_KEY", "none")' in text
    assert "x-waggle-task" in text


def test_files_of_settings_are_what_their_apps_can_read():
    aider = yaml.safe_load(connect("aider").stdout)
    assert aider["model"] == "openai/auto"
    assert aider["openai-api-base"].endswith("/v1")
    [model] = yaml.safe_load(connect("continue").stdout)["models"]
    assert (model["provider"], model["model"]) == ("openai", "auto")
    codex = tomllib.loads(connect("codex").stdout)
    assert (codex["model"], codex["model_provider"]) == ("auto", "waggle")
    assert codex["model_providers"]["waggle"]["wire_api"] == "responses"
    zed = json.loads(connect("zed").stdout)["language_models"]["openai_compatible"]["Waggle"]
    assert zed["available_models"][0]["name"] == "auto"


def test_a_text_is_written_and_never_over_another_file(tmp_path):
    assert connect("aider", "--write", ".aider.conf.yml").exit_code == 0
    assert "openai/auto" in (tmp_path / ".aider.conf.yml").read_text()
    again = connect("aider", "--write", ".aider.conf.yml", "--model", "other")
    assert again.exit_code == 2
    assert ".aider.conf.yml exists: name a new file" in " ".join(again.stderr.split())
    assert "other" not in (tmp_path / ".aider.conf.yml").read_text()


def test_whoever_needs_a_key_hears_how_to_make_it(tmp_path):
    assert "none is needed" in connect("dspy").stderr
    _, record = new_key("app", "2026-11-21")
    (tmp_path / "var").mkdir()
    save_keys(tmp_path / "var" / "keys.json", (record,))
    assert "waggle keys new dspy" in connect("dspy").stderr
    assert record.digest not in connect("dspy").output


def test_cursor_hears_that_loopback_cannot_work():
    assert "needs a public address" in " ".join(connect("cursor").stderr.split())
    public = connect("cursor", "--url", "https://waggle.example")
    assert "needs a public address" not in public.stderr
    assert "https://waggle.example/v1" in public.stdout


def test_an_unknown_app_is_refused_and_the_list_names_all():
    refused = connect("emacs")
    assert refused.exit_code == 2
    assert "there are curl, openai, langchain" in " ".join(refused.stderr.split())
    listed = connect().stdout
    assert all(name in listed for name in APPS)


TOOL = {
    "type": "function",
    "function": {"name": "read_file", "description": "…", "parameters": {"type": "object"}},
}
TEXT = [{"type": "text", "text": "Why do bees dance?"}]
SHAPES = {
    "open-webui": {
        "messages": [{"role": "user", "content": "Why do bees dance?"}],
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 1000,
        "user": {"name": "Ada", "id": "1", "email": "a@example.org", "role": "admin"},
    },
    "cursor": {
        "temperature": 1,
        "user": "google-oauth2|1",
        "messages": [
            {"role": "system", "content": "You are an assistant."},
            {"role": "user", "content": TEXT},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "read_file", "arguments": ""}}
            ]},
            {"role": "tool", "tool_call_id": "c", "content": TEXT},
        ],
        "tools": [TOOL],
        "tool_choice": "auto",
        "stream_options": {"include_usage": True},
    },
    "continue": {
        "messages": [{"role": "user", "content": TEXT}],
        "max_tokens": 4096,
        "stop": ["\n\n"],
        "tools": [TOOL],
        "parallel_tool_calls": False,
    },
    "zed": {
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": TEXT}],
        "stop": [],
        "temperature": 1.0,
        "tools": [TOOL],
        "tool_choice": None,
        "parallel_tool_calls": True,
        "max_completion_tokens": None,
        "prompt_cache_key": "thread",
        "reasoning_effort": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
async def test_a_request_of_this_shape_is_answered_and_reaches_the_model_whole(name):
    body = {"model": "auto", "stream": True} | SHAPES[name]
    async with Upstream().listening() as upstream:
        backend = {"kind": "openai", "base_url": upstream.url, "capabilities": ["chat", "tools"]}
        config = json.dumps({"backends": {"a": backend}, "plans": {"fast": {"ask": "a"}}})
        async with rig(config) as waggle:
            bearer = {"authorization": "Bearer none"}
            listed = await waggle.get("/v1/models", **bearer)
            answer = await waggle.post("/v1/chat/completions", body, **bearer)
    assert "auto" in [model["id"] for model in listed.json["data"]]
    assert answer.status == 200, answer.body
    chunks = [chunk for chunk in answer.events if chunk != "[DONE]"]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == "one two three"
    arrived = upstream.seen[-1].fields
    given = {name: value for name, value in body.items() if name not in ("model", "stream_options")}
    assert {name: arrived.get(name) for name in given} == given
