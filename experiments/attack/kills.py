"""Kills every kind of process of a service in turn, under sixteen clients, and counts what it cost.

The table tells, for each kind: the longest time in which nobody was answered, the requests that
failed, whether the service came back by itself, and how many acknowledged rows are missing from the
telemetry. Not covered: the loss of the machine, and a kill of several kinds at once.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import aiohttp
import duckdb

from router.deployment.processes import born
from tests.serve.running import (
    CHAT,
    COMPUTE,
    HI,
    SANDBOX,
    Service,
    UpstreamThread,
    configuration,
    end_hard,
    new_service,
)
from tests.upstream import Wire, answer_well
from tests.waiting import until

CLIENTS = 16
TARGET_SECONDS = 30.0
FREEZE_SECONDS = 10.0
_CALM_SECONDS = 5.0  # the service is back after so long without a failure
_LONGEST_SECONDS = 100.0
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Class:
    """A kind of process: its name, and what the command lines of such processes contain."""

    name: str
    part: str
    frozen: bool = False  # stopped for ten seconds instead of killed
    needed: bool = True  # otherwise the service does without, and nobody replaces it


CLASSES = (
    Class("HAProxy", "bin/haproxy"),
    Class("HAProxy's manager", "ray::HAProxyManager"),
    Class("fallback proxy", "ray::ProxyActor"),
    Class("router", "ServeReplica:waggle:router"),
    Class("router, stopped for 10 s", "ServeReplica:waggle:router", frozen=True),
    Class("backend", "ServeReplica:waggle-shared-network"),
    Class("hive", "ServeReplica:waggle:hive"),
    Class("learner", "ServeReplica:waggle:learner"),
    Class("sandbox's replica", "ServeReplica:waggle-shared-programs"),
    Class("sandbox's zygote", "sandbox.cell.nursery"),
    Class("telemetry keeper", "router.telemetry.keeper"),
    Class("Serve controller", "ray::ServeController"),
    Class("dashboard", "-m dashboard"),
    Class("process that forks workers", "router.deployment.workers.zygote", needed=False),
    Class("what stands in for Ray's agents", "sleep infinity"),
    Class("raylet", "raylet/raylet"),
    Class("GCS", "gcs/gcs_server"),
    Class("child that holds the cluster", "waggle serve"),
)
COMMAND = Class("the command", "")


@dataclass(frozen=True, slots=True)
class Cost:
    """What the death of one process cost."""

    name: str
    outage_seconds: float  # the longest time in which nobody was answered
    failed: int
    answered: int
    missing: int  # acknowledged rows that the telemetry lacks
    replaced: bool
    note: str

    @property
    def held(self) -> bool:
        return self.outage_seconds <= TARGET_SECONDS and self.replaced and not self.missing


@dataclass
class Clients:
    """Sixteen clients that ask again and again, and remember when each answer came."""

    url: str
    answers: list[float] = field(default_factory=list)
    failures: list[float] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    reasons: set[str] = field(default_factory=set)
    health: set[str] = field(default_factory=set)

    async def __aenter__(self) -> "Clients":
        timeout = aiohttp.ClientTimeout(total=15)
        self._session = aiohttp.ClientSession(timeout=timeout)
        self._tasks = [asyncio.create_task(self._ask_on()) for _ in range(CLIENTS)]
        self._tasks.append(asyncio.create_task(self._look_on()))
        await until(lambda: len(self.answers) >= 2 * CLIENTS)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    async def _ask_on(self) -> None:
        body = {"model": "fast", "messages": HI}
        while True:
            try:
                async with self._session.post(self.url + CHAT, json=body) as response:
                    text = await response.text()
                    if response.status == 200:
                        self.answers.append(time.monotonic())
                        self.ids.append(response.headers["x-waggle-request-id"])
                        continue
                    self.reasons.add(f"{response.status} {_code(text)}")
            except (aiohttp.ClientError, TimeoutError) as error:
                self.reasons.add(type(error).__name__)
            self.failures.append(time.monotonic())
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _look_on(self) -> None:
        while True:
            try:
                async with self._session.get(self.url + "/health/ready") as response:
                    self.health.add(f"{response.status} {_status(await response.text())}")
            except (aiohttp.ClientError, TimeoutError):
                self.health.add("no answer")
            await asyncio.sleep(0.2)

    def outage_after(self, begun: float, until: float) -> float:
        times = [begun, *(at for at in self.answers if begun <= at < until), until]
        return max(later - earlier for earlier, later in itertools.pairwise(times))

    def calm(self) -> bool:
        now = time.monotonic()
        failed = self.failures[-1] if self.failures else 0.0
        answered = bool(self.answers) and now - self.answers[-1] < 1
        return answered and now - failed > _CALM_SECONDS


def _code(text: str) -> str:
    try:
        return str(json.loads(text)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return text[:40]


def _status(text: str) -> str:
    try:
        return str(json.loads(text)["status"])
    except (ValueError, KeyError, TypeError):
        return text[:40]


async def kill(service: Service, victim: Class) -> Cost:
    """Kill one process of the kind under load, and wait until the service is calm again."""
    await until(lambda: service.processes(victim.part), TARGET_SECONDS)
    log_before = len(service.log)
    async with Clients(service.url) as clients:
        await asyncio.sleep(1)
        pid = service.processes(victim.part)[0]
        begun = time.monotonic()
        os.kill(pid, signal.SIGSTOP if victim.frozen else signal.SIGKILL)
        if victim.frozen:
            await asyncio.sleep(FREEZE_SECONDS)
            _continue(pid)
        await _calm(clients, begun)
        ended = time.monotonic()
        replaced = not victim.needed or await _true(
            lambda: any(p != pid for p in service.processes(victim.part))
        )
    note = "; ".join(sorted(clients.reasons) + sorted(clients.health - {"200 ready"}))
    printed = " ".join(service.log[log_before:].split())
    return Cost(
        victim.name,
        round(clients.outage_after(begun, ended), 2),
        sum(at >= begun for at in clients.failures),
        len(clients.ids),
        await _missing(service, clients.ids),
        replaced,
        f"{note} | {printed[:200]}" if printed else note,
    )


async def kill_command(service: Service) -> Cost:
    """Kill the command: nothing of it may go on, and it must start again cleanly."""
    assert service.process is not None
    async with Clients(service.url) as clients:
        await asyncio.sleep(1)
        family = [service.process.pid, *service.processes()]
        begun = time.monotonic()
        os.kill(service.process.pid, signal.SIGKILL)
        service.process.wait()
        gone = await _true(lambda: not any(map(born, family)))
        ended = time.monotonic() - begun
        left = [pid for pid in family if born(pid)]
    status = service.run("status", check=False).stderr.strip()
    service.start()
    missing = await _missing(service, clients.ids)
    up_again = time.monotonic() - begun
    note = f"left: {left}; status then: {status[:60]}; started again, up after {up_again:.1f} s"
    failed = sum(at >= begun for at in clients.failures)
    return Cost(
        "the command (seconds until all of it ended)",
        round(ended, 2),
        failed,
        len(clients.ids),
        missing,
        gone,
        note,
    )


def _continue(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


async def _calm(clients: Clients, begun: float) -> None:
    while time.monotonic() - begun < _LONGEST_SECONDS:
        await asyncio.sleep(0.2)
        if time.monotonic() - begun > _CALM_SECONDS and clients.calm():
            return


async def _true(condition: Callable[[], bool]) -> bool:
    give_up_at = time.monotonic() + 12
    while time.monotonic() < give_up_at:
        if condition():
            return True
        await asyncio.sleep(0.1)
    return False


async def _missing(service: Service, ids: Sequence[str]) -> int:
    def present() -> set[str]:
        try:
            return {row["request_id"] for row in service.query("select request_id from requests")}
        except duckdb.Error:
            return set()

    acknowledged = set(ids)
    await _true(lambda: acknowledged <= present())
    return len(acknowledged - present())


async def _answer(wire: Wire) -> None:
    await asyncio.sleep(0.02)
    await answer_well(wire)


async def run(names: Sequence[str], folder: Path) -> list[Cost]:
    upstreams = UpstreamThread()
    url = upstreams.upstream(_answer).url
    text = configuration(url, backends=SANDBOX, plans=COMPUTE)
    service = new_service(folder, text, dashboard=True)
    costs: list[Cost] = []
    try:
        service.start()
        service.run("ask", "What is the mean of [1, 2, 6]?")  # opens the sandbox
        for victim in CLASSES:
            if not names or victim.name in names:
                costs.append(await kill(service, victim))
                print(row(costs[-1]), flush=True)
                if not service.process or service.process.poll() is not None:
                    service.start()
                elif costs[-1].outage_seconds > TARGET_SECONDS:
                    end_hard(service)
                    service.start()
        if not names or COMMAND.name in names:
            costs.append(await kill_command(service))
            print(row(costs[-1]), flush=True)
    finally:
        end_hard(service)
        upstreams.close()
    return costs


def row(cost: Cost) -> str:
    held = "held" if cost.held else "NOT HELD"
    replaced = "yes" if cost.replaced else "no"
    return (
        f"| {cost.name} | {cost.outage_seconds} | {cost.failed} | {cost.answered} | {cost.missing} "
        f"| {replaced} | {held} | {cost.note} |"
    )


HEAD = (
    "| killed | nobody answered, s | failed | answered | rows missing | replaced | | note |\n"
    "|---|---|---|---|---|---|---|---|"
)


def main() -> int:
    """Print the table; the status is 1 if one kind did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="kinds of processes; all if none is named")
    parser.add_argument("--json", action="store_true", help="print the result as JSON too")
    arguments = parser.parse_args()
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="waggle-kills-") as folder:
        costs = asyncio.run(run(arguments.names, Path(folder)))
    if arguments.json:
        print(json.dumps([asdict(cost) for cost in costs]))
    return 0 if all(cost.held for cost in costs) else 1


if __name__ == "__main__":
    sys.exit(main())
