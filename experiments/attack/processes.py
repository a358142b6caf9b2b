"""Adapts attacks with a service or a measure of their own to the table of `make attack`."""

import asyncio
import os
import tempfile
from pathlib import Path

from experiments.attack import big_work, connections, fuzz, kills, slow_text, stalls
from experiments.attack.attack import Outcome, Target
from experiments.attack.cases import CASES
from experiments.attack.patterns import patterns
from experiments.attack.readers import READERS
from experiments.sandbox.containment import siege
from sandbox.levels import best_level
from tests.sandbox.hostile import ATTACKS as PROGRAMS

_SHORT_FUZZ, _LONG_FUZZ = 2_000, 20_000
_CONNECTIONS, _MOST_RATIO = 5_000, 2.0
_SEEDS_APART = 8  # a short run tries one of so many texts for each pattern
# The classes that `make attack` kills: the most telling ones, within its ten minutes.
_KILLED = ("HAProxy", "HAProxy's manager", "router", "telemetry keeper", "dashboard agent")


async def big_requests(target: Target) -> Outcome:
    """Small requests for endless work: the growth of each process, and the wait of others."""
    return await _big(target, list(big_work.cases()))


async def big_requests_of_strangers(target: Target) -> Outcome:
    files = sorted(CASES.glob("big.*.jsonl"))
    return await _big(target, [case for file in files for case in big_work.cases_in(file)])


async def _big(target: Target, cases: list[big_work.Case]) -> Outcome:
    process = target.service.process
    assert process is not None
    outcomes = await asyncio.to_thread(big_work.attack, target.service.url, process.pid, cases)
    wrong = tuple(big_work.report(each) for each in outcomes if not each.held)
    figures: dict[str, float] = {
        "most_growth_mb": round(max(each.growth_mb for each in outcomes)),
        "most_kept_mb": round(max(each.kept_mb for each in outcomes)),
        "longest_wait_of_others_ms": round(1000 * max(each.stall_seconds for each in outcomes)),
    }
    return Outcome(len(outcomes), wrong, figures)


async def held_connections(target: Target) -> Outcome:
    """5,000 connections that send nothing, or a body a byte a second, and an honest client."""
    return await _held(target, ("silent", "slow body"), seconds=10)


async def held_connections_of_every_kind(target: Target) -> Outcome:
    return await _held(target, tuple(connections.KINDS), seconds=20)


async def _held(target: Target, kinds: tuple[str, ...], seconds: float) -> Outcome:
    wrong = []
    figures = {}
    for kind in kinds:
        url = target.service.url
        outcome = await asyncio.to_thread(connections.attack, url, kind, _CONNECTIONS, seconds)
        failed = outcome.during.failed + outcome.during.health_failed
        figures[f"honest p99 x, {kind}"] = round(outcome.ratio, 2)
        if failed or outcome.ratio > _MOST_RATIO:
            wrong.append(f"{kind}: {failed} failed, p99 x {outcome.ratio:.2f}")
    return Outcome(len(kinds), tuple(wrong), figures)


async def killed_processes(_: None) -> Outcome:
    return await _killed(_KILLED)


async def every_killed_process(_: None) -> Outcome:
    return await _killed(())


async def _killed(names: tuple[str, ...]) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="waggle-kills-") as folder:
        costs = await kills.run(names, Path(folder))
    wrong = tuple(kills.row(cost) for cost in costs if not cost.held)
    figures = {f"{cost.name}_seconds": cost.outage_seconds for cost in costs}
    missing = sum(cost.missing for cost in costs)
    return Outcome(len(costs), wrong, figures | {"rows_missing": missing})


async def hostile_programs(_: None) -> Outcome:
    """The project's own hostile programs, at the best level of this machine, as this user."""
    level, _reasons = await best_level()
    report = await asyncio.to_thread(siege, level, os.geteuid())
    escaped = report["tried"] - report["contained"]
    wrong = [f"{escaped} of {len(PROGRAMS)} programs were not contained"] if escaped else []
    if not report["machine_as_before"]:
        wrong.append("the machine was changed")
    return Outcome(report["tried"], tuple(wrong), {"level": level})


async def fuzzed_routes(_: None) -> Outcome:
    return await _fuzzed(_SHORT_FUZZ)


async def fuzzed_routes_at_length(_: None) -> Outcome:
    return await _fuzzed(_LONG_FUZZ)


async def _fuzzed(cases: int) -> Outcome:
    """Generated requests to every route of a router and a dashboard: no 5xx, none over 2 s."""
    return Outcome(cases, tuple(map(str, await fuzz.fuzz(cases, seed=1))))


async def stalling_bodies(_: None) -> Outcome:
    """Large bodies, and how long each keeps the event loop of a router from everybody else."""
    return await _stalled(small=True)


async def stalling_bodies_of_any_size(_: None) -> Outcome:
    return await _stalled(small=False)


async def _stalled(*, small: bool) -> Outcome:
    measured = await stalls.stalls(small=small)
    wrong = tuple(map(stalls.row, (m for m in measured if m.seconds > stalls.TARGET_SECONDS)))
    longest = max(stall.seconds for stall in measured)
    return Outcome(len(measured), wrong, {"longest_stall_ms": round(1000 * longest)})


async def slow_texts(_: None) -> Outcome:
    """Texts made for each pattern over callers' text: none takes more than linear time."""
    findings = await asyncio.to_thread(lambda: list(slow_text.slow_patterns(_SEEDS_APART)))
    return Outcome(len(patterns()), tuple(map(str, findings)))


async def slow_texts_of_every_kind(_: None) -> Outcome:
    findings = await asyncio.to_thread(
        lambda: [*slow_text.slow_patterns(), *slow_text.slow_readers()]
    )
    return Outcome(len(patterns()) + len(READERS), tuple(map(str, findings)))
