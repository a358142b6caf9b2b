"""One running service for all tests of this folder. Each test finds its first configuration."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.serve.running import Service, UpstreamThread, configuration, end_hard, new_service
from tests.upstream import Upstream, answer_well


async def _slowly(wire):
    await asyncio.sleep(0.05)
    await answer_well(wire)


@pytest.fixture(scope="session")
def background() -> Iterator[UpstreamThread]:
    background = UpstreamThread()
    yield background
    background.close()


@pytest.fixture(scope="session")
def upstream(background) -> Upstream:
    return background.upstream(_slowly)


@pytest.fixture(scope="session")
def _running(upstream, tmp_path_factory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    service = new_service(folder, configuration(upstream.url), dashboard=True)
    service.start()
    yield service
    end_hard(service)


@pytest.fixture
def service(_running) -> Iterator[Service]:
    yield _running
    changed = _running.config.read_text()
    _running.configure(_running.text)
    keys = _running.data / "keys.json"
    if changed != _running.config.read_text() or keys.exists():
        keys.unlink(missing_ok=True)
        _running.run("reload")
