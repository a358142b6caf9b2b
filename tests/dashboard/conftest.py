import datetime as dt
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from dashboard.board import Board
from dashboard.facts_reader import BoardSettings
from dashboard.login import LoginDoor
from dashboard.source import Source
from dashboard.web import Site
from tests.dashboard.story import write_story
from tests.telemetry.stored import MINUTE
from tests.waiting import blocking_until


@pytest.fixture(scope="session")
def begin() -> int:
    """The start of a minute, 61 to 62 minutes ago, in microseconds."""
    return (time.time_ns() // 1000 - 61 * MINUTE) // MINUTE * MINUTE


@pytest.fixture(scope="session")
def story(tmp_path_factory, begin) -> Path:
    """A telemetry folder that no process writes to."""
    folder = tmp_path_factory.mktemp("story") / "telemetry"
    write_story(folder, begin=begin)
    return folder


@pytest.fixture
def board(story) -> Iterator[Board]:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)  # a clock that stands still
    board = Board(Source(story), BoardSettings(reuse_budget=0.01), clock=lambda: now)
    yield board
    board.close()


@contextmanager
def served(folder: Path, *, keys: Path | None = None, service: str = "") -> Iterator[str]:
    """Serve the dashboard over this folder on a free port, and yield its URL."""
    board = Board(Source(folder), BoardSettings(reuse_budget=0.01))
    site = Site(board, LoginDoor(keys), hosts=("boards.example",), service=service)
    settings = uvicorn.Config(site, host="127.0.0.1", port=0, log_level="warning", ws="none")
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    blocking_until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
        board.close()


@pytest.fixture(scope="session")
def url(story) -> Iterator[str]:
    with served(story) as url:
        yield url
