"""Runs the dashboard as a process, by itself or beside a service. It ends when the service ends."""

import asyncio
import contextlib
import os
import socket
from pathlib import Path

import uvicorn
import uvloop

from dashboard.board import Board
from dashboard.facts_reader import BoardSettings
from dashboard.login import LoginDoor
from dashboard.source import Source
from dashboard.web import ALWAYS_ANSWERED, Site
from router.config.dashboard_options import DashboardOptions
from router.wire.bounded_protocol import ConnectionBounds, bounded, connections_within

_MOST_CONNECTIONS = 512  # a browser opens six


class PortTaken(Exception):
    """The dashboard cannot listen at its address; the message says why."""


def board_of(place: DashboardOptions) -> Board:
    weights = (place.cost_weight, place.latency_weight)
    return Board(Source(place.folder), BoardSettings(weights, place.reuse_budget))


def run(place: DashboardOptions, *, parent: int | None = None) -> None:
    """Serve until a signal comes or the parent process ends. Raises `PortTaken`."""
    bound = _bind(place)
    board = board_of(place)
    door = LoginDoor(Path(place.keys) if place.keys else None)
    site = Site(board, door, hosts=place.hosts, service=place.service)
    settings = uvicorn.Config(
        site,
        http=bounded(ConnectionBounds(connections_within(_MOST_CONNECTIONS), ALWAYS_ANSWERED)),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
        ws="none",
    )
    server = uvicorn.Server(settings)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(server, bound, parent))
    finally:
        board.close()


async def _serve(server: uvicorn.Server, bound: socket.socket, parent: int | None) -> None:
    watching = asyncio.ensure_future(_watch(server, parent)) if parent is not None else None
    try:
        await server.serve(sockets=[bound])
    finally:
        if watching is not None:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching


async def _watch(server: uvicorn.Server, parent: int) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 - no event says that a parent ended
        await asyncio.sleep(0.5)
    server.should_exit = True


def _bind(place: DashboardOptions) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((place.host, place.port))
    except OSError as error:
        bound.close()
        raise PortTaken(f"cannot listen at {place.host}:{place.port}: {error.strerror}") from None
    return bound
