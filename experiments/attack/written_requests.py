"""Requests written by strangers: odd ones, those of hostile pages, and hostile queries."""

import asyncio
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from experiments.attack.attack import Outcome, Target
from experiments.attack.cases import body_of, cases, made
from experiments.attack.wire import Exchange, written

_SLOWEST_SECONDS = 2.0
_AT_ONCE = 2
_REFUSED = frozenset((400, 401, 403, 415, 421, 426, 431))
_NOT_OURS = (b"Binder Error", b"There is no view", b"took longer than", b"Invalid Input Error")
_JSON = {"Content-Type": "application/json"}


async def odd_requests(target: Target) -> Outcome:
    """Malformed and odd requests: each must get an answer below 500, within two seconds."""
    return await _below_500(target, cases("odd"))


async def slow_texts_of_strangers(target: Target) -> Outcome:
    """Prompts that were meant to keep a reader busy."""
    body = {"model": "auto"}
    rows = [
        {"method": "POST", "path": "/v1/chat/completions", "headers": _JSON, "why": case["why"]}
        | {"half": case["half"]}
        | {"body": json.dumps(body | {"messages": [{"role": "user", "content": made(case)}]})}
        for case in cases("slow")
    ]
    return await _below_500(target, rows)


async def _below_500(target: Target, rows: list[dict[str, Any]]) -> Outcome:
    slowest, wrong = 0.0, []
    for case, answer in await _answers(target, rows):
        slowest = max(slowest, answer.seconds)
        if not 0 < answer.status < 500 or answer.seconds > _SLOWEST_SECONDS:
            problem = f"{case['why']}: {answer.status} after {answer.seconds:.1f} s"
            wrong.append((case, problem))
    return _outcome(rows, wrong, slowest_seconds=round(slowest, 2))


def _outcome(
    rows: list[dict[str, Any]], wrong: list[tuple[dict[str, Any], str]], **figures: float
) -> Outcome:
    """The outcome of all cases, with the figures of those that nobody saw before the end."""
    unseen = sum(case["half"] == "unseen" for case in rows)
    failed = sum(case["half"] == "unseen" for case, _ in wrong)
    figures |= {"unseen_tried": unseen, "unseen_held": unseen - failed} if unseen else {}
    successes = tuple(f"[{case['half']}] {problem}" for case, problem in wrong)
    return Outcome(len(rows), successes, figures)


async def hostile_pages(target: Target) -> Outcome:
    """What pages elsewhere can make a browser send, and honest requests that must pass."""
    rows = [case for case in cases("doors") if case["config"] == "loopback-no-keys"]
    return await _at_the_door(target, rows, "")


async def callers_with_keys(target: Target, key: str) -> Outcome:
    rows = [case for case in cases("doors") if case["config"] == "keys"]
    return await _at_the_door(target, rows, key)


async def _at_the_door(target: Target, rows: list[dict[str, Any]], key: str) -> Outcome:
    port = str(target.service.port)
    filled = [
        case
        | {
            "path": case["path"].replace("$PORT", port),
            "headers": {
                name: value.replace("$PORT", port).replace("$KEY", key)
                for name, value in case["headers"].items()
            },
        }
        for case in rows
    ]
    wrong = [
        (case, f"{case['why']}: {case['expect']} was right, the answer was {answer.status}")
        for case, answer in await _answers(target, filled, host=False)
        if _was_refused(case, answer) != (case["expect"] == "refused") or not answer.status
    ]
    return _outcome(rows, wrong)


def _was_refused(case: dict[str, Any], answer: Exchange) -> bool:
    if answer.status == 400 and b'"param":"' in answer.body:
        return False  # the door let the request in, and a field of its body was wrong
    if b"scope_missing" in answer.body:
        return False  # the door let the request in, and its key lacks the scope of the route
    preflight = case["method"] == "OPTIONS" and answer.status == 405
    return preflight or answer.status in _REFUSED


async def hostile_queries(target: Target) -> Outcome:
    """Queries of `POST /v1/sql`: honest ones get rows, hostile ones are refused and change nothing.

    Whether a query was refused by the guard or failed for another reason, its text says: only an
    error that comes from running the query counts as "let through".
    """
    telemetry = target.service.data / "telemetry"
    before = _contents(telemetry)
    secret = os.environ.get("HOME", "/root")
    rows = cases("sql")
    wrong = []
    for case in rows:
        body = json.dumps({"sql": case["sql"]}).encode()
        answer = await target.send(
            written("POST", "/v1/sql", _JSON | {"Host": "127.0.0.1"}, body), seconds=60
        )
        problem = _misjudged(case, answer)
        leaked = secret.encode() in answer.body and secret not in case["sql"]
        if leaked or str(telemetry.parent).encode() in answer.body:
            problem = "the answer names a path of the machine"
        if problem:
            wrong.append((case, f"{case['sql'][:100]}: {problem}"))
    lost = [name for name, size in before.items() if _contents(telemetry).get(name, -1) < size]
    wrong += [({"half": "seen"}, f"{name} lost bytes") for name in lost if "journal" in name]
    return _outcome(rows, wrong)


def _misjudged(case: dict[str, Any], answer: Exchange) -> str:
    if case["why"] == "bomb":
        return "" if 200 <= answer.status < 500 else f"a bomb: status {answer.status}"
    if case["allowed"]:
        # The cases were written for a catalog that lacks some of our views and columns.
        honest = answer.status == 200 or any(words in answer.body for words in _NOT_OURS)
        return "" if honest else f"an honest query was refused: {answer.body[:160]!r}"
    return f"a hostile query was answered: {answer.body[:100]!r}" if answer.status == 200 else ""


def _contents(folder: Path) -> dict[str, int]:
    sizes = {}
    for path in folder.rglob("*"):
        if path.is_file():
            sizes[str(path.relative_to(folder))] = path.stat().st_size
    return sizes


async def _answers(
    target: Target, rows: Iterable[dict[str, Any]], *, host: bool = True
) -> list[tuple[dict[str, Any], Exchange]]:
    slots = asyncio.Semaphore(_AT_ONCE)

    async def answer(case: dict[str, Any]) -> tuple[dict[str, Any], Exchange]:
        headers = dict(case["headers"])
        version = case.get("http", "1.1")
        if host and not {"host"} & {name.lower() for name in headers}:
            headers["Host"] = f"127.0.0.1:{target.service.port}"
        request = written(case["method"], case["path"], headers, body_of(case), version=version)
        async with slots:
            return case, await target.send(request)

    return list(await asyncio.gather(*(answer(case) for case in rows)))
