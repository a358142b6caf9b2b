"""Attacks a service that it starts, and shows what was tried and what held. `make attack`

The attacks are those that strangers made, and requests that were written by people who had not
seen the code. The run takes at most ten minutes. It ends with status 1 if an attack succeeds.
"""

import argparse
import asyncio
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from experiments.attack import processes, spending
from experiments.attack.attack import Attack, Outcome, Target
from experiments.attack.dashboard_login import dashboard_login
from experiments.attack.other_users import another_user
from experiments.attack.written_requests import (
    callers_with_keys,
    hostile_pages,
    hostile_queries,
    odd_requests,
    slow_texts_of_strangers,
)
from experiments.readme import put, table
from tests.serve.running import UpstreamThread, own_service

HERE = Path(__file__).parent
_SHOWN = 5  # successes that are printed for each attack


def _configuration(url: str) -> str:
    """A service with an upstream of ours for `fast`, and every kind of backend that runs here."""
    backends = {
        "upstream": {"kind": "openai", "base_url": url, "price": {"input": 1, "output": 2}},
        "costly": {"kind": "openai", "base_url": url, "price": {"input": 1, "output": 5000}},
        "encoder": {"kind": "encoder"},
        "maker": {"kind": "generator"},
        "checks": {"kind": "validator"},
        "code": {"kind": "sandbox"},
    }
    plans = {
        "fast": {"ask": "upstream"},
        "dear": {"ask": "costly"},
        "records": {"ask": "maker"},
        "compute": {"code": "code"},
    }
    return f"backends: {json.dumps(backends)}\nplans: {json.dumps(plans)}\n"


async def _with_key(target: Target) -> Outcome:
    key = spending.new_key(target, "caller", "--scope", "app", "--scope", "analyst")
    return await callers_with_keys(target, key)


# The first attacks meet a service without keys; the first that makes a key ends that.
ATTACKS: Sequence[Attack] = (
    Attack("requests of foreign pages, and honest ones", "web page", hostile_pages),
    Attack("queries on telemetry", "analyst", hostile_queries),
    Attack("malformed and odd requests", "network caller", odd_requests),
    Attack("texts that keep a reader busy", "network caller", slow_texts_of_strangers),
    Attack("small requests for endless work", "network caller", processes.big_requests),
    Attack("the same, by strangers", "network caller", processes.big_requests_of_strangers, "long"),
    Attack("5,000 connections held", "network caller", processes.held_connections, "short"),
    Attack(
        "5,000 connections held, five kinds",
        "network caller",
        processes.held_connections_of_every_kind,
        "long",
    ),
    Attack("files, folders and sockets", "other local user", another_user),
    Attack("requests with keys", "web page", _with_key),
    Attack("the dashboard's sign-in", "web page", dashboard_login),
    Attack("dollars a day, 50 calls at once", "keyed app", spending.dollars),
    Attack("one call dearer than the day", "keyed app", spending.dear_calls),
    Attack("tokens a minute, 100 calls at once", "keyed app", spending.tokens),
    Attack("requests a minute, 1,500 calls", "keyed app", spending.requests),
    Attack("embeddings by a key for another plan", "keyed app", spending.another_plan),
)
# These start what they attack.
OTHERS: Sequence[Attack] = (
    Attack("hostile programs", "hostile program", processes.hostile_programs),
    Attack("generated requests", "network caller", processes.fuzzed_routes, "short"),
    Attack("generated requests", "network caller", processes.fuzzed_routes_at_length, "long"),
    Attack("bodies of 64 KB", "network caller", processes.stalling_bodies, "short"),
    Attack(
        "bodies of 64 KB to 8 MB", "network caller", processes.stalling_bodies_of_any_size, "long"
    ),
    Attack("texts made for a pattern", "network caller", processes.slow_texts, "short"),
    Attack(
        "texts made for a pattern", "network caller", processes.slow_texts_of_every_kind, "long"
    ),
    Attack("processes killed under load", "other fault", processes.killed_processes, "short"),
    Attack(
        "every process killed under load", "other fault", processes.every_killed_process, "long"
    ),
)


async def _all(
    target: Target | None, progress: Progress, chosen: Sequence[Attack]
) -> list[dict[str, Any]]:
    results = []
    task = progress.add_task("attacking", total=len(chosen))
    for attack in chosen:
        progress.update(task, description=attack.name)
        begun = time.monotonic()
        outcome = await attack.run(target)
        results.append(
            {
                "attack": attack.name,
                "attacker": attack.attacker,
                "tried": outcome.tried,
                "held": outcome.held,
                "seconds": round(time.monotonic() - begun, 1),
                "figures": outcome.figures,
                "successes": list(outcome.successes),
            }
        )
        progress.advance(task)
    return results


def readme_table(result: dict[str, Any]) -> str:
    """A row for each attack: the long run's figures where there are some."""
    by_name = {
        each["attack"]: each for length in ("short", "long") for each in result.get(length, ())
    }
    rows = [
        [
            each["attack"],
            each["attacker"],
            f"{each['tried']:,}",
            f"{each['held']:,}",
            _figures(each),
        ]
        for each in by_name.values()
    ]
    return table(["attack", "attacker", "tried", "held", "figures"], rows)


def _figures(each: dict[str, Any]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')}: {value:g}" for name, value in each["figures"].items()
    )


def _shown(results: Sequence[dict[str, Any]]) -> Table:
    shown = Table("attack", "attacker", "tried", "held", "seconds", "figures", box=None)
    for each in results:
        counts = f"{each['tried']:,}", f"{each['held']:,}", f"{each['seconds']:g}"
        shown.add_row(each["attack"], each["attacker"], *counts, _figures(each))
    return shown


def _successes(results: Sequence[dict[str, Any]]) -> Iterator[str]:
    for each in results:
        successes = each["successes"]
        for success in successes[:_SHOWN]:
            yield f"{each['attack']}: {success}"
        if len(successes) > _SHOWN:
            yield f"{each['attack']}: and {len(successes) - _SHOWN} more, in result.json"


def _attacked_service(chosen: Sequence[Attack], progress: Progress) -> list[dict[str, Any]]:
    """Attack one service with all these, in their order."""
    upstreams = UpstreamThread()
    upstream = upstreams.upstream()
    with (
        tempfile.TemporaryDirectory() as folder,
        own_service(Path(folder), _configuration(upstream.url), dashboard=True) as service,
    ):
        target = Target(service, upstreams, upstream)
        results = asyncio.run(_all(target, progress, chosen))
    upstreams.close()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="run the attacks whose names hold this text")
    parser.add_argument("--long", action="store_true", help="take an hour, and try far more")
    options = parser.parse_args()
    length = "long" if options.long else "short"

    def chosen(attacks: Sequence[Attack]) -> list[Attack]:
        return [a for a in attacks if options.only in a.name and a.length in ("", length)]

    with Progress(redirect_stdout=False, console=Console(stderr=True)) as progress:
        on_service, others = chosen(ATTACKS), chosen(OTHERS)
        results = _attacked_service(on_service, progress) if on_service else []
        results += asyncio.run(_all(None, progress, others))
    console = Console()
    console.print(_shown(results))
    for success in _successes(results):
        console.print(success, style="red", markup=False, soft_wrap=True)
    if not options.only:
        machine = f"{os.cpu_count()} cores, {platform.machine()}"
        path = HERE / "result.json"
        result = json.loads(path.read_text()) if path.exists() else {}
        result |= {"machine": machine, length: results}
        path.write_text(json.dumps(result, indent=2) + "\n")
        put("attack", readme_table(result))
    if any(each["tried"] != each["held"] for each in results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
