"""No web page that the operator visits can use a service without keys; honest clients can."""

import asyncio

import pytest

from router.keys import new_key
from tests.rig import rig

TEXT = """
server: {hosts: [host.docker.internal]}
backends: {g: {kind: generator}}
plans: {q: {ask: g}}
"""
BODY = b'{"model": "q", "shape": {"a": "int"}, "messages": [{"role": "user", "content": "one"}]}'
JSON = {"content-type": "application/json"}
GETS = (
    "/health", "/health/live", "/health/ready", "/metrics", "/v1/models", "/v1/models/q",
    "/v1/learner", "/v1/trials", "/v1/files", "/v1/files/x/content", "/v1/batches", "/nowhere",
)  # fmt: skip
POSTS = (
    "/v1/chat/completions", "/v1/embeddings", "/v1/route", "/v1/feedback", "/v1/sql", "/v1/trials"
)  # fmt: skip
FORMS = ("/v1/files", "/v1/images/edits", "/v1/images/variations", "/v1/audio/transcriptions")
PASSED = ("/v1/completions", "/v1/rerank", "/v1/moderations", "/v1/images/generations")
ROUTES = [
    *(("GET", path) for path in GETS),
    *(("POST", path) for path in (*POSTS, *FORMS, *PASSED)),
]


async def send(r, method, path, headers, body=BODY):
    content = body if method == "POST" else None
    async with r.client.request(method, r.url + path, data=content, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None) if answer.status >= 400 else {}


async def test_a_rebound_name_is_refused_on_every_route():
    async with rig(TEXT) as r:
        for method, path in ROUTES:
            status, answer = await send(r, method, path, JSON | {"host": "evil.example:8000"})
            assert (status, answer["error"]["code"]) == (421, "foreign_host"), path
            assert "`Host` is 'evil.example:8000'" in answer["error"]["message"]
            assert "server.hosts" in answer["error"]["message"]


@pytest.mark.parametrize(
    "page",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
    ],
    ids=str,
)
async def test_a_foreign_page_is_refused_on_every_route(page):
    async with rig(TEXT) as r:
        for method, path in ROUTES:
            status, answer = await send(r, method, path, JSON | page)
            assert (status, answer["error"]["code"]) == (403, "foreign_origin"), path


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "text/plain; charset=application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "application/jsonp",
        "application/x-ndjson",
        "",
    ],
)
async def test_what_any_page_may_post_is_refused_with_and_without_keys(kind):
    text, key = new_key("admin", "", scopes=("admin",))
    for keys, more in (((), {}), ((key,), {"authorization": f"Bearer {text}"})):
        async with rig(TEXT, keys=keys) as r:
            for path in POSTS:
                status, answer = await send(r, "POST", path, {"content-type": kind, **more})
                assert (status, answer["error"]["param"]) == (415, "content-type"), path
                assert "-H 'content-type: application/json'" in answer["error"]["message"]


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON ;charset="UTF-8"',
        "application/vnd.api+json",
    ],
)
async def test_json_is_json_however_it_is_written(kind):
    async with rig(TEXT) as r:
        assert (await send(r, "POST", POSTS[0], {"content-type": kind}))[0] == 200


LOCAL = (
    "localhost",
    "LocalHost:8000",
    "localhost.:8000",
    "app.localhost:3000",
    "127.0.0.1",
    "127.8.9.1:1",
    "[::1]:8000",
    "host.docker.internal:8000",
)


async def test_the_names_of_this_machine_and_the_operators_own_are_served():
    async with rig(TEXT) as r:
        for host in LOCAL:
            origin = {"origin": f"http://{host}", "sec-fetch-site": "cross-site"}
            for page in ({}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "none"}, origin):
                status, _ = await send(r, "GET", "/v1/models", {"host": host} | page)
                assert status == 200, (host, page)


SEEMING = (
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example#localhost",
    "localhost@evil.example",
    "evil.example:localhost",
    "localhost:80:80",
    "0.0.0.0:8000",
    "[::]:8000",
    "10.0.0.1",
    "notlocalhost",
    ".localhost.com",
    "",
    "localhost,evil.example",
)


async def test_names_that_only_look_local_are_refused():
    async with rig(TEXT) as r:
        for host in SEEMING:
            assert (await send(r, "GET", "/v1/models", {"host": host}))[0] in (400, 421), host
            origin = {"origin": f"http://{host}"}
            assert (await send(r, "GET", "/v1/models", origin))[0] == 403, host


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /health/live HTTP/1.0\r\n\r\n", b"200"),
        (b"GET /health/live HTTP/1.1\r\n\r\n", b"421"),
        (b"GET /health/live HTTP/1.1\r\nhost: \xff\xfe\r\n\r\n", b"421"),
        (b"GET http://evil.example/health/live HTTP/1.1\r\nhost: evil.example\r\n\r\n", b"421"),
    ],
)
async def test_only_the_oldest_protocol_may_name_no_host(head, status):
    async with rig(TEXT) as r:
        reader, writer = await asyncio.open_connection(*r.url.removeprefix("http://").split(":"))
        writer.write(head)
        answer = await reader.readline()
        writer.close()
    assert answer.split(b" ")[1] == status


async def test_with_keys_the_key_decides_and_a_browser_app_goes_on():
    text, key = new_key("app", "")
    page = {
        "origin": "https://app.example",
        "host": "waggle.example",
        "sec-fetch-site": "cross-site",
    }
    async with rig(TEXT, keys=(key,)) as r:
        allowed, _ = await send(
            r, "POST", POSTS[0], JSON | page | {"authorization": f"Bearer {text}"}
        )
        refused, _ = await send(r, "POST", POSTS[0], JSON | page)
    assert (allowed, refused) == (200, 401)


async def test_the_first_key_and_a_new_name_count_at_once():
    _, key = new_key("app", "")
    foreign = {"host": "waggle.example"}
    async with rig(TEXT) as r:
        config = r.engine.config
        named = config.server.model_copy(update={"hosts": ("waggle.example",)})
        first, _ = await send(r, "GET", "/v1/models", foreign)
        r.router.reconfigure(config.model_copy(update={"server": named}), ())
        second, _ = await send(r, "GET", "/v1/models", foreign)
        r.router.reconfigure(config, (key,))
        third, _ = await send(r, "GET", "/v1/models", foreign)
    assert (first, second, third) == (421, 200, 401)
