import asyncio
import csv
import io
import time

import aiohttp
import pytest

from dashboard.csv_table import csv_table
from dashboard.login import LoginDoor, LoginRefused
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
    assert "script-src 'self' 'sha256-" in policy
    assert 'src="http' not in text
    assert 'href="http' not in text


async def test_without_keys_it_answers_only_to_names_of_this_machine(url, http):
    async with http.get(url, headers={"host": "evil.example"}) as answer:
        assert answer.status == 421
    async with http.get(url, headers={"host": "localhost:8050"}) as answer:
        assert answer.status == 200


async def test_a_websocket_is_refused(url, http):
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect(f"{url}/_dash-ws-callback")


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
