"""What a reload, a killed replica or ingress, and an answer from memory cost a running Waggle."""

import contextlib
import json
import os
import signal
import statistics
import time
from collections.abc import Iterator
from typing import Any

from rich.progress import Progress, track

from experiments.overhead.bench import Bench, Figures
from experiments.overhead.cost import parts
from experiments.overhead.prompts import bodies
from experiments.overhead.service import Service, start_load


@contextlib.contextmanager
def under_load(
    bench: Bench, service: Service, seconds: float, kind: str
) -> Iterator[list[Figures]]:
    """Send load while the context is open; then put its figures into the yielded list."""
    outcome: list[Figures] = []
    with bench.start_load(service, kind, seconds) as loader:
        time.sleep(1)
        yield outcome
        outcome.append(json.loads(loader.communicate()[0]))


def reload(
    bench: Bench, service: Service, kind: str, seconds: float, prices: tuple[int, ...]
) -> dict[str, Any]:
    """Change a price under load; after each reload, twenty answers must have the new price."""
    times = []
    body = bodies(model="fast")[0]
    with under_load(bench, service, seconds, kind) as outcome:
        for price in track(prices, description=f"reloading under {kind}"):
            service.write_config(price=price)
            times.append(float(service.command("reload").split("in ")[1].split(" s")[0]))
            costs = {service.ask(body)[1]["usage"]["cost"] for _ in range(20)}
            if costs != {(120 * price + 40 * 2) / 1e6}:
                raise SystemExit(f"after a reload, a price was still the old one: {costs}")
    return {
        "seconds": times,
        "worst_seconds": max(times),
        "requests": outcome[0]["served"],
        "failed_requests": outcome[0]["failed"],
    }


def kill_backend(bench: Bench, service: Service) -> dict[str, Any]:
    with under_load(bench, service, 8, "json, 16") as outcome:
        _kill(service, "backend")
    return {"requests": outcome[0]["served"], "failed_requests": outcome[0]["failed"]}


def kill_ingress(service: Service) -> dict[str, Any]:
    """Kill the ingress, and measure the seconds until a client gets answers again."""
    times = []
    body = bodies()[0]
    for _ in track(range(3), description="killing the ingress"):
        _kill(service, "HAProxy")
        begun = time.monotonic()
        last_failure, answered = begun, 0
        while answered < 25:
            try:
                service.ask(body)
                answered += 1
            except OSError:
                last_failure, answered = time.monotonic(), 0
            time.sleep(0.02)
        times.append(round(last_failure - begun, 2))
        time.sleep(2)
    return {"seconds": times, "worst_seconds": max(times)}


def _kill(service: Service, part: str) -> None:
    for pid in parts(service.pid)[part]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def reused(service: Service, rounds: int = 3, seconds: float = 1.5) -> dict[str, float]:
    """How long an answer from memory takes, beside a request that is refused at once."""
    service.write_config(reuse=True)
    service.command("reload")
    remembered = bodies(temperature=0)[0]
    refused = bodies(temperature=0, model="no-such-plan")[0]
    _remember(service, remembered)
    seen: dict[str, list[float]] = {"exact_us": [], "refused_us": []}
    loads = (("exact_us", remembered, 200), ("refused_us", refused, 404))
    with Progress() as progress:
        task = progress.add_task("reused answers", total=rounds * len(loads))
        for _ in range(rounds):
            for name, body, status in loads:
                file = service.folder / f"{name}.bodies"
                file.write_text(body + "\n")
                with start_load(
                    service.port, 1, seconds, file, service.headers, status=status
                ) as loader:
                    seen[name].append(json.loads(loader.communicate()[0])["p50"])
                progress.advance(task)
    return {name: statistics.median(values) for name, values in seen.items()}


def _remember(service: Service, body: str) -> None:
    """Ask until twenty answers in a row, so those of both routers, come from memory."""
    deadline, in_a_row = time.monotonic() + 30, 0
    while in_a_row < 20:
        headers, _ = service.ask(body)
        in_a_row = in_a_row + 1 if headers["x-waggle-reuse"] == "exact" else 0
        if time.monotonic() > deadline:
            raise SystemExit(f"nothing is reused: x-waggle-reuse is {headers['x-waggle-reuse']}")
