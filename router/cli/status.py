"""`waggle status`: shows whether the service answers, and the state of its backends."""

import datetime as dt
import json
from dataclasses import asdict
from typing import Any

from rich.markup import escape
from rich.table import Table

from router.cli.client import ServiceClient, ServiceRefused
from router.cli.context import CommandContext, JsonOption, in_context
from router.cli.status_calls import HOURS, NO_CALLS, calls_line, calls_of
from router.cli.terminal import CommandRefused, out
from router.deployment.memory import memory_of


@in_context
def status(here: CommandContext, as_json: JsonOption = False) -> None:
    """Show whether the service answers, and the state of each backend."""
    running = here.service
    try:
        health = ServiceClient(running.url).get("/health/ready")
    except ServiceRefused as refused:
        wrong = f"the process {running.pid} lives but does not answer"
        raise CommandRefused(wrong, str(refused)) from None
    if "status" not in health:
        message = (health.get("error") or {}).get("message", "")
        health = {"status": "not ready", "reasons": [message]}
    memory = memory_of(running.pid)
    calls = calls_of(here.config.telemetry_folder, dt.datetime.now(dt.UTC))
    for name, backend in health.get("backends", {}).items():
        backend |= asdict(calls.get(name, NO_CALLS))
    if as_json:
        place: dict[str, Any] = {
            "url": running.url,
            "dashboard": running.dashboard,
            "pid": running.pid,
        }
        place["memory_mb"] = memory.whole_mb
        print(json.dumps(place | health))  # noqa: T201 - for programs
        return
    out.print(f"{running.url} is [bold]{health['status']}[/] (pid {running.pid})")
    if running.dashboard:
        out.print(f"dashboard {running.dashboard}")
    for reason in health.get("reasons", ()):
        out.print(f"[yellow]{escape(reason)}[/]")
    if "backends" not in health:  # the whole service is starting again
        return
    table = Table(
        *("backend", "state", "replicas", "memory", "calls", "answered", "mean", "last error"),
        box=None,
    )
    for name, backend in health["backends"].items():
        taken = memory.backends_mb.get(name)
        shown = "" if taken is None else f"{taken:,} MB"
        table.add_row(
            name,
            backend["state"],
            str(backend["replicas"]),
            shown,
            *calls_line(calls.get(name, NO_CALLS)),
        )
    out.print(table)
    out.print(f"[dim]calls of the last {HOURS} hours, by telemetry[/]")
    for name, taken in memory.shared_mb.items():
        out.print(f"memory of the process that backends of the sort {name} share: {taken:,} MB")
    if memory.whole_mb:
        out.print(f"memory of the whole service: {memory.whole_mb:,} MB")
