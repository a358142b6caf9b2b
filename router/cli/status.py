"""`waggle status`: shows whether the service answers, and the state of its backends."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.markup import escape
from rich.table import Table

from router.cli.client import ServiceClient, ServiceRefused
from router.cli.context import CommandContext, JsonOption, in_context
from router.cli.status_calls import (
    HOURS,
    NO_CALLS,
    UNKNOWN_CALLS,
    BackendRecord,
    CallsUnknown,
    calls_line,
    calls_of,
)
from router.cli.terminal import CommandRefused, out
from router.deployment.memory import ServiceMemory, memory_of


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
    if not as_json:  # at once: on a busy machine, all that follows may take its time
        out.print(f"{running.url} is [bold]{health['status']}[/] (pid {running.pid})")
        if running.dashboard:
            out.print(f"dashboard {running.dashboard}")
        for reason in health.get("reasons", ()):
            out.print(f"[yellow]{escape(reason)}[/]")
    memory = memory_of(running.pid)
    calls, others, unknown = {}, NO_CALLS, ""
    try:
        calls = calls_of(here.config.telemetry_folder, dt.datetime.now(dt.UTC))
    except CallsUnknown as error:
        others, unknown = UNKNOWN_CALLS, str(error)
    records = {name: calls.get(name, others) for name in health.get("backends", {})}
    if as_json:
        place = {"url": running.url, "dashboard": running.dashboard, "pid": running.pid}
        why = {"calls_unknown": unknown} if unknown else {}
        for name, record in records.items():
            health["backends"][name] |= asdict(record)
        answer = place | {"memory_mb": memory.whole_mb} | health | why
        print(json.dumps(answer))  # noqa: T201 - for programs
    elif records:  # else the whole service is starting again
        out.print(_table(health["backends"], records, memory))
        of_hours = f"calls of the last {HOURS} hours, by telemetry"
        out.print(f"[yellow]{escape(unknown)}[/]" if unknown else f"[dim]{of_hours}[/]")
        for name, taken in memory.shared_mb.items():
            out.print(f"memory of the process that backends of the sort {name} share: {taken:,} MB")
        if memory.whole_mb:
            out.print(f"memory of the whole service: {memory.whole_mb:,} MB")


def _table(
    backends: Mapping[str, Mapping[str, Any]],
    records: Mapping[str, BackendRecord],
    memory: ServiceMemory,
) -> Table:
    heads = ("backend", "state", "replicas", "memory", "calls", "answered", "mean", "last error")
    table = Table(*heads, box=None)
    for name, backend in backends.items():
        taken = memory.backends_mb.get(name)
        shown = "" if taken is None else f"{taken:,} MB"
        replicas = str(backend["replicas"])
        table.add_row(name, backend["state"], replicas, shown, *calls_line(records[name]))
    return table
