"""Measures how soon a kind of likeness that goes bad is noticed, and how often a good one stops.

After thousands of good checks, a share of the reused answers becomes wrong: swapped and negated
questions get each other's answer. Each checked hit goes through the real classes: `AnswerJudges`
judges the remembered answer beside the new one, with a verifying backend, and `Calibration` learns
what it found. The backend is simulated: it is right with a stated probability, each time that it is
asked.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from experiments.reuse.blind import written
from learner.policy import Arm
from router.api.parse import parse_chat
from router.calls.outcome import CallOutcome
from router.config.config import Config
from router.domain import Attempt, Call, Decision, Event, Request, Trace, Usage
from router.encoding.encoder import Encoder
from router.engine.answer_judges import AnswerFinding, AnswerJudges
from router.engine.verifying import Verifying
from router.plans.calling import EndCall
from router.plans.compiled import Plans
from router.plans.pace import Pace
from router.reuse.calibration import Calibration
from router.reuse.evidence import ReuseCheck
from router.reuse.solution import Solution

BUDGET = 0.01
PLANTED = 0.05
WITHIN = 200  # checked hits
GOOD_CHECKS = 3_000  # before the kind goes bad
RIGHT = 0.97  # how often the backend is right
MOST_CHECKED = 1_000  # hits after which the kind is left alone
BUCKET, SPACE, NEIGHBOURHOODS = "verifier:2", b"a space", 16
_ALIKE = 0.85  # the cosine from which an encoder would call two answers the same
_CONFIG = {
    "backends": {"cheap": {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"}},
    "plans": {"ask": {"ask": "cheap"}},
    "reuse": {"mode": "similar", "verifier": "cheap"},
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A reused answer: to the remembered request, beside the answer to the new request."""

    request: str
    remembered: str
    new: str
    wrong: bool


def right_hits() -> list[Hit]:
    """The answers to requests that strangers called the same, in other words."""
    return [
        Hit(pair.request, f"Here is what you want: {pair.stored}", f"Sure. {pair.request}", False)
        for pair in written("natural.seen")
        if pair.same
    ]


def wrong_hits(swapped: Sequence[tuple[str, str]]) -> list[Hit]:
    """The answers to swapped questions, and to questions of which one is negated."""
    pairs = [pair for pair in written("natural.seen") if pair.kind == "negation" and not pair.same]
    negated = [(pair.stored, pair.request) for pair in pairs]
    share = max(len(swapped) // max(len(negated), 1), 1)
    return [
        Hit(new, f"It is so: {stored}", f"It is so: {new}", True)
        for stored, new in [*swapped, *negated * share]
    ]


@dataclass
class SimulatedBackend:
    """A backend that says whether two answers agree, and is right with the probability `right`.

    It stands for `Tries` and for `Allowances`: nothing is called, and no key has limits.
    """

    uniform: Callable[[], float]
    right: float = RIGHT
    agree: bool = True  # what is true of the answers that it is asked about
    pace: Pace = field(default_factory=Pace)

    async def try_chain(
        self,
        config: Config,  # noqa: ARG002
        chain: tuple[str, ...],
        call: Call,  # noqa: ARG002
        tried: list[Attempt],
    ) -> CallOutcome:
        errs = self.uniform() >= self.right
        word = "yes" if self.agree != errs else "no"
        body = orjson.dumps({"choices": [{"message": {"role": "assistant", "content": word}}]})
        attempt = Attempt(chain[0], 200, "", "answered", 0.1)
        tried.append(attempt)
        return CallOutcome(attempt, body, usage=Usage(100, 1))

    def resting_at(self, now: float) -> Sequence[str]:  # noqa: ARG002
        return ()

    async def reserve(
        self,
        config: Config,  # noqa: ARG002
        chain: tuple[str, ...],  # noqa: ARG002
        request: Request,  # noqa: ARG002
        body: bytes,  # noqa: ARG002
    ) -> EndCall:
        return _nothing


def _nothing(
    attempts: Sequence[Attempt], *, streams: bool = False, waited: bool = True
) -> None: ...


def _note(event: Event) -> None: ...


class Watched:
    """One kind of likeness with its checks, judged and learned by the classes of the router."""

    def __init__(self, seed: int) -> None:
        self.chance = np.random.default_rng(seed)
        self.backend = SimulatedBackend(self.chance.random)
        verifying = Verifying(self.backend, self.backend, steady=lambda: 0.0)
        self.judges = AnswerJudges(verifying, self.backend.try_chain, _note, lambda: 0.0)
        self.plans = Plans(Config.model_validate(_CONFIG))
        self.calibration = Calibration(BUDGET)
        self.checks = 0

    @property
    def share_checked(self) -> float:
        return self.calibration.standing(BUCKET, SPACE, self._part).checked

    @property
    def stopped(self) -> bool:
        """Whether the kind stopped in all the space, and not in a neighbourhood alone."""
        return self.calibration.standing(BUCKET, SPACE, NEIGHBOURHOODS).state == "stopped"

    def next_hit(self) -> None:
        self._part = int(self.chance.integers(NEIGHBOURHOODS))

    async def check(self, hit: Hit) -> AnswerFinding | None:
        self.backend.agree = not hit.wrong
        remembered = Solution("", SPACE, b"", "text", hit.request, hit.remembered)
        finding = await self.judges.judge(self.plans, _trace(hit.request), remembered, hit.new)
        if finding is not None:
            self._learn(wrong=finding.wrong, by=finding.by, weight=finding.weight)
        return finding

    def _learn(self, *, wrong: bool, by: str = "", weight: float = 1.0) -> None:
        self.checks += 1  # each check is of another solution
        check = ReuseCheck(BUCKET, SPACE, wrong, weight, 0.0, self.checks, self._part, by)
        self.calibration.learn([check])

    def warm_up(self) -> None:
        """Learn thousands of checks of answers that are right, by the same erring backend."""
        both_err = (1 - RIGHT) ** 2
        while self.checks < GOOD_CHECKS:
            self.next_hit()
            self._learn(wrong=bool(self.chance.random() < both_err))

    _part = 0


def _trace(text: str) -> Trace:
    message = {"role": "user", "content": text}
    body = orjson.dumps({"model": "auto", "messages": [message]})
    request = parse_chat(body, {}, request_id="", key_id="")
    return Trace(request, Decision(Arm("ask"), 1.0, "ladder", {Arm("ask"): 1.0}), 0.0, status=200)


async def until_it_stops(
    seed: int, share: float, right: Sequence[Hit], wrong: Sequence[Hit]
) -> tuple[int, int] | None:
    """The checked hits, and all hits, until the kind stops; None if it does not stop."""
    watched = Watched(seed)
    watched.warm_up()
    checked = hits = 0
    while checked < MOST_CHECKED:
        hits += 1
        watched.next_hit()
        if watched.chance.random() >= watched.share_checked:
            continue
        pool = wrong if watched.chance.random() < share else right
        checked += await watched.check(pool[int(watched.chance.integers(len(pool)))]) is not None
        if watched.stopped:
            return checked, hits
    return None


async def _measured(
    swapped: Sequence[tuple[str, str]], seeds: int
) -> tuple[list[tuple[int, int] | None], dict[str, int]]:
    right, wrong = right_hits(), wrong_hits(swapped)
    planted = [await until_it_stops(seed, PLANTED, right, wrong) for seed in range(seeds)]
    alarms = {}
    for share in (0.0, 0.003, BUDGET):
        stops = [await until_it_stops(10_000 + n, share, right, wrong) for n in range(seeds)]
        alarms[f"{share:.1%}"] = sum(stop is not None for stop in stops)
    return planted, alarms


def measured(
    swapped: Sequence[tuple[str, str]], encoder: Encoder, seeds: int = 100
) -> dict[str, Any]:
    planted, alarms = asyncio.run(_measured(swapped, seeds))
    checked = sorted(stop[0] if stop else MOST_CHECKED for stop in planted)
    hits = sorted(stop[1] if stop else 10**9 for stop in planted)
    return {
        "planted": PLANTED,
        "budget": BUDGET,
        "good_checks_before": GOOD_CHECKS,
        "backend_right": RIGHT,
        "seeds": seeds,
        "within": WITHIN,
        "noticed": sum(count <= WITHIN for count in checked),
        "checked_p50": checked[len(checked) // 2],
        "checked_p95": checked[int(0.95 * (len(checked) - 1))],
        "hits_p50": hits[len(hits) // 2],
        "hits_p95": hits[int(0.95 * (len(hits) - 1))],
        "stopped_in_1000_checks": alarms,
        "encoder_calls_right": _alike(wrong_hits(swapped), encoder),
    }


def _alike(wrong: Sequence[Hit], encoder: Encoder) -> float:
    """The share of the wrong answers that an encoder would call right."""
    remembered = encoder.encode([hit.remembered for hit in wrong])
    new = encoder.encode([hit.new for hit in wrong])
    return round(float(((remembered * new).sum(axis=1) >= _ALIKE).mean()), 4)
