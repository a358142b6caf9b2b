"""The HTTP proxy of the environment: which servers are reached through it, and how."""

import asyncio
import json
import ssl
import subprocess
from contextlib import asynccontextmanager

import pytest

from router.backends.endpoints import Endpoints
from router.config.backends import OpenAISettings
from router.config.environment import proxy_of
from router.domain import CHAT, Fault
from tests.rig import rig
from tests.upstream import Upstream, answer_well

PROXY = {"HTTPS_PROXY": "http://p:1", "http_proxy": "q:2"}


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("https://api.openai.com/v1", PROXY, "http://p:1"),
        ("http://model.lan/v1", PROXY, "http://q:2"),
        ("http://model.lan/v1", {"ALL_PROXY": "http://r:3"}, "http://r:3"),
        ("https://api.openai.com/v1", {"ALL_PROXY": "socks5://r:3"}, ""),
        ("https://api.openai.com/v1", {}, ""),
        ("https://api.openai.com/v1", {"HTTPS_PROXY": ""}, ""),
        ("http://127.0.0.1:11434/v1", PROXY, ""),
        ("http://localhost:11434/v1", PROXY, ""),
        ("http://[::1]:11434/v1", PROXY, ""),
        ("http://model.lan/v1", PROXY | {"NO_PROXY": "x.org, .lan"}, ""),
        ("http://model.lan/v1", PROXY | {"no_proxy": "model.lan:80"}, ""),
        ("http://model.lan/v1", PROXY | {"no_proxy": "*"}, ""),
        ("http://model.lan/v1", PROXY | {"no_proxy": "odel.lan"}, "http://q:2"),
    ],
)
def test_a_server_is_reached_through_the_proxy_that_the_environment_names(url, environ, proxy):
    assert proxy_of(url, environ) == proxy


class ProxyServer:
    """A proxy that sends every request and tunnel to one port, and notes what it was asked."""

    def __init__(self, port, status=200):
        self.port, self.status = port, status
        self.heads = []
        self.open = {}

    async def serve(self, reader, writer):
        self.open[asyncio.current_task()] = [writer]
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head.decode())
            if self.status != 200:
                writer.write(f"HTTP/1.1 {self.status} No\r\ncontent-length: 0\r\n\r\n".encode())
                return
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
            self.open[asyncio.current_task()].append(far_writer)
            if head.startswith(b"CONNECT"):
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                far_writer.write(head)
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            for each in self.open[asyncio.current_task()]:
                each.transport.abort()

    async def close(self):
        for task in self.open:
            task.cancel()
        await asyncio.gather(*self.open)


async def pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def proxy_before(port, status=200):
    proxy = ProxyServer(port, status)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.url = f"http://Ann:p%40ss@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()


@asynccontextmanager
async def tls_upstream(folder):
    """A model server with TLS, whose certificate is for `model.test`."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = ["-subj", "/CN=model.test", "-addext", "subjectAltName=DNS:model.test"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    files = ["-nodes", "-days", "2", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made, *files, *names], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    upstream = Upstream(answer_well)
    server = await asyncio.start_server(upstream._connection, "127.0.0.1", 0, ssl=context)
    try:
        yield upstream, server.sockets[0].getsockname()[1], certificate
    finally:
        server.close()


BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()


async def status_of(url, proxy):
    settings = OpenAISettings(kind="openai", base_url=url)
    endpoints = Endpoints(settings, str, lambda address: proxy)
    try:
        async with endpoints.post(CHAT, BODY) as response:
            assert [piece async for piece in response.pieces()]
            return response.status
    finally:
        endpoints.close()


async def test_a_server_with_tls_is_reached_by_a_tunnel(tmp_path, monkeypatch):
    async with tls_upstream(tmp_path) as (upstream, port, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        async with proxy_before(port) as proxy:
            assert await status_of("https://model.test/v1", proxy.url) == 200
        (head,) = proxy.heads
        assert head.startswith("CONNECT model.test:443 HTTP/1.1\r\nhost: model.test:443\r\n")
        assert "proxy-authorization: Basic QW5uOnBAc3M=" in head
        assert upstream.seen[0].path == "/v1/chat/completions"
        assert "proxy-authorization" not in upstream.seen[0].headers


async def test_a_certificate_for_another_name_is_refused_in_a_tunnel_too(tmp_path, monkeypatch):
    async with tls_upstream(tmp_path) as (upstream, port, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        async with proxy_before(port) as proxy:
            with pytest.raises(Fault, match="certificate"):
                await status_of("https://other.test/v1", proxy.url)
        assert upstream.seen == []


@pytest.mark.parametrize(("status", "words"), [(407, "other credentials"), (502, "answered 502")])
async def test_a_proxy_that_refuses_a_tunnel_is_named(status, words):
    async with proxy_before(9, status) as proxy:
        with pytest.raises(Fault, match=words) as refusal:
            await status_of("https://model.test/v1", proxy.url)
    assert "through the proxy 127.0.0.1" in str(refusal.value)
    assert "p@ss" not in str(refusal.value)
    assert "p%40ss" not in str(refusal.value)


def test_a_proxy_with_tls_is_refused_without_its_password():
    settings = OpenAISettings(kind="openai", base_url="https://model.test/v1")
    with pytest.raises(ValueError, match="only a proxy with http://") as refusal:
        Endpoints(settings, str, lambda address: "https://ann:secret@p:1")
    assert "secret" not in str(refusal.value)


async def test_a_running_waggle_goes_through_the_proxy_of_its_environment(monkeypatch):
    async with Upstream(answer_well).listening() as upstream:
        port = int(upstream.url.split(":")[2].split("/")[0])
        async with proxy_before(port) as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            backends = {
                "far": {"kind": "openai", "base_url": "http://model.test/v1"},
                "near": {"kind": "openai", "base_url": upstream.url},
            }
            plans = {"p": {"ask": "far"}}
            async with rig(json.dumps({"backends": backends, "plans": plans})) as waggle:
                assert (await waggle.chat("hi", model="far")).status == 200
                assert (await waggle.chat("hi", model="near")).status == 200
            (head,) = proxy.heads
    assert head.startswith("POST http://model.test/v1/chat/completions HTTP/1.1\r\n")
