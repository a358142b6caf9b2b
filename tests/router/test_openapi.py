"""`/openapi.json` is the truth about the routes: every path, every example and every answer."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from router.keys import new_key
from router.version import version
from tests.described import check_answer, described, resolved, validator
from tests.rig import rig
from tests.upstream import Upstream, answer_well, completion

METHODS = ("get", "post", "put", "patch", "delete")
OPERATIONS = [
    (method, path)
    for path, item in described()["paths"].items()
    for method in METHODS
    if method in item
]
CONFIG = """
server: {{max_request_bytes: 4096}}
backends:
  model: {{kind: openai, base_url: "{url}"}}
  passes: {{kind: openai, base_url: "{url}",
           capabilities: [completions, moderations, image_generation, speech, transcription]}}
  generator: {{kind: generator}}
  encoder: {{kind: encoder, encoders: "{exports}"}}
plans: {{model: {{ask: model}}, generate: {{ask: generator}}}}
"""
HI = [{"role": "user", "content": "hi"}]
CHAT = {"model": "model", "messages": HI}
CLAUDES = CHAT | {"max_tokens": 50}
SHAPE = [{"role": "user", "content": 'Two: {"name": "string"}'}]
TEXT = {"model": "auto", "input": "hi"}
STREAMED = ("ChatCompletionChunk", "MessageEvent", "ResponseEvent")  # in words
UNKNOWN = "01a21cbc-bcba-705c-8a7d-7cb16de9027e"
# Method, path, body, headers, and the status that is due: right requests and wrong ones.
ASKED = [
    ("POST", "/v1/chat/completions", CHAT, {}, 200),
    ("POST", "/v1/chat/completions", CHAT | {"stream": True}, {}, 200),
    ("POST", "/v1/chat/completions", CHAT, {"x-waggle-explain": "true"}, 200),
    ("POST", "/v1/chat/completions", {"model": "auto", "messages": SHAPE, "seed": 1}, {}, 200),
    ("POST", "/v1/chat/completions", {"model": "model", "messages": []}, {}, 400),
    ("POST", "/v1/chat/completions", {"model": "nobody", "messages": HI}, {}, 404),
    ("POST", "/v1/chat/completions", CHAT | {"pad": "x" * 5000}, {}, 413),
    ("POST", "/v1/chat/completions", CHAT, {"content-type": "text/plain"}, 415),
    ("POST", "/v1/chat/completions", CHAT, {"x-waggle-max-cost": "free"}, 400),
    ("POST", "/v1/responses", TEXT | {"model": "model"}, {}, 200),
    ("POST", "/v1/responses", TEXT | {"model": "model", "metadata": {"a": "b"}}, {}, 200),
    ("POST", "/v1/responses", TEXT | {"model": "model", "stream": True}, {}, 200),
    ("POST", "/v1/responses", TEXT | {"model": "model", "background": True}, {}, 400),
    ("POST", "/v1/responses", TEXT | {"model": "nobody"}, {}, 404),
    ("POST", "/v1/responses", TEXT, {"content-type": "text/plain"}, 415),
    ("POST", "/v1/messages", CLAUDES, {}, 200),
    ("POST", "/v1/messages", CLAUDES | {"stream": True}, {}, 200),
    ("POST", "/v1/messages", CLAUDES | {"metadata": {"user_id": "u"}}, {}, 200),
    ("POST", "/v1/messages", CLAUDES, {"anthropic-version": "2020-01-01"}, 400),
    ("POST", "/v1/messages", CLAUDES | {"messages": []}, {}, 400),
    ("POST", "/v1/messages", CLAUDES | {"tools": [{"type": "web_search_20250305"}]}, {}, 400),
    ("POST", "/v1/messages", CLAUDES | {"model": "nobody"}, {}, 404),
    ("POST", "/v1/messages", CLAUDES | {"pad": "x" * 5000}, {}, 413),
    ("POST", "/v1/messages", CLAUDES, {"content-type": "text/plain"}, 415),
    ("POST", "/v1/messages/count_tokens", CHAT, {}, 200),
    ("POST", "/v1/messages/count_tokens", CHAT | {"messages": "hi"}, {}, 400),
    ("GET", "/v1/models?limit=1", None, {"anthropic-version": "2026-10-21"}, 200),
    ("GET", "/v1/models/auto", None, {"anthropic-version": "2026-10-21"}, 200),
    ("GET", "/v1/responses/resp_1", None, {}, 404),
    ("GET", "/v1/responses/resp_1?stream=true", None, {}, 400),
    ("DELETE", "/v1/responses/resp_1", None, {}, 404),
    ("GET", "/v1/responses/resp_1/input_items?limit=0", None, {}, 400),
    ("POST", "/v1/responses/resp_1/cancel", {}, {}, 404),
    ("POST", "/v1/conversations", {"items": [HI[0]], "metadata": {"a": "b"}}, {}, 200),
    ("POST", "/v1/conversations", {"items": 5}, {}, 400),
    ("GET", "/v1/conversations/conv_1", None, {}, 404),
    ("POST", "/v1/conversations/conv_1", {"metadata": None}, {}, 404),
    ("DELETE", "/v1/conversations/conv_1/items/msg_1", None, {}, 404),
    ("POST", "/v1/embeddings", TEXT, {}, 200),
    ("POST", "/v1/embeddings", TEXT | {"encoding_format": "base64"}, {}, 200),
    ("POST", "/v1/embeddings", {"model": "auto", "input": []}, {}, 400),
    ("POST", "/v1/embeddings", {"model": "model", "input": "hi"}, {}, 400),
    ("POST", "/v1/completions", {"model": "auto", "prompt": "hi"}, {}, 200),
    ("POST", "/v1/completions", {"model": "auto", "prompt": ""}, {}, 400),
    ("POST", "/v1/completions", {"model": "model", "prompt": "hi"}, {}, 400),
    ("POST", "/v1/rerank", {"model": "auto", "query": "a", "documents": ["a", "b"]}, {}, 200),
    ("POST", "/v1/rerank", {"model": "nobody", "query": "a", "documents": ["a"]}, {}, 404),
    ("POST", "/v1/moderations", {"input": "hi"}, {}, 200),
    ("POST", "/v1/images/generations", {"prompt": "a bee"}, {}, 200),
    ("POST", "/v1/images/edits", {"prompt": "a bee"}, {"content-type": "text/plain"}, 415),
    ("POST", "/v1/images/variations", {"model": 3}, {}, 400),
    ("POST", "/v1/audio/speech", {"model": "auto", "voice": "a"}, {}, 400),
    ("POST", "/v1/audio/transcriptions", {"model": "nobody"}, {}, 404),
    ("POST", "/v1/audio/translations", {"model": "passes"}, {}, 200),
    ("GET", "/v1/files", None, {}, 200),
    ("GET", "/v1/files?limit=0", None, {}, 400),
    ("GET", "/v1/batches", None, {}, 200),
    ("POST", "/v1/files", {}, {}, 400),
    ("POST", "/v1/batches", {"input_file_id": "x"}, {}, 400),
    ("POST", "/v1/route", CHAT | {"model": "auto"}, {}, 200),
    ("POST", "/v1/embeddings", {"model": "nobody", "input": "hi"}, {}, 404),
    ("POST", "/v1/route", {}, {}, 400),
    ("POST", "/v1/feedback", {"request_id": UNKNOWN, "score": 1}, {}, 404),
    ("POST", "/v1/feedback", {"request_id": UNKNOWN, "score": 7}, {}, 400),
    ("POST", "/v1/sql", {"sql": ""}, {}, 400),
    ("POST", "/v1/trials", {"do": "list"}, {}, 404),
    ("GET", "/v1/trials", None, {}, 404),
    ("POST", "/v1/growth", {"do": "list"}, {}, 404),
    ("GET", "/v1/growth", None, {}, 404),
    ("GET", "/v1/routes", None, {}, 404),
    ("GET", "/v1/learner", None, {}, 404),
    ("GET", "/v1/models", None, {}, 200),
    ("GET", "/v1/models/auto", None, {}, 200),
    ("GET", "/v1/models/nobody", None, {}, 404),
    ("GET", "/v1/knowledge/handbook/grants", None, {}, 404),
    ("POST", "/v1/knowledge/handbook/grants", {"who": "bob"}, {}, 400),
    ("DELETE", "/v1/knowledge/handbook/grants/7", None, {}, 404),
    ("POST", "/v1/knowledge/handbook/asks", {"may": "read"}, {}, 400),
    ("POST", "/v1/knowledge/handbook/asks/7", {"answer": "yes"}, {}, 404),
    ("GET", "/health", None, {}, 200),
    ("GET", "/health/live", None, {}, 200),
    ("GET", "/health/ready", None, {}, 200),
    ("GET", "/metrics", None, {}, 200),
    ("GET", "/openapi.json", None, {}, 200),
]  # fmt: skip


async def upstream_script(wire):
    if wire.fields.get("stream"):
        await answer_well(wire)
    else:
        await wire.json(completion("one two three"))


async def send(r, method, path, body, headers):
    json_body = {} if body is None else {"data": json.dumps(body)}
    given = {"content-type": "application/json"} | headers if body is not None else headers
    async with r.client.request(method, r.url + path, headers=given, **json_body) as answer:
        received = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, received, await answer.read()


async def test_the_document_names_every_route_and_no_other(encoders):
    async with rig(CONFIG.format(url="http://127.0.0.1:9/v1", exports=encoders)) as r:
        served = {
            (method.lower(), route.path.replace("*}", "}"))
            for route in r.router.app.routes.all
            for method in route.methods
        }
    assert served == set(OPERATIONS)


async def test_answers_and_errors_are_as_the_document_says(encoders):
    async with Upstream(upstream_script).listening() as upstream:
        async with rig(CONFIG.format(url=upstream.url, exports=encoders)) as r:
            for method, path, body, headers, due in ASKED:
                status, received, content = await send(r, method, path, body, headers)
                assert status == due, (method, path, body, content)
                check_answer(method, path, status, received, content)
            answer = await r.post("/v1/chat/completions", CHAT)
            about = {"request_id": answer.headers["x-waggle-request-id"], "thumbs": "up"}
            status, received, content = await send(r, "POST", "/v1/feedback", about, {})
            assert status == 200
            check_answer("POST", "/v1/feedback", status, received, content)
            await check_memory(r)


async def check_memory(r):
    """What is kept comes back as the document says, until it is deleted."""
    kept = (await r.post("/v1/responses", TEXT | {"model": "model"})).json["id"]
    talk = (await r.post("/v1/conversations", {"items": HI})).json["id"]
    items = (await r.get(f"/v1/conversations/{talk}/items")).json["data"]
    for method, path, body in (
        ("GET", f"/v1/responses/{kept}", None),
        ("GET", f"/v1/responses/{kept}/input_items", None),
        ("DELETE", f"/v1/responses/{kept}", None),
        ("GET", f"/v1/conversations/{talk}", None),
        ("POST", f"/v1/conversations/{talk}", {"metadata": {"a": "b"}}),
        ("GET", f"/v1/conversations/{talk}/items", None),
        ("POST", f"/v1/conversations/{talk}/items", {"items": HI}),
        ("GET", f"/v1/conversations/{talk}/items/{items[0]['id']}", None),
        ("DELETE", f"/v1/conversations/{talk}/items/{items[0]['id']}", None),
        ("DELETE", f"/v1/conversations/{talk}", None),
    ):
        status, received, content = await send(r, method, path, body, {})
        assert status == 200, (method, path, content)
        check_answer(method, path, status, received, content)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_who_may_not_is_told_as_the_document_says(method, path, encoders):
    """An operation without `security` in the document answers without a key, any other refuses."""
    _, app_key = new_key("app", "2026-01-01T00:00:00+00:00", scopes=("app",))
    operation = described()["paths"][path][method]
    config = CONFIG.format(url="http://127.0.0.1:9/v1", exports=encoders)
    async with rig(config, keys=[app_key]) as r:
        body = {} if method == "post" else None
        where = path.replace("{name}", "auto")
        status, received, content = await send(r, method.upper(), where, body, {})
    assert status == (200 if operation.get("security") == [] else 401)
    check_answer(method, where, status, received, content)


async def test_a_key_without_the_scope_is_told_as_the_document_says(encoders):
    text, key = new_key("analyst", "2026-01-01T00:00:00+00:00", scopes=("analyst",))
    config = CONFIG.format(url="http://127.0.0.1:9/v1", exports=encoders)
    async with rig(config, keys=[key]) as r:
        bearer = {"authorization": f"Bearer {text}"}
        for method, path, body in (("POST", "/v1/trials", {}), ("GET", "/v1/models", None)):
            status, received, content = await send(r, method, path, body, bearer)
            assert status == 403
            check_answer(method, path, status, received, content)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_example_keeps_its_schema(method, path):
    operation = described()["paths"][path][method]
    contents = [operation["requestBody"]] if "requestBody" in operation else []
    contents += [resolved(response) for response in operation["responses"].values()]
    for content in contents:
        for kind in content.get("content", {}).values():
            for example in kind.get("examples", {}).values():
                validator(kind["schema"]).validate(example["value"])


def test_a_broken_example_would_be_noticed():
    schema = {"$ref": "#/components/schemas/ChatCompletion"}
    with pytest.raises(jsonschema.ValidationError, match="'choices' is a required property"):
        validator(schema).validate(
            {"id": "", "object": "chat.completion", "created": 1, "model": ""}
        )


@pytest.mark.parametrize("name", described()["components"]["schemas"])
def test_every_schema_is_one_of_json_schema_and_is_used(name):
    jsonschema.Draft202012Validator.check_schema(described()["components"]["schemas"][name])
    assert f'"#/components/schemas/{name}"' in json.dumps(described()) or name in STREAMED


def test_every_component_that_is_named_exists_and_every_operation_has_a_name():
    names = [described()["paths"][path][method]["operationId"] for method, path in OPERATIONS]
    assert len(set(names)) == len(names)

    def walk(value):
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                resolved(value)  # a KeyError names what is missing
            for name, inner in value.items():
                assert inner is not None, f"{name} is empty: a comma of a text is not quoted"
                if name != "examples":
                    walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(described())


def test_the_document_keeps_the_rules_of_openapi():
    checks = pytest.importorskip("openapi_spec_validator")
    checks.validate(described())


def test_pyproject_is_the_one_source_of_the_version():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert version() == project["version"]
    assert described()["info"]["version"] == project["version"]
