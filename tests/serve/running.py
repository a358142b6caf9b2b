"""A real service, started by `waggle serve`, with scripted upstreams and load for it."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import duckdb
import pytest

from router.deployment.local_service import find_running
from router.deployment.processes import born, descendants
from router.deployment.ray_environment import free_ports, remove_links
from tests.forked_waggle import run_waggle
from tests.http_answer import HttpAnswer, post, read_answer
from tests.upstream import Upstream, answer_well
from tests.waiting import blocking_until, until

WAGGLE = Path(sys.executable).with_name("waggle")
CHAT = "/v1/chat/completions"
HI = [{"role": "user", "content": "hi"}]
SANDBOX = "  s: {kind: sandbox}\n"
COMPUTE = "  compute: {code: s}\n"
MEAN = "What is the mean of [1, 2, 6]?"


def configuration(url: str, *, price: int = 1, backends: str = "", plans: str = "") -> str:
    """A configuration of one backend and one plan, with the given backends and plans added."""
    backend = f'  a: {{kind: openai, base_url: "{url}", price: {{input: {price}, output: 2}}}}\n'
    return f"backends:\n{backend}{backends}plans:\n  fast: {{ask: a}}\n{plans}"


class UpstreamThread:
    """Upstreams on an event loop in a thread of their own, so that tests may block."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.stack = contextlib.AsyncExitStack()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def upstream(self, script=answer_well) -> Upstream:
        return self.run(self.stack.enter_async_context(Upstream(script).listening()))

    def close(self) -> None:
        self.run(self.stack.aclose())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@dataclass
class Service:
    """A process `waggle serve`, and the commands and requests that a test sends to it."""

    folder: Path
    port: int
    dashboard: str  # the configuration's section for the dashboard
    text: str  # the rest of the configuration that the service starts with
    process: subprocess.Popen | None = None

    def __post_init__(self) -> None:
        self.configure(self.text)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "var"

    @property
    def config(self) -> Path:
        return self.folder / "waggle.yaml"

    @property
    def log(self) -> str:
        return (self.folder / "serve.log").read_text()

    def configure(self, text: str) -> None:
        self.config.write_text(f"server: {{port: {self.port}}}\n{self.dashboard}{text}")

    def start(self) -> None:
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [WAGGLE, "serve", "-c", self.config], cwd=self.folder, stdout=log, stderr=log
            )
        blocking_until(self._is_up, 180)

    def _is_up(self) -> bool:
        assert self.process.poll() is None, f"did not start: {self.log}"
        running = find_running(self.data)
        return running is not None and running.pid == self.process.pid

    def stop(self, sign: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(sign)
        return self.process.wait(60)

    def run(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        wide = {**os.environ, "COLUMNS": "250"}  # tables wrap no words that a test looks for
        command = [*args, "-c", str(self.config)]
        done = run_waggle(command, folder=self.folder, environment=wide)
        if check and done.returncode:
            pytest.fail(f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    async def run_beside(self, *args: str) -> str:
        """Run a command while the test's other tasks go on, and return what it printed."""
        return (await asyncio.to_thread(self.run, *args)).stdout

    async def reload(self, text: str) -> None:
        self.configure(text)
        await self.run_beside("reload")

    async def post(self, path: str, body: Any, **headers: str) -> HttpAnswer:
        """Send a request over a new connection, so that any router may answer."""
        async with aiohttp.ClientSession() as session:
            return await post(session, self.url + path, body, headers)

    async def chat(
        self, text: str = "hi", *, headers: dict[str, str] | None = None, **more: Any
    ) -> HttpAnswer:
        messages = [{"role": "user", "content": text}]
        body = {"model": "auto", "messages": messages} | more
        return await self.post(CHAT, body, **(headers or {}))

    async def get(self, path: str) -> HttpAnswer:
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
            return await read_answer(response)

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Query the telemetry with plain DuckDB, even while the service runs or after a kill."""
        path = self.data / "telemetry" / "telemetry.duckdb"
        with duckdb.connect(str(path), read_only=True) as connection:
            cursor = connection.execute(sql)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def processes(self, part: str = "") -> list[int]:
        """The ids of the service's processes whose command line contains `part`."""
        pids = []
        for pid in descendants(self.process.pid):
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                if part in line:
                    pids.append(pid)
        return pids

    def kill(self, part: str) -> list[int]:
        """Kill the service's processes whose command line contains `part`, and return their ids."""
        pids = [pid for pid in self.processes(part) if born(pid)]
        assert pids, f"no process of the service is {part!r}"
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return pids

    async def replaced(self, part: str, pids: list[int]) -> None:
        """Wait until new processes have replaced these."""

        def are_others() -> bool:
            now = self.processes(part)
            return bool(now) and not set(pids) & set(now)

        await until(are_others)


def new_service(folder: Path, text: str, *, dashboard: bool = False) -> Service:
    port, pages = free_ports(2)
    enabled = str(dashboard).lower()
    return Service(folder, port, f"dashboard: {{enabled: {enabled}, port: {pages}}}\n", text)


@contextlib.contextmanager
def own_service(folder: Path, text: str, *, dashboard: bool = False) -> Iterator[Service]:
    """A service for one test, which ends with the test, even if the test fails."""
    service = new_service(folder, text, dashboard=dashboard)
    try:
        service.start()
        yield service
    finally:
        end_hard(service)


def end_hard(service: Service) -> None:
    if service.process is None:
        return
    left = [service.process.pid, *descendants(service.process.pid)]
    for pid in left if service.process.poll() is None else []:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    service.process.wait()
    remove_links(service.data)


class Load:
    """Sends requests while the context is open, and keeps the outcomes."""

    def __init__(self, service: Service, at_once: int = 8, model: str = "auto") -> None:
        self._body = {"model": model, "messages": HI}
        self.statuses: list[int] = []
        self.ids: list[str] = []
        self.bodies: list[bytes] = []
        self._url = service.url + CHAT
        self._at_once = at_once
        self._stop = asyncio.Event()

    async def _keep_sending(self) -> None:
        while not self._stop.is_set():
            try:
                async with self._session.post(self._url, json=self._body) as response:
                    body = await response.read()
                    self.ids.append(response.headers.get("x-waggle-request-id", ""))
                    self.statuses.append(response.status)
            except aiohttp.ClientError as error:
                body = repr(error).encode()
                self.statuses.append(0)
                self.ids.append("")
            if self.statuses[-1] != 200:
                self.bodies.append(body)

    async def __aenter__(self):
        self._session = aiohttp.ClientSession()
        sending = (self._keep_sending() for _ in range(self._at_once))
        self._tasks = [asyncio.create_task(each) for each in sending]
        await self.more(20)
        return self

    async def more(self, count: int) -> None:
        """Wait until `count` more requests have been answered."""
        wanted = len(self.statuses) + count
        await until(lambda: len(self.statuses) >= wanted)

    async def __aexit__(self, *_):
        self._stop.set()
        await asyncio.gather(*self._tasks)
        await self._session.close()

    def assert_nobody_noticed(self) -> None:
        assert set(self.statuses) == {200}, self.bodies[:3]
