import asyncio
import csv
import io
import json
import time

import aiohttp
import pytest
from yarl import URL

from dashboard.csv_table import csv_table
from dashboard.dash_app import dash_app
from dashboard.guesses import PER_ADDRESS, TOGETHER, Guesses
from dashboard.login import LoginDoor, LoginRefused
from dashboard.static_files import StaticFiles
from router.keys import new_key, save_keys
from tests.dashboard.conftest import served


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_viewer_with_an_unchanged_page_gets_a_304(url, http):
    async with http.get(f"{url}/data/learning?last=all") as answer:
        assert answer.status == 200
        assert answer.headers["content-encoding"] == "gzip"
        page, tag = await answer.json(), answer.headers["etag"]
    assert page["panels"]["curve"]["figure"]["data"]
    async with http.get(f"{url}/data/learning?last=all", headers={"if-none-match": tag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/data/nowhere", 400, "There is no page 'nowhere': there are learning"),
        ("/data/learning?last=9y", 400, "last=9y is no span of time"),
        ("/csv/learning/nothing", 404, "There is no panel 'nothing' on the page 'learning'"),
        ("/csv/nowhere/curve", 400, "There is no page 'nowhere'"),
        ("/csv/requests/story", 400, "Choose a request"),
        ("/csv/", 400, "There is no page"),
        ("/data/learning?from=%00", 400, "is no moment"),
    ],
)
async def test_a_bad_request_gets_a_message_about_what_is_wrong(url, http, path, status, message):
    async with http.get(url + path) as answer:
        assert answer.status == status
        assert message in (await answer.json())["error"]


async def test_rows_go_out_as_csv(url, http):
    async with http.get(f"{url}/csv/learning/cost?last=all") as answer:
        assert answer.content_type == "text/csv"
        assert 'filename="waggle-learning-cost.csv"' in answer.headers["content-disposition"]
        rows = list(csv.DictReader(io.StringIO(await answer.text())))
    assert sum(int(row["n"]) for row in rows) == 600
    assert float(rows[0]["usd_per_1k"]) > 0


def test_a_spreadsheet_takes_no_text_for_a_formula():
    assert csv_table(("a",), [{"a": "=1+1"}, {"a": -1.5}]) == b"a\r\n'=1+1\r\n-1.5\r\n"


async def test_nothing_may_be_loaded_from_elsewhere(url, http):
    async with http.get(url) as answer:
        policy = answer.headers["content-security-policy"]
        text = await answer.text()
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    # A browser hides the origin of a form from its own site where the policy is `no-referrer`.
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "script-src 'self' 'sha256-" in policy
    assert 'src="http' not in text
    assert 'href="http' not in text


@pytest.mark.parametrize(
    "path", ["/", "/data/learning", "/csv/learning/curve", "/health", "/login"]
)
async def test_without_keys_it_answers_only_to_names_of_this_machine(url, http, path):
    async with http.get(url + path, headers={"host": "evil.example"}) as answer:
        assert answer.status == 421
        assert "server.hosts" in (await answer.json())["error"]
    for name in ("localhost:8050", "[::1]:8050", "boards.example"):
        async with http.get(url + path, headers={"host": name}) as answer:
            assert answer.status < 400


CALLBACK = {
    "output": "page.children",
    "outputs": {"id": "page", "property": "children"},
    "inputs": [{"id": "url", "property": "pathname", "value": "/plans"}],
    "changedPropIds": ["url.pathname"],
}


@pytest.mark.parametrize(
    "page",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:1"},
    ],
    ids=str,
)
async def test_a_foreign_page_posts_nothing_but_a_link_opens(url, http, page):
    for path in ("/login", "/_dash-update-component", "/", "/logout", "/service/answer"):
        async with http.post(url + path, json=CALLBACK, headers=page) as answer:
            assert answer.status == 403, path
            assert "another site" in (await answer.json())["error"]
    async with http.get(f"{url}/plans", headers=page) as answer:
        assert answer.status == 200


async def test_the_page_itself_may_post(url, http):
    proxied = {"sec-fetch-site": "same-origin", "origin": "https://boards.example"}
    pages = ({"origin": url}, proxied, {})
    for page in pages:
        async with http.post(
            f"{url}/_dash-update-component", json=CALLBACK, headers=page
        ) as answer:
            assert answer.status == 200
            assert "Plans" in await answer.text()


async def test_a_websocket_is_refused(url, http):
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect(f"{url}/_dash-ws-callback")


INPUT = CALLBACK["inputs"][0]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b"null", b"5", b"\xff", b"[" * 900 + b"]" * 900, b'{"output": []}',
        json.dumps(CALLBACK | {"inputs": []}).encode(),
        json.dumps(CALLBACK | {"inputs": 5}).encode(),
        json.dumps(CALLBACK | {"inputs": [INPUT | {"value": ["x"]}]}).encode(),
        json.dumps(CALLBACK | {"outputs": 5}).encode(),
        json.dumps(CALLBACK | {"output": "refreshed.data"}).encode(),
        json.dumps(CALLBACK | {"changedPropIds": [[]]}).encode(),
    ],
    ids=range(14),
)  # fmt: skip
async def test_a_callback_that_does_not_exist_is_a_bad_request(url, http, body):
    async with http.post(f"{url}/_dash-update-component", data=body) as answer:
        assert answer.status == 400
        assert "reload the page" in (await answer.json())["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/_dash-component-suites/nothing/x.js",
        "/_dash-component-suites/dash/dcc/nothing.js",
        "/_dash-component-suites/dash/",
        "/_dash-component-suites/os/path.py",
        "/_dash-component-suites/dash/%2e%2e/dash.py",
        "/_dash-component-suites/%ff/%fe.js",
        "/assets/nothing.css",
    ],
)
async def test_a_component_that_does_not_exist_is_not_found(url, http, path):
    for method in ("GET", "POST", "PUT"):
        async with http.request(method, URL(url + path, encoded=True)) as answer:
            assert answer.status == 404, method
            assert "There is no file" in (await answer.json())["error"]


async def test_made_up_fingerprints_of_a_file_fill_no_memory():
    dash = dash_app(LoginDoor())
    files = StaticFiles(dash.server, lambda: dash.registered_paths)
    await files.load()
    before = files.count
    for number in range(20):
        path = f"/_dash-component-suites/dash/dcc/async-highlight.v1m{number}.js"
        assert (await files.file(path, {})).status == 200
    assert files.count == before + 1


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / "keys.json"
    analyst, first = new_key("ann", "2026-11-21", scopes=("analyst",))
    app, second = new_key("app", "2026-11-21", scopes=("app",))
    save_keys(path, (first, second))
    return path, analyst, app, (first, second)


async def test_with_keys_an_analyst_signs_in_and_nobody_else_sees_anything(story, keys, http):
    path, analyst, app, records = keys
    with served(story, keys=path) as url:
        for page in ("/", "/learning", "/logout", "/csv/learning/curve", "/data/learning"):
            async with http.get(url + page, allow_redirects=False) as answer:
                assert answer.status in (303, 401), page
                assert "curve" not in await answer.text()
        async with http.post(f"{url}/_dash-update-component", json={}) as answer:
            assert answer.status == 401
        for wrong, message in (
            ("wg-no-no", "not known"),
            (app, "may send requests, but not look: make a key with `waggle keys new app-looks"),
            ("", "API key"),
        ):
            async with http.post(f"{url}/login", data={"key": wrong}) as answer:
                assert answer.status == 401
                assert message in await answer.text()
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as ann:
            async with ann.post(
                f"{url}/login", data={"key": analyst}, allow_redirects=False
            ) as answer:
                assert answer.status == 303
                cookie = answer.headers["set-cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
            assert analyst not in cookie
            async with ann.get(f"{url}/data/learning?last=all") as answer:
                assert answer.status == 200
            # Revoking a key ends its sign-ins.
            save_keys(
                path, [record.model_copy(update={"revoked": "2026-11-21"}) for record in records]
            )
            async with ann.get(f"{url}/data/learning?last=all") as answer:
                assert answer.status == 401


def test_a_sign_in_ends_after_hours_and_when_the_viewer_signs_out(keys):
    path, analyst, _, _ = keys
    now = [0.0]
    door = LoginDoor(path, clock=lambda: now[0])
    words = [door.enter(analyst) for _ in range(2)]
    assert words[0] != words[1]
    assert door.admits(f"waggle={words[0]}")
    door.leave(f"waggle={words[0]}")
    assert not door.admits(f"waggle={words[0]}")
    now[0] = 13 * 3600
    assert not door.admits(f"waggle={words[1]}")
    assert not door.admits("")
    assert not door.admits("waggle=; ;;=\x00")


def test_guessing_is_slowed_and_the_operator_still_signs_in(keys):
    path, analyst, _, (record, _) = keys
    now = [0.0]
    door = LoginDoor(path, clock=lambda: now[0])

    def guess(key, address="10.0.0.9"):
        with pytest.raises(LoginRefused) as refused:
            door.enter(key, address=address)
        return refused.value.wait_seconds

    tries = [guess(f"wg-{n}-guess") for n in range(1000)]
    assert tries.count(0) == PER_ADDRESS.burst
    assert guess("wg-1-guess", "10.0.0.8") == 0  # another address goes on
    assert door.enter(analyst, address="10.0.0.9")  # the operator, behind the same address
    aimed = [guess(f"wg-{record.id}-guess") for _ in range(1000)]
    assert aimed.count(0) == PER_ADDRESS.burst
    assert 0 < guess(analyst) <= PER_ADDRESS.seconds
    now[0] += PER_ADDRESS.seconds
    assert door.enter(analyst, address="10.0.0.9")  # nobody is locked out for good


def test_many_addresses_together_are_slowed_too_and_fill_no_memory():
    guesses, waits = Guesses(), []
    for number in range(20_000):
        address = f"2001:db8:{number % 65_536:x}::1"
        waits.append(guesses.wait(address, "", 0.0))
        if waits[-1] == 0:
            guesses.wrong(address, "", 0.0)
    assert waits.count(0) == TOGETHER.burst
    for number in range(20_000):
        guesses.wrong(f"10.1.{number // 256}.{number % 256}", "", float(number))
    assert guesses.addresses <= 4096
    assert guesses.wait("2001:db8::1", "", 0.0) == guesses.wait("2001:db8::2", "", 0.0)


async def test_a_guesser_is_asked_to_wait(story, keys, http):
    path, analyst, _, _ = keys
    with served(story, keys=path) as url:
        for _ in range(PER_ADDRESS.burst):
            async with http.post(f"{url}/login", data={"key": "wg-no-no"}) as answer:
                assert answer.status == 401
        async with http.post(f"{url}/login", data={"key": "wg-no-no"}) as answer:
            assert answer.status == 429
            assert int(answer.headers["retry-after"]) >= 1
            assert "Too many wrong keys" in await answer.text()
        form = {"data": {"key": analyst}, "allow_redirects": False}
        async with http.post(
            f"{url}/login", headers={"origin": "https://evil.example"}, **form
        ) as a:
            assert a.status == 403
        async with http.post(f"{url}/login", headers={"origin": url}, **form) as answer:
            assert answer.status == 303


def test_a_broken_key_file_signs_nobody_in(keys):
    path, analyst, _, _ = keys
    door = LoginDoor(path)
    word = door.enter(analyst)
    time.sleep(0.01)
    path.write_text("{")
    assert door.locked
    assert door.admits(f"waggle={word}")
    fresh = LoginDoor(path)
    with pytest.raises(LoginRefused, match="cannot be read"):
        fresh.enter(analyst)
    assert not fresh.admits("")


async def test_many_viewers_at_once_are_all_answered(url, http):
    async def look(n):
        page = ("learning", "plans", "system")[n % 3]
        async with http.get(f"{url}/data/{page}?last=all") as answer:
            return answer.status, len(await answer.read())

    answers = await asyncio.gather(*(look(n) for n in range(40)))
    assert {status for status, _ in answers} == {200}
    assert min(size for _, size in answers) > 1000
