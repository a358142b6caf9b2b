"""Every wrong request gets an error in OpenAI's format, and never status 500."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router.api.embeddings import parse_embeddings
from router.api.parse import parse_chat
from router.domain import new_id
from router.wire.errors import BadRequest
from router.wire.header_text import SERVES_SESSION, for_serve
from tests.rig import rig
from tests.sparing import draws
from tests.upstream import Upstream

TEXT = """
server: {{max_request_bytes: 100000}}
backends: {{a: {{kind: openai, base_url: "{url}"}}, g: {{kind: generator}}}}
plans: {{p: {{ask: a}}, q: {{ask: g}}}}
"""
HI = [{"role": "user", "content": "hi"}]
CASES = [
    (b"", "not valid JSON"),
    (b"{", "not valid JSON"),
    (b"null", "must be a JSON object, not missing or null"),
    (b"[]", "must be a JSON object"),
    (b"\xff\xfe", "not valid JSON"),
    (b'{"model": "\xff"}', "not valid JSON"),
    (b'{"model": "\\ud800", "messages": []}', "not valid JSON"),
    (b"{" * 5000, "not valid JSON"),
    (b'{"a":' * 2000 + b"1" + b"}" * 2000, "not valid JSON"),
    ({}, "`model` must be a string, not missing"),
    ({"model": 5}, "`model` must be a string, not a number"),
    ({"model": ""}, "`model` must be a string, not an empty string"),
    ({"model": "auto"}, "`messages` must be a list of at least one message, not missing"),
    ({"model": "auto", "messages": []}, "not an empty list"),
    ({"model": "auto", "messages": "hi"}, "not a string"),
    ({"model": "auto", "messages": ["hi"]}, "`messages[0]` must be an object, not a string"),
    ({"model": "auto", "messages": [{}]}, "`messages[0].role` must be a string"),
    ({"model": "auto", "messages": [{"role": "user", "content": 5}]}, "`messages[0].content`"),
    ({"model": "auto", "messages": HI, "stream": "yes"}, "`stream` must be true or false"),
    ({"model": "auto", "messages": HI, "stream_options": []}, "`stream_options` must be"),
]


@pytest.mark.parametrize(("body", "message"), CASES, ids=range(len(CASES)))
async def test_a_wrong_request_is_told_what_is_wrong(body, message):
    async with rig(TEXT.format(url="http://127.0.0.1:9/v1")) as r:
        answer = await r.post("/v1/chat/completions", body)
        routed = await r.post("/v1/route", body)
    assert answer.status == routed.status == 400
    assert message in answer.error["message"]
    assert answer.error["type"] == "invalid_request_error"
    assert set(answer.error) == {"message", "type", "param", "code"}


async def test_a_shape_is_enough_of_a_request():
    text = "backends: {g: {kind: generator}}\nplans: {p: {ask: g}}"
    async with rig(text) as r:
        fields = {"model": "auto", "shape": {"age": "int 3..3"}, "count": 2}
        answer = await r.post("/v1/chat/completions", fields)
        assert answer.text == '[{"age":3},{"age":3}]'


async def test_ten_megabytes_are_too_much_and_the_answer_arrives():
    async with rig(TEXT.format(url="http://127.0.0.1:9/v1")) as r:
        content = "x" * 10 * 2**20
        body = {"model": "auto", "messages": [{"role": "user", "content": content}]}
        answer = await r.post("/v1/chat/completions", body)
        assert (await r.get("/health/live")).status == 200
    assert answer.status == 413
    assert "server.max_request_bytes = 100000" in answer.error["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/models", 405),
        ("GET", "/", 404),
        ("POST", "/v1/completion", 404),
        ("GET", "/v1/models/none", 404),
        ("DELETE", "/v1/route", 405),
    ],
)
async def test_a_wrong_address_is_refused_with_a_message(method, path, status):
    async with rig(TEXT.format(url="http://127.0.0.1:9/v1")) as r:
        async with r.client.request(method, r.url + path) as answer:
            error = (await answer.json())["error"]
    assert answer.status == status
    assert error["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat/completions", "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("POST", "/v1/models/p", "GET, HEAD"),
        ("DELETE", "/v1/route", "POST"),
        ("PUT", "/v1/trials", "GET, POST, HEAD"),
        ("POST", "/health", "GET, HEAD"),
        ("POST", "/health/live", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_refused_with_the_methods_that_the_path_takes(
    method, path, allowed
):
    async with rig(TEXT.format(url="http://127.0.0.1:9/v1")) as r:
        async with r.client.request(method, r.url + path) as answer:
            error = (await answer.json())["error"]
    assert answer.status == 405
    assert answer.headers["allow"] == allowed
    assert error == {
        "message": f"{path} takes {allowed.replace(', ', ' or ')}, not {method}.",
        "type": "invalid_request_error",
        "code": "method_not_allowed",
        "param": None,
    }


async def test_an_unknown_path_is_told_the_paths_there_are():
    async with rig(TEXT.format(url="http://127.0.0.1:9/v1")) as r:
        answer = await r.get("/v1/completion")
    message = answer.error["message"]
    assert message.startswith(
        "There is nothing at /v1/completion. Known: /v1/chat/completions, /v1/responses, "
    )
    assert ", /v1/messages, " in message
    assert message.endswith("/health/live, /health/ready, /metrics, /openapi.json.")
    assert "/v1/models/" not in message


async def test_nul_bytes_and_half_characters_in_headers_break_nothing():
    async with Upstream().listening() as up, rig(TEXT.format(url=up.url)) as r:
        for headers in ({"x-session-id": "\xff\xfe"}, {"x-llm-backend": "\xe4"}):
            answer = await r.chat("\x00 nul \x00", headers=headers)
            assert answer.status in (200, 400)
        assert json.loads(up.seen[0].body)["messages"][0]["content"] == "\x00 nul \x00"


@pytest.mark.parametrize(
    "header",
    ["x-session-id", "x-llm-backend", "x-waggle-task", "x-waggle-plans", "authorization"],
)
async def test_a_header_that_is_no_text_is_named(header):
    async with rig(TEXT.format(url="http://127.0.0.1:9/v1")) as r:
        reader, writer = await asyncio.open_connection(*r.url.removeprefix("http://").split(":"))
        head = f"GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}: "
        writer.write(head.encode() + b"\xff\xfe\r\n\r\n")
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")
    error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    assert error["param"] == header
    assert f"`{header}` must be UTF-8 text, not the bytes '\\xff\\xfe'" in error["message"]


def test_serve_sees_no_header_that_it_obeys_or_cannot_read():
    kept = [(b"x-session-id", b"\xff"), (b"user-agent", b"\xff"), (b"x-request-id", b"r1")]
    dropped = [
        (b"x-request-timeout-seconds", b"0.001"), (b"x-request-disconnect-disabled", b"?1"),
        (b"x-request-id", b"\xff"), (b"serve-multiplexed-model-id", b"\xff"),
        (b"traceparent", b"\xfe"), (SERVES_SESSION.encode(), b"\xff"),
    ]  # fmt: skip
    assert for_serve([*dropped, *kept]) == kept


DEEP = "[" * 900 + "1" + "]" * 900
HI_TEXT = json.dumps(HI)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/v1/chat/completions",
            f'{{"model": "auto", "messages": [{{"role": "user", "content": {DEEP}}}]}}',
        ),
        ("/v1/chat/completions", f'{{"model": "q", "messages": {HI_TEXT}, "shape": {DEEP}}}'),
        ("/v1/route", f'{{"model": "auto", "messages": {HI_TEXT}, "metadata": {DEEP}}}'),
        ("/v1/embeddings", f'{{"model": "auto", "input": {DEEP}}}'),
        ("/v1/feedback", f'{{"request_id": {DEEP}}}'),
        ("/v1/sql", f'{{"sql": {DEEP}}}'),
        ("/v1/trials", f'{{"do": {DEEP}}}'),
    ],
)
async def test_a_body_that_nests_too_deep_is_told_the_bound(path, body):
    async with rig(TEXT.format(url="http://127.0.0.1:9/v1")) as r:
        answer = await r.post(path, body.encode())
    assert answer.status == 400
    assert "at most 100 levels deep" in answer.error["message"]


@pytest.mark.parametrize("model", ["g", "q", "v", "auto"])
@pytest.mark.parametrize("shape", ["-9223372036854775808", "18446744073709551615", "1e308", "true"])
async def test_a_shape_that_is_none_is_the_callers_mistake(model, shape):
    text = TEXT.replace("g: {{kind: generator}}", "g: {{kind: generator}}, v: {{kind: validator}}")
    body = f'{{"model": "{model}", "messages": {HI_TEXT}, "shape": {shape}}}'
    async with Upstream().listening() as up, rig(text.format(url=up.url)) as r:
        answer = await r.post("/v1/chat/completions", body.encode())
    assert answer.status in ((200, 400) if model == "auto" else (400,))


async def test_a_named_backend_that_cannot_answer_says_so():
    async with rig(TEXT.format(url="http://127.0.0.1:9/v1")) as r:
        answer = await r.chat(model="g")
    assert (answer.status, answer.error["code"]) == (400, "backend_cannot_answer")
    assert "the request holds no shape" in answer.error["message"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(), x, max_size=3),
    max_leaves=8,
)
fuzzed_message = st.fixed_dictionaries(
    {}, optional={"role": st.just("user") | anything, "content": st.just("hi") | anything}
)
likely = st.fixed_dictionaries(
    {},
    optional={
        "model": st.sampled_from(["auto", "p", "q", "a", "g", "?"]) | anything,
        "messages": st.lists(fuzzed_message, max_size=3) | anything,
        "stream": st.booleans() | anything,
        "stream_options": anything,
        "tools": anything,
        "response_format": st.fixed_dictionaries(
            {"type": st.just("json_schema"), "json_schema": anything}
        )
        | anything,
        "metadata": anything,
        "conversation": anything,
        "shape": anything,
        "count": st.integers(-2, 5) | anything,
        "seed": anything,
        "variant": anything,
    },
)


@pytest.mark.hypothesis
async def test_fuzzed_requests_find_no_500():
    async with Upstream().listening() as up, rig(TEXT.format(url=up.url)) as r:
        bodies = []

        @settings(draws(400), suppress_health_check=list(HealthCheck))
        @given(likely)
        def collect(fields):
            bodies.append(json.dumps(fields).encode())

        collect()
        bad = []
        for body in bodies:
            for path in ("/v1/chat/completions", "/v1/route", "/v1/embeddings"):
                answer = await r.post(path, body)
                expected = answer.status in (200, 400, 404, 413, 422)
                shaped = answer.status == 200 or set(answer.error) >= {"message", "type"}
                if not (expected and shaped):
                    bad.append((path, body, answer.status, answer.body))
    assert bad == []
    assert len(bodies) >= draws(400).max_examples * 3 // 4


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_a_bad_request(body):
    for parse in (
        lambda: parse_chat(body, {}, request_id="r", key_id=""),
        lambda: parse_embeddings(body, {}, request_id="r", key_id=""),
    ):
        try:
            parse()
        except BadRequest as error:
            assert error.message


def test_request_ids_sort_by_time_and_never_repeat():
    ids = [new_id(float(now)) for now in range(1000, 2000)]
    assert ids == sorted(ids)
    assert len({new_id(5.0) for _ in range(1000)}) == 1000
