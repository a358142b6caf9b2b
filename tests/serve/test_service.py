"""The service as it is deployed: Ray Serve, HAProxy, several routers, real kills."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

import aiohttp
import duckdb
import openai
import pytest

from dashboard.board import PAGES
from router.deployment.processes import born
from tests.dashboard.browser import CHROMIUM, Watched, chromium
from tests.router.test_local import made
from tests.serve.conftest import Service, ask_telemetry, end_hard, new_service
from tests.upstream import answer_well

pytestmark = [pytest.mark.ray, pytest.mark.timeout(240)]

TEXT = """
backends:
  a: {{kind: openai, base_url: "{url}", price: {{input: {price}, output: 2}}}}
{more}plans:
  fast: {{ask: a}}
{plans}"""
HI = [{"role": "user", "content": "hi"}]
BODY = {"model": "auto", "messages": HI}


SANDBOX = "  s: {kind: sandbox}\n"
COMPUTE = "  compute: {code: s}\n"
MEAN = "What is the mean of [1, 2, 6]?"


async def slowly(wire):
    await asyncio.sleep(0.05)
    await answer_well(wire)


@pytest.fixture(scope="module")
def upstream(background):
    return background.upstream(slowly)


@pytest.fixture(scope="module")
def service(upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    text = TEXT.format(url=upstream.url, price=1, more="", plans="")
    service = new_service(folder, text, dashboard=True)
    service.start()
    yield service
    end_hard(service)


class Load:
    """Requests that go on until told otherwise, and what came of them."""

    def __init__(self, service: Service, at_once: int = 8, model: str = "auto") -> None:
        self._body = BODY | {"model": model}
        self.statuses: list[int] = []
        self.ids: list[str] = []
        self.bodies: list[bytes] = []
        self._url = service.url + "/v1/chat/completions"
        self._at_once = at_once
        self._stop = asyncio.Event()

    async def _one(self, session: aiohttp.ClientSession) -> None:
        while not self._stop.is_set():
            try:
                async with session.post(self._url, json=self._body) as answer:
                    body = await answer.read()
                    self.ids.append(answer.headers.get("x-waggle-request-id", ""))
                    self.statuses.append(answer.status)
            except aiohttp.ClientError as error:
                body = repr(error).encode()
                self.statuses.append(0)
                self.ids.append("")
            if self.statuses[-1] != 200:
                self.bodies.append(body)

    async def __aenter__(self):
        self._session = aiohttp.ClientSession()
        self._tasks = [asyncio.create_task(self._one(self._session)) for _ in range(self._at_once)]
        await self.more(20)
        return self

    async def more(self, count: int) -> None:
        """Wait until so many more have been answered."""
        wanted = len(self.statuses) + count
        while len(self.statuses) < wanted:
            await asyncio.sleep(0.02)

    async def __aexit__(self, *_):
        self._stop.set()
        await asyncio.gather(*self._tasks)
        await self._session.close()


async def command(service, *args):
    return await asyncio.to_thread(service.run, *args)


async def test_the_official_client_works_against_it(service):
    async with openai.AsyncOpenAI(base_url=service.url + "/v1", api_key="x") as c:
        answer = await c.chat.completions.create(model="auto", messages=HI)
        stream = await c.chat.completions.create(model="auto", messages=HI, stream=True)
        words = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert answer.choices[0].message.content == "hello"
    assert answer.usage.cost == pytest.approx(0.0002)
    assert "".join(words) == "one two three"


def test_the_official_node_client_works_against_it(service):
    folder = Path(__file__).parent.parent / "node"
    if shutil.which("npm") is None:
        pytest.skip("no node on this machine")
    if not (folder / "node_modules" / "openai").is_dir():
        install = ["npm", "ci", "--no-audit", "--no-fund"]
        subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=200)
    command = ["node", "client.mjs", service.url + "/v1"]
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
    }


def test_ask_and_status_speak_to_the_running_service(service):
    asked = service.run("ask", "hi")
    assert asked.stdout == "one two three\n"
    assert "plan fast · backend a · cost $0.000200" in asked.stderr.replace("\n", " ")
    assert "is ready" in service.run("status").stdout
    told = json.loads(service.run("status", "--json").stdout)
    assert told["backends"]["a"] == {"state": "up", "replicas": 1}


def test_the_dashboard_beside_it_shows_what_it_does_and_comes_back(service):
    at = json.loads(service.run("status", "--json").stdout)["dashboard"]
    assert at in service.log
    service.run("ask", "hi")
    _until(lambda: _shown(at)["newest"] is not None)
    (pid,) = service.processes("-m dashboard")
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"WAGGLE_TOKEN" not in environment
    assert b"RAY_" not in environment
    if CHROMIUM is not None:
        with chromium() as browser:
            seen = Watched(browser, at)
            for name in PAGES:
                seen.open(f"/{name}?last=1h")
                assert seen.page.locator("#state").inner_text() == "● live"
            seen.open("/system")
            assert "in force" in seen.page.locator("#panel-changed").inner_text()
            seen.open("/learning")
            assert seen.trouble == []
            os.kill(pid, signal.SIGKILL)
            seen.until("document.getElementById('state').textContent.includes('answer')")
            seen.until("document.getElementById('state').textContent === '● live'", 60)
            seen.close()
            assert seen.foreign == []
    else:
        os.kill(pid, signal.SIGKILL)
    _until(lambda: service.processes("-m dashboard") not in ([], [pid]))
    _until(lambda: _shown(at)["state"] == "live")


def _shown(at):
    try:
        with urllib.request.urlopen(f"{at}/data/learning?last=1h", timeout=10) as answer:
            return json.load(answer)
    except OSError:
        return {"newest": None, "state": "away"}


def _until(holds, seconds=60):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_everything_it_listens_on_is_loopback(service):
    lines = service.run("doctor").stdout
    assert "all on loopback" in lines


def test_a_second_service_on_the_same_folder_is_refused(service):
    refused = service.run("serve", check=False)
    assert refused.returncode == 1
    assert "already runs" in refused.stderr


async def test_a_reload_changes_prices_under_load_and_fails_nobody(service, upstream):
    service.config.write_text(
        f"server: {{port: {service.port}}}\n"
        + TEXT.format(url=upstream.url, price=5, more="", plans="")
    )
    async with Load(service) as load:
        await command(service, "reload")
        await load.more(40)
    assert set(load.statuses) == {200}, load.bodies[:3]
    async with openai.AsyncOpenAI(base_url=service.url + "/v1", api_key="x") as c:
        for _ in range(6):  # whichever router answers
            answer = await c.chat.completions.create(model="auto", messages=HI)
            assert answer.usage.cost == pytest.approx((100 * 5 + 50 * 2) / 1e6)


async def test_a_reload_brings_backends_and_plans_and_takes_them_away(service, upstream):
    head = f"server: {{port: {service.port}}}\n"
    more = f'  b: {{kind: openai, base_url: "{upstream.url}"}}\n'
    grown = TEXT.format(url=upstream.url, price=1, more=more, plans="  other: {ask: b}\n")
    plain = TEXT.format(url=upstream.url, price=1, more="", plans="")
    async with Load(service) as load:
        service.config.write_text(head + grown)
        await command(service, "reload")
        async with openai.AsyncOpenAI(base_url=service.url + "/v1", api_key="x") as c:
            answer = await c.chat.completions.with_raw_response.create(model="other", messages=HI)
            assert answer.headers["x-waggle-backend"] == "b"
            service.config.write_text(head + plain)
            await command(service, "reload")
            await load.more(20)
            with pytest.raises(openai.NotFoundError):
                await c.chat.completions.create(model="other", messages=HI)
    assert set(load.statuses) == {200}, load.bodies[:3]


@pytest.mark.slow
async def test_a_backend_under_load_gets_more_replicas(service, upstream):
    head = f"server: {{port: {service.port}}}\n"
    many = "replicas: {min: 1, max: 2, ongoing: 1}"
    more = f'  b: {{kind: openai, base_url: "{upstream.url}", {many}}}\n'
    grown = TEXT.format(url=upstream.url, price=1, more=more, plans="  other: {ask: b}\n")
    plain = TEXT.format(url=upstream.url, price=1, more="", plans="")
    service.config.write_text(head + grown)
    await command(service, "reload")
    async with Load(service, model="other") as load:
        for _ in range(300):
            told = json.loads((await command(service, "status", "--json")).stdout)
            if told["backends"]["b"]["replicas"] == 2:
                break
        await load.more(20)
    service.config.write_text(head + plain)
    await command(service, "reload")
    assert told["backends"]["b"]["replicas"] == 2
    assert set(load.statuses) == {200}, load.bodies[:3]


async def test_a_client_that_hangs_up_at_the_ingress_cancels_the_call_upstream(service, upstream):
    begun, ended = threading.Event(), threading.Event()

    async def until_closed(wire):
        begun.set()
        await wire.reader.read()
        ended.set()
        raise ConnectionError

    usual, upstream.script = upstream.script, until_closed
    try:
        async with aiohttp.ClientSession() as session:
            asked = session.post(service.url + "/v1/chat/completions", json=BODY)
            task = asyncio.create_task(asked.__aenter__())
            assert await asyncio.to_thread(begun.wait, 10)
            await asyncio.sleep(0.1)
            task.cancel()
        assert await asyncio.to_thread(ended.wait, 10)
    finally:
        upstream.script = usual


def test_a_reload_of_a_wrong_file_changes_nothing(service):
    good = service.config.read_text()
    service.config.write_text(good + "nonsense: 1\n")
    refused = service.run("reload", check=False)
    service.config.write_text(good)
    assert refused.returncode == 2
    assert "nonsense" in refused.stderr
    assert service.run("ask", "hi").stdout == "one two three\n"


@pytest.mark.parametrize("part", ["waggle-backend-a:a", "ServeReplica:waggle:router", "hive"])
async def test_a_replica_killed_under_load_is_not_noticed(service, part):
    async with Load(service) as load:
        victim = service.processes(part)[0]
        os.kill(victim, signal.SIGKILL)
        await load.more(60)
        while victim in service.processes(part) or not service.processes(part):
            await asyncio.sleep(0.1)
        await load.more(60)
    assert set(load.statuses) == {200}, load.bodies[:3]


async def test_the_ingress_process_killed_comes_back(service):
    [victim] = service.processes("bin/haproxy")
    os.kill(victim, signal.SIGKILL)
    until = time.monotonic() + 30
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < until:
            try:
                async with session.post(service.url + "/v1/chat/completions", json=BODY) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
    pytest.fail("the ingress did not come back")


async def test_a_key_made_or_revoked_counts_at_once(service):
    def ask(key):
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return session.post(service.url + "/v1/chat/completions", json=BODY, headers=headers)

    async with aiohttp.ClientSession() as session:
        made = await command(service, "keys", "new", "alice", "--rpm", "1000")
        key = made.stdout.strip()
        async with ask("") as none, ask(key) as right:
            assert (none.status, right.status) == (401, 200)
        assert key not in (await command(service, "keys", "list")).stdout
        await command(service, "keys", "revoke", "alice")
        async with ask(key) as revoked:
            assert revoked.status == 401
            assert (await revoked.json())["error"]["code"] == "revoked_api_key"
    (service.data / "keys.json").unlink()
    await command(service, "reload")


async def test_analysts_see_the_last_second_while_the_service_is_under_load(service):
    async with Load(service) as load:
        for _ in range(5):
            await load.more(10)
            before = list(load.ids)
            rows = await asyncio.to_thread(
                ask_telemetry,
                service.data,
                "select request_id, epoch(utc_now() - ts) as age from requests order by ts desc",
            )
            # Not only fresh: whatever was answered before the query began is there.
            assert set(before) <= {row["request_id"] for row in rows}
            assert rows[0]["age"] < 1
            curve = await asyncio.to_thread(
                ask_telemetry, service.data, "from learning_curve(since := ago(interval 1 hour))"
            )
            assert sum(bucket["n"] for bucket in curve) >= len(before)  # a bucket may just begin
    assert set(load.statuses) == {200}


async def test_the_keeper_killed_under_load_comes_back_and_no_row_is_lost(service):
    async with Load(service) as load:
        (victim,) = service.processes("router.telemetry.keeper")
        os.kill(victim, signal.SIGKILL)
        while victim in (now := service.processes("router.telemetry.keeper")) or not now:
            await load.more(1)
        await load.more(50)
    rows = ask_telemetry(service.data, "select request_id from requests")
    assert set(load.ids) <= {row["request_id"] for row in rows}
    assert set(load.statuses) == {200}


async def test_feedback_is_durable_and_counts_at_once(service):
    async with aiohttp.ClientSession() as session:
        async with session.post(service.url + "/v1/chat/completions", json=BODY) as answer:
            request_id = answer.headers["x-waggle-request-id"]
        said = {"request_id": request_id, "score": 0.75, "comment": "nearly"}
        for new in (2, 0, 0):  # whichever router hears it
            async with session.post(service.url + "/v1/feedback", json=said) as answer:
                assert answer.status == 200
                assert (await answer.json())["new"] == new
        (row,) = ask_telemetry(service.data, f"from explain('{request_id}')")
        assert (row["quality"], row["quality_source"]) == (0.75, "app")
        query = {"sql": f"select quality from requests where request_id = '{request_id}'"}
        async with session.post(service.url + "/v1/sql", json=query) as answer:
            assert (await answer.json())["rows"] == [[0.75]]


async def test_the_learner_killed_under_load_fails_nobody_and_remembers(service):
    async def learned(least):
        for _ in range(200):
            async with session.get(service.url + "/v1/learner") as answer:
                told = await answer.json()
            if answer.status == 200 and told.get("learned", -1) >= least:
                return told
            await asyncio.sleep(0.2)
        pytest.fail(f"the learner did not come to {least}: {told}")

    async with aiohttp.ClientSession() as session:
        before = (await learned(0))["learned"]
        for n in range(10):
            headers = {"x-session-id": f"taught-{n}"}
            async with session.post(
                service.url + "/v1/chat/completions", json=BODY | {"model": "auto"}, headers=headers
            ) as answer:
                request_id = answer.headers["x-waggle-request-id"]
            said = {"request_id": request_id, "score": 0.7}
            async with session.post(service.url + "/v1/feedback", json=said) as answer:
                assert answer.status == 200
        told = await learned(before + 10)
        (row,) = (row for row in told["kinds"][0]["plans"] if row["plan"] == "fast")
        assert row["judged"] >= 10
        (replica,) = service.processes("ServeReplica:waggle:learner")
        async with Load(service) as load:
            os.kill(replica, signal.SIGKILL)
            await load.more(100)
            again = await learned(before + 10)
        assert set(load.statuses) == {200}
        assert again["learned"] == told["learned"]
    assert "judged answers" in (await command(service, "scores")).stdout


ROUTE = """\
def route(request, scores, similar):
    return "other" if request["task"] == "hard" else "fast"
"""


async def _plan_of(service, task, **wanted):
    """Asks until the answer says so; routers hear of a change within a second."""
    headers = {"x-waggle-task": task}
    until = time.monotonic() + 30
    async with aiohttp.ClientSession() as session:
        while True:
            url = service.url + "/v1/chat/completions"
            async with session.post(url, json=BODY, headers=headers) as answer:
                told = {name.lower(): value for name, value in answer.headers.items()}
                assert answer.status == 200
            if all(told.get(f"x-waggle-{name}") == value for name, value in wanted.items()):
                return told
            assert time.monotonic() < until, (wanted, told)
            await asyncio.sleep(0.05)


async def test_a_function_is_tried_adopted_and_rolled_back_and_survives_the_learner(
    service, upstream, tmp_path
):
    text = TEXT.format(url=upstream.url, price=1, more="", plans="  other: {ask: a}\n")
    service.config.write_text(f"server: {{port: {service.port}}}\n{text}")
    await command(service, "reload")
    (tmp_path / "route.py").write_text(ROUTE)
    source = str(tmp_path / "route.py")
    await command(service, "trial", "register", "mine", "--kind", "function", "--file", source)
    await command(service, "trial", "new", "try-mine", "--candidate", "mine", "--split", "0.9")
    told = await _plan_of(service, "hard", experiment="try-mine:candidate", plan="other")
    assert told["x-waggle-strategy"] == "function"
    assert told["x-waggle-propensity"] == "0.9"
    await command(service, "trial", "adopt", "try-mine", "--at-once")
    await _plan_of(service, "hard", experiment="try-mine:candidate", plan="other")
    for pid in service.processes("learner"):
        os.kill(pid, signal.SIGKILL)
    await _plan_of(service, "easy", experiment="try-mine:candidate", plan="fast")
    listed = await command(service, "trial", "list")
    assert "mine@1 serves, held against ladder" in listed.stdout
    assert "mine@1" in (await command(service, "routes", "log")).stdout
    await command(service, "trial", "rollback")
    await _plan_of(service, "hard", experiment="none", strategy="ladder")
    until = time.monotonic() + 60
    while True:  # the learner that came in its place tells what happened
        with contextlib.suppress(duckdb.Error):
            rows = ask_telemetry(service.data, "select state from trial_history order by ts")
            if rows and rows[-1]["state"] == "rolled back":
                break
        assert time.monotonic() < until, rows
        await asyncio.sleep(0.2)
    sides = ask_telemetry(service.data, "from trial_results('try-mine')")
    assert {row["variant"] for row in sides} <= {"candidate", "current"}


def test_the_command_line_asks_and_verifies_beside_the_running_service(service, tmp_path):
    assert "fast" in service.run("sql", "select distinct plan from requests").stdout
    told = service.run("sql", "select 1 as one", "--format", "csv").stdout
    assert told.splitlines() == ["one", "1"]
    target = tmp_path / "rows.parquet"
    service.run("sql", "select * from requests", "--format", "parquet", "--out", str(target))
    assert duckdb.connect().execute(f"select count(*) > 50 from '{target}'").fetchall() == [(True,)]
    assert "Nothing is damaged" in service.run("telemetry", "verify").stdout
    assert "now." in service.run("telemetry", "compact").stdout
    assert "requests" in service.run("telemetry", "status").stdout
    assert "Nothing is damaged" in service.run("telemetry", "verify").stdout


STEPS = """  g: {{kind: generator}}
  e: {{kind: enricher}}
  v: {{kind: validator, repair: true}}
  mine:
    kind: local
    device: cpu
    models: {{tiny: {tiny}, other: {other}}}
"""
RECORDS = "  records: {pipeline: [{ask: g, fields: anchors}, e, v]}\n"
SHAPE = {"name": "string", "email": "email", "city": "string", "country": "string"}


async def test_plans_run_deployed_and_a_step_that_is_killed_is_not_noticed(
    service, upstream, tmp_path
):
    folders = {name: made(tmp_path / name, seed) for seed, name in enumerate(("tiny", "other"))}
    more = STEPS.format(**folders)
    text = TEXT.format(url=upstream.url, price=1, more=more, plans=RECORDS)
    await asyncio.to_thread(service.config.write_text, text)
    await command(service, "reload")
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    asked = {"messages": HI, "shape": SHAPE}
    lines = (json.dumps({"custom_id": f"r{n}", "body": asked | {"seed": n}}) for n in range(400))
    source.write_text("\n".join(lines))
    batch = asyncio.create_task(
        command(service, "batch", str(source), str(target), "--plan", "records")
    )
    while not target.exists() or target.stat().st_size < 20_000:
        await asyncio.sleep(0.02)
    for pid in service.processes("ServeReplica:waggle-backend-e"):
        os.kill(pid, signal.SIGKILL)
    await batch
    told = [json.loads(line) for line in target.read_text().splitlines()]
    assert len({line["custom_id"] for line in told}) == len(told) == 400
    assert all(line["error"] is None and "partial" not in line for line in told)
    models = []
    for model in ("tiny", "other", "tiny"):  # kept and swapped by Serve
        body = BODY | {"model": model, "max_tokens": 2}
        async with aiohttp.ClientSession() as session:
            async with session.post(service.url + "/v1/chat/completions", json=body) as answer:
                models.append((await answer.json())["model"])
    assert models == ["tiny", "other", "tiny"]
    await asyncio.sleep(0.5)
    rows = await asyncio.to_thread(
        ask_telemetry,
        service.data,
        "select backend, role, parent, count(distinct request_id) as n, max(swap_ms) > 0 as swapped"
        " from attempts where backend in ('e', 'mine') and error_type is null group by all",
    )
    assert {"backend": "e", "role": "pipeline.1", "parent": 1, "n": 400, "swapped": None} in rows
    assert {"backend": "mine", "role": None, "parent": None, "n": 3, "swapped": True} in rows


async def test_programs_go_on_though_the_sandbox_is_killed(service, upstream):
    """First its zygotes, then the replica that has them: no caller notices, nothing stays."""
    text = TEXT.format(url=upstream.url, price=1, more=SANDBOX, plans=COMPUTE)
    await asyncio.to_thread(service.config.write_text, text)
    await command(service, "reload")
    asked = {"model": "auto", "messages": [{"role": "user", "content": MEAN}]}
    async with aiohttp.ClientSession() as session:

        async def computed() -> str:
            async with session.post(service.url + "/v1/chat/completions", json=asked) as answer:
                told = await answer.json()
                assert answer.status == 200, told
                return told["choices"][0]["message"]["content"]

        assert await computed() == '{"mean":3.0}'
        for part in ("sandbox.cell.zygote", "ServeReplica:waggle-backend-s"):
            killed = [pid for pid in service.processes(part) if born(pid)]
            assert killed
            for pid in killed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            answers = await asyncio.gather(*(computed() for _ in range(20)))
            assert set(answers) == {'{"mean":3.0}'}
    await asyncio.sleep(0.5)
    assert [pid for pid in killed if born(pid)] == []


def test_what_happened_is_on_disk_and_no_secret_or_prompt_is(service):
    rows = ask_telemetry(service.data, "select * from requests")
    assert len(rows) > 100
    text = json.dumps(rows, default=str)
    assert '"content"' not in text
    assert "wg-" not in text
    assert not [row for row in rows if row["prompt"] or row["answer"]]
    events = ask_telemetry(service.data, "select kind, count(*) as n from events group by kind")
    assert {"configuration", "router", "topology"} <= {row["kind"] for row in events}


@pytest.mark.alone
def test_control_c_stops_it_and_leaves_no_process_and_no_file_elsewhere(tmp_path, upstream):
    places = (Path("/tmp"), Path.home(), Path.home() / ".cache")
    before = {place: set(place.iterdir()) for place in places if place.is_dir()}
    more = "  e: {kind: encoder}\n"  # torch is one that writes where nobody asked it to
    more += SANDBOX
    text = TEXT.format(url=upstream.url, price=1, more=more, plans=COMPUTE)
    service = new_service(tmp_path, text, dashboard=True)
    try:
        service.start()
        with openai.OpenAI(base_url=service.url + "/v1", api_key="x") as c:
            assert c.embeddings.create(model="auto", input="x").data
        assert service.run("ask", MEAN).stdout == '{"mean":3.0}\n'
        family = set(service.processes(""))
        assert service.run("ask", "hi").stdout == "one two three\n"
        assert service.stop(signal.SIGINT) == 0
    finally:
        end_hard(service)
    assert "Nothing is left running" in service.log
    assert [pid for pid in family if born(pid)] == []
    new = {p: set(p.iterdir()) - old for p, old in before.items()}
    assert [f for found in new.values() for f in found if "pytest" not in f.name] == []


@pytest.mark.alone
def test_a_term_for_all_of_its_processes_at_once_leaves_none(tmp_path, upstream):
    """As a supervisor sends it: what the command would ask to stop is gone already."""
    service = new_service(tmp_path, TEXT.format(url=upstream.url, price=1, more="", plans=""))
    try:
        service.start()
        family = set(service.processes(""))
        for pid in [*family, service.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        assert service.process.wait(50) == 0
    finally:
        end_hard(service)
    assert [pid for pid in family if born(pid)] == []


def tier_of(service: Service, text: str) -> str:
    """How much of its answer was remembered."""
    body = {"model": "auto", "messages": [{"role": "user", "content": text}]}
    url = service.url + "/v1/chat/completions"
    asked = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "text/json"})
    with urllib.request.urlopen(asked, timeout=30) as told:
        return told.headers["x-waggle-reuse"]


def test_a_service_whose_command_was_killed_starts_again_at_once(tmp_path, upstream):
    """And remembers, in every router, what it had solved."""
    text = TEXT.format(url=upstream.url, price=1, more=SANDBOX, plans=COMPUTE)
    service = new_service(tmp_path, text + "reuse: {mode: exact}\n")
    try:
        service.start()
        assert service.run("ask", MEAN).stdout == '{"mean":3.0}\n'
        until = time.monotonic() + 10
        while tier_of(service, MEAN) != "exact":
            assert time.monotonic() < until
        assert service.processes("sandbox.cell.zygote")
        family = set(service.processes(""))
        os.kill(service.process.pid, signal.SIGKILL)
        service.process.wait()
        service.start()
        assert [pid for pid in family if born(pid)] == []
        assert {tier_of(service, MEAN) for _ in range(8)} == {"exact"}
        assert service.run("solutions", "verify").returncode == 0
        assert service.run("ask", "hi").stdout == "one two three\n"
        assert service.stop() == 0
    finally:
        end_hard(service)


async def test_kill_9_of_everything_loses_nothing_that_was_acknowledged(tmp_path, upstream):
    service = new_service(tmp_path, TEXT.format(url=upstream.url, price=1, more="", plans=""))
    try:
        service.start()
        judged = []
        async with Load(service) as load, aiohttp.ClientSession() as session:
            await load.more(200)
            for request_id in load.ids[:20]:
                said = {"request_id": request_id, "thumbs": "up"}
                async with session.post(service.url + "/v1/feedback", json=said) as answer:
                    assert answer.status == 200
                    judged.append(request_id)
            for pid in [service.process.pid, *service.processes("")]:
                os.kill(pid, signal.SIGKILL)
            service.process.wait()
        answered = {i for i, status in zip(load.ids, load.statuses, strict=False) if status == 200}
        assert "no service runs" in service.run("status", check=False).stderr
        service.start()
        assert service.run("ask", "hi").stdout == "one two three\n"
        service.run("stop")
        assert service.process.wait(30) == 0
        rows = ask_telemetry(service.data, "select request_id, quality from requests")
        assert answered <= {row["request_id"] for row in rows}
        assert set(judged) <= {row["request_id"] for row in rows if row["quality"] == 1}
        assert len(rows) == len({row["request_id"] for row in rows})
        assert "Nothing is damaged" in service.run("telemetry", "verify").stdout
    finally:
        end_hard(service)
