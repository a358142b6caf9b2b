"""Whether trials find the needless stages of forty-eight pipelines, and spare the useful ones.

The pipelines of `worlds/doubles.py` answer drawn requests, and users judge each answer. For each
stage a trial compares the pipeline with itself without that stage, by the rules of the service:
within each kind of request, as growth does within a pattern, and over all kinds, as simplification
does. A stage whose trial succeeds is gone in the trials after it. No service is needed.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median
from types import SimpleNamespace
from typing import Any

from experiments.growth.worlds import doubles
from learner.assignment import Side, Slot
from learner.preference import BALANCED
from learner.sequence import ComparedUnit
from learner.verdict import verdict_of
from router.config.config import Config
from router.trials import made_trials
from router.trials.book import Trial
from router.trials.course import Course
from router.trials.simplifying import CAREFUL, MOST_HARM

_LOOK_EVERY = 20  # requests
_MANY = 1_000_000_000
_CONFIG = Config.model_validate(
    {
        "backends": {"own": {"kind": "generator"}},
        "plans": {"own": {"ask": "own"}},
        "trials": {"propose": True, "adopt": True},
    }
)


def of_stages(seed: int) -> dict[str, Any]:
    """Stages that go within each kind of request."""
    return _counted(seed, "kinds")


def of_whole_stages(seed: int) -> dict[str, Any]:
    """Stages that go for all kinds at once."""
    return _counted(seed, "whole")


def _counted(seed: int, way: str) -> dict[str, Any]:
    pipes = doubles.pipelines(seed)
    gone = [removal for pipe in pipes for removal in _removed(pipe, seed, way)]
    judged = doubles.judge_stages(pipes, {(pipe, stage, kind) for pipe, stage, kind, _ in gone})
    needless = {(p.id, s) for p in pipes for s, of in p.truth.items() if of["role"] == "useless"}
    after = [requests for pipe, stage, _, requests in gone if (pipe, stage) in needless]
    return {
        "seed": seed,
        "useless": judged["useless"],
        "found": judged["found"],
        "useful_removed": len(judged["useful_removed"]) + len(judged["required_removed"]),
        "after": median(after) if after else None,  # requests of the kind, or of all kinds
    }


def _removed(pipe: Any, seed: int, way: str) -> Iterator[tuple[str, str, str | None, int]]:
    """The stages that go, each with the kind of request and the requests that this took."""
    chance, stream = random.Random(f"{seed} {pipe.id} {way}"), pipe.stream()
    for kind in pipe.kinds if way == "kinds" else (None,):
        requests = [each for each in stream if kind in (None, each.kind)]
        gone: tuple[str, ...] = ()
        for stage in [stage.id for stage in pipe.stages if stage.type != "draft"]:
            after = _goes(pipe, requests, stage, gone, chance, whole=kind is None)
            if after:
                gone = (*gone, stage)
                yield pipe.id, stage, kind, after


def _goes(
    pipe: Any,
    requests: Sequence[Any],
    stage: str,
    gone: tuple[str, ...],
    chance: random.Random,
    *,
    whole: bool,
) -> int:
    """The requests after which a trial lets the stage go; 0 if the stage stays."""
    share = CAREFUL if whole else made_trials.HALF
    course = Course(_trial(share, whole=whole), _CONFIG)
    plan = SimpleNamespace(kind="stage", stands_for="own", patterns=("p",))
    book: Any = SimpleNamespace(made={"less": plan}, grown=[], config=_CONFIG, words={})
    for n in range(1, course.comparison.rules.most_requests + _LOOK_EVERY):
        request = replace(chance.choice(requests), i=chance.randrange(_MANY))  # independent draws
        side: Side = "candidate" if chance.random() < share else "current"
        run = pipe.run(request, (*gone, stage) if side == "candidate" else gone)
        _compare(course, run, side, share if side == "candidate" else 1 - share, request.kind)
        if n % _LOOK_EVERY:
            continue
        if whole:
            state = {"adopt": "adopted", "keep": "kept"}.get(verdict_of(course.comparison).word)
        else:
            lines = made_trials.decide_made(book, course.trial, course, _CONFIG, 0.0)
            state = lines[-1]["state"] if lines else None
        if state:
            return n if state == "adopted" else 0
    return 0


def _compare(course: Course, run: Any, side: Side, share: float, kind: str) -> None:
    cost, seconds, quality = BALANCED.price(run.usd, 0.0), run.ms / 1000, float(run.ok)
    unit = ComparedUnit(
        side, share, {f"kind={kind}": 1.0}, cost / BALANCED.cost, seconds, False,
        quality=quality, utility=quality - BALANCED.price(run.usd, seconds), dollars=run.usd,
        group=kind,
    )  # fmt: skip
    course.comparison.see(side, seconds, kind)
    course.comparison.expose(unit)
    course.comparison.judge(unit)


def _trial(share: float, *, whole: bool) -> Trial:
    rules = {"most_harm": MOST_HARM}
    if not whole:
        rules = {
            "least": made_trials.LEAST,
            "margin": _CONFIG.growth.epsilon,
            "most_requests": made_trials.MOST_OF_SIMPLER,
        }
    slot = Slot("t", "stages p", 0.0, 1.0, share)
    return Trial(
        "t", "less", "c", "s", slot, "running", "growth", 0.0, 0.0,
        goal="no worse", rules=rules, pattern="" if whole else "p",
    )  # fmt: skip
