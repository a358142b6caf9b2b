"""Connections that are held open lock nobody out. HAProxy runs here with the rules of the service.

Ray writes the configuration. The routers are a scripted upstream. Tests wait for bounds of a second
instead of ten or sixty.
"""

import asyncio
import contextlib
import functools
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from router.deployment.proxy import connections_within, haproxy, install_proxy
from router.deployment.ray_environment import free_ports
from tests.upstream import Upstream, Wire
from tests.waiting import until

pytestmark = pytest.mark.skipif(not haproxy(), reason="there is no HAProxy here")

GET = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n"
POST = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
LARGE = POST + b"content-length: 500000\r\n\r\n" + b" " * 100_000
QUICK = (("10s", "1s"), ("60s", "1s"))  # bounds of a second
# For tests that hold connections: no bound runs out meanwhile, however busy the machine is.
PATIENT = (("10s", "600s"), ("60s", "600s"))
NOBODY_IS_NEAR = (("src 127.0.0.0/8 ::1", "src 192.0.2.1"),)  # loopback stands for the network


@dataclass
class Door:
    """HAProxy in front of a scripted router."""

    home: Path
    port: int
    router: Upstream

    async def open(self, sent: bytes = b"", *, at: str = "127.0.0.1") -> "Client":
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(at, 0))
        writer.write(sent)
        return Client(reader, writer)

    async def answer(self, sent: bytes = GET, *, at: str = "127.0.0.1") -> bytes:
        """The answer; empty if the connection was refused."""
        try:
            client = await self.open(sent, at=at)
        except ConnectionError:
            return b""
        try:
            return await client.answer()
        finally:
            client.close()

    async def health(self) -> bytes:
        reader, writer = await asyncio.open_unix_connection(str(self.home / "health.sock"))
        writer.write(GET)
        client = Client(reader, writer)
        try:
            return await client.answer()
        finally:
            client.close()


@dataclass
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self) -> bytes:
        """An answer whose body is a JSON object; what came of it if the connection was closed."""
        answer = b""
        with contextlib.suppress(ConnectionError):
            while b"}" not in answer:
                if not (piece := await asyncio.wait_for(self.reader.read(100_000), 60)):
                    break
                answer += piece
        return answer

    async def until_closed(self) -> bytes:
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(self.reader.read(), 60)
        return b""

    def close(self) -> None:
        self.writer.transport.abort()


async def _answer(wire: Wire) -> None:
    if wire.path == "/silent":
        wire.events()
        await wire.chunk(b"one")
        await asyncio.sleep(3)  # three times as long as a client may stop
        await wire.chunk(b"two")
        await wire.chunk(b"")
    elif wire.path == "/long":
        await wire.json(b" " * 50_000_000)
    else:
        await wire.json({"status": "live"})


@contextlib.asynccontextmanager
async def door(
    *changes: tuple[str, str], connections: int = 160, each: int = 1000
) -> AsyncIterator[Door]:
    with tempfile.TemporaryDirectory(prefix="w", dir="/tmp") as folder:
        home, (port,) = Path(folder) / "h", free_ports(1)
        install_proxy(Path(folder), haproxy(), connections=connections, each=each)
        rules = (home / "rules.sed").read_text()
        for old, new in changes:
            assert old in rules
            rules = rules.replace(old, new)
        (home / "rules.sed").write_text(rules)
        async with Upstream(_answer).listening() as router:
            written = await _written_by_ray(home, port, connections, router)
            if stops := dict(changes).get("60s"):
                text = written.read_text()
                assert "timeout client 60s" in text
                written.write_text(text.replace("timeout client 60s", f"timeout client {stops}"))
            process = await asyncio.create_subprocess_exec(home / "haproxy", "-db", "-f", written)
            try:
                opened = Door(home, port, router)
                await until(lambda: _is_up(opened))
                yield opened
            finally:
                process.kill()
                await process.wait()


async def _is_up(opened: Door) -> bool:
    with contextlib.suppress(OSError):
        return b"HTTP/1.1 200" in await opened.answer()
    return False


async def _written_by_ray(home: Path, port: int, connections: int, router: Upstream) -> Path:
    """The configuration that Ray writes for a backend with this router."""
    upstream = router.url.removeprefix("http://").removesuffix("/v1").rpartition(":")[2]
    text = _template()
    for stands, value in zip(_STAND_INS, (home, port, connections, upstream), strict=True):
        assert stands in text
        text = text.replace(stands, str(value))
    config = home / "haproxy.cfg"
    config.write_text(text)
    return config


_STAND_INS = ("/stands/for/a/home", "61171", "1617181", "61191")


@functools.cache
def _template() -> str:
    """What Ray writes, with stand-ins for what differs. Importing Ray takes two seconds of CPU."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "haproxy.cfg"
        command = (sys.executable, "-c", _RAY, config, *_STAND_INS)
        subprocess.run(command, check=True)
        return config.read_text()


_RAY = """
import sys
from pathlib import Path
from ray.serve._private.haproxy import BackendConfig, HAProxyApi, HAProxyConfig, ServerConfig
from ray.serve.config import HTTPOptions

path, home, port, connections, upstream_port = sys.argv[1:]
home = Path(home)
config = HAProxyConfig(
    socket_path=str(home / "admin.sock"),
    server_state_base=str(home),
    server_state_file=str(home / "server-state"),
    maxconn=int(connections),
    timeout_client_s=60,
    http_options=HTTPOptions(host="127.0.0.1", port=int(port)),
    has_received_routes=True,
    has_received_servers=True,
)
server = ServerConfig(name="router", host="127.0.0.1", port=int(upstream_port))
backend = BackendConfig(name="http-waggle", path_prefix="/", app_name="waggle", servers=[server])
HAProxyApi(config, {"http-waggle": backend}, path)._generate_config_file_internal()
"""


@pytest.mark.parametrize(
    "sent",
    [b"", POST, POST + b"content-length: 50000\r\n\r\n{"],
    ids=["silent", "half a header", "slow body"],
)
async def test_a_client_that_stops_in_the_middle_is_told_and_let_go(sent):
    async with door(*QUICK) as opened:
        client = await opened.open(sent)
        answer = await client.until_closed()
        client.close()
        assert b" 408 Request Time" in answer.partition(b"\r\n")[0]
        assert b"too_slow" in answer or b"content-length" not in sent


@pytest.mark.parametrize("line", [b"OPTIONS *", b"GET *"])
async def test_a_request_without_a_path_is_its_callers_mistake(line):
    async with door() as opened:
        answer = await opened.answer(line + b" HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400")
        assert b"no_path" in answer


async def test_no_line_about_a_request_leaves_the_machine():
    async with door() as opened:
        configuration = (opened.home / "haproxy.cfg").read_text()
        assert "log global" not in configuration
        assert "127.0.0.1:514" not in configuration


async def test_drops_of_a_header_do_not_keep_a_connection_open():
    async with door(*QUICK) as opened:
        client = await opened.open(POST)
        closed = asyncio.ensure_future(client.until_closed())

        def drip() -> bool:
            client.writer.write(b"x-a: b\r\n")
            return closed.done()

        await until(drip)
        client.close()


async def test_an_answer_may_be_silent_for_longer_than_a_client_may_stop():
    async with door(*QUICK) as opened:
        client = await opened.open(GET.replace(b"/health/live", b"/silent"))
        answer = b""
        while not answer.endswith(b"0\r\n\r\n"):
            answer += (piece := await asyncio.wait_for(client.reader.read(1000), 60))
            assert piece, answer
        assert b"one" in answer
        assert b"two" in answer
        client.close()


async def test_a_client_that_stops_reading_its_answer_is_let_go():
    async with door(*QUICK) as opened:
        client = await opened.open(GET.replace(b"/health/live", b"/long"))
        client.writer.transport.pause_reading()
        await until(lambda: opened.router.running == 1)
        await until(lambda: opened.router.running == 0)
        client.close()


async def test_health_is_answered_while_every_connection_is_taken():
    async with door(*PATIENT, connections=160) as opened:  # 20 of them are kept
        held = [await opened.open() for _ in range(140)]
        late = asyncio.ensure_future(opened.answer())
        assert b'{"status": "live"}' in await opened.health()
        assert not late.done()
        for client in held:
            client.close()
        assert b"HTTP/1.1 200" in await late


async def test_nothing_but_health_is_behind_the_door_that_is_kept():
    async with door() as opened:
        reader, writer = await asyncio.open_unix_connection(str(opened.home / "health.sock"))
        writer.write(POST + b"content-length: 2\r\n\r\n{}")
        assert b"403 Forbidden" in await reader.readline()
        writer.close()


async def test_large_bodies_that_never_end_leave_room_for_all_others():
    async with door(*PATIENT, connections=160) as opened:  # 20 of them may send large bodies
        held = [await opened.open(LARGE) for _ in range(20)]
        await until(lambda: asyncio.sleep(0, _sockets_of(opened) >= 20))
        answer = await _refused_large(opened)
        assert b"too_many_large_requests" in answer
        assert b"HTTP/1.1 200" in await opened.answer()
        for client in held:
            client.close()


async def _refused_large(opened: Door) -> bytes:
    async def refused() -> bytes:
        client = await opened.open(LARGE)
        try:
            return await asyncio.wait_for(client.reader.read(1000), 1)
        except (TimeoutError, ConnectionError):
            return b""
        finally:
            client.close()

    return await until(refused)


def _sockets_of(opened: Door) -> int:
    return len(opened.router._open)


async def test_one_address_of_the_network_gets_its_share_and_is_told_so():
    async with door(*PATIENT, *NOBODY_IS_NEAR, each=30) as opened:
        held = [await opened.open() for _ in range(30)]
        refused = await until(lambda: _too_many(opened))
        assert b"more than 30 open connections" in refused
        assert b"server.connections_per_address" in refused
        assert b"HTTP/1.1 200" in await opened.answer(at="127.0.0.2")
        for client in held:
            client.close()


async def test_where_few_connections_are_left_new_addresses_come_first():
    async with door(*PATIENT, *NOBODY_IS_NEAR, connections=160) as opened:  # crowded above 105
        kept = await opened.open(GET)
        assert b"connection: close" not in (await kept.answer()).lower()
        held: list[Client] = []
        for address, count in (("127.0.0.1", 120), ("127.0.0.3", 5)):
            for _ in range(count):
                with contextlib.suppress(ConnectionError):  # from the first refusal on
                    held.append(await opened.open(at=address))
        await until(lambda: _refuses(opened, at="127.0.0.1"))
        answer = await until(lambda: _closing(opened, at="127.0.0.2"))
        assert b"HTTP/1.1 200" in answer
        for client in (*held, kept):
            client.close()


async def _too_many(opened: Door) -> bytes:
    answer = await opened.answer()
    return answer if answer.startswith(b"HTTP/1.1 429") else b""


async def _closing(opened: Door, at: str) -> bytes:
    answer = await opened.answer(at=at)
    return answer if b"connection: close" in answer.lower() else b""


async def _refuses(opened: Door, at: str) -> bool:
    return await opened.answer(at=at) == b""


@pytest.mark.parametrize(
    ("descriptors", "connections"), [(1024, 289), (20_000, 7_880), (1_000_000, 10_000), (64, 50)]
)
def test_as_many_connections_as_descriptors_allow(descriptors, connections):
    assert connections_within(descriptors) == connections
