"""Writes an hour of telemetry like a router's, with everything that the pages can show.

There are two kinds of request and two plans, and the bandit learns that `cheap` is good enough for
texts. There are also an adopted trial, two routing functions, a drift, an open breaker, reused
answers of which some are wrong, failed requests, and names that try to run as scripts.
"""

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from learner.sequence import Interval
from learner.takeover import Takeover
from router.domain import new_id
from router.trials.shadow_foretelling import ForetoldShadow, ShadowCounts
from router.trials.shadow_summary import MeasuredShadow, ShadowSummary
from tests.telemetry.stored import MINUTE, Stored, request, signal

HARM = "<img src=x onerror=\"document.title='owned'\">"
TRIAL = "01a1fae8-0000-7000-8000-000000000001"
MADE_TRIAL = "01a1fae8-0000-7000-8000-000000000002"
OLD = "def route(request, scores, similar):\n    return 'dear'\n"
NEW = "def route(request, scores, similar):\n    # 412 answers\n    return 'cheap'\n"

TRAINED = {
    "run": "task-triage-0a", "data": "task-triage@v1", "kind": "head", "model": "task-triage@1",
    "why": "", "metrics": {"answered": 0.78, "loss_answered": 0.004}, "cpu_seconds": 4.9,
}  # fmt: skip
LEARNED = {
    "trigger": "300 judged answers", "model": "task-triage@1", "why": f"it is cheaper: {HARM}"
}  # fmt: skip


def write_story(
    folder: Path, *, begin: int, requests: int = 600, seed: int = 1, unpriced: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Write the telemetry and seal half of it. Returns the rows of the requests, oldest first.

    The plans in `unpriced` have no price."""
    chance = random.Random(seed)
    stored = Stored(folder)
    rows, signals = [], []
    for n in range(requests):
        at = begin + n * 60 * MINUTE // requests
        kind = chance.choice(("text", "json"))
        learned = n / requests
        cheap = chance.random() < (0.2 + 0.7 * learned if kind == "text" else 0.15)
        plan = "cheap" if cheap else "dear"
        usd = {"cheap": 0.0002, "dear": 0.004} | dict.fromkeys(unpriced)
        good = {("cheap", "text"): 0.93, ("cheap", "json"): 0.4}.get((plan, kind), 0.95)
        row = request(
            at,
            kind=kind,
            strategy="bandit" if n > 60 else "ladder",
            policy_version="17-a1",
            plan=plan,
            propensity=0.9,
            eligible=["cheap", "dear"],
            probabilities=[0.9, 0.1] if cheap else [0.1, 0.9],
            explored=chance.random() < 0.1,
            complexity=round(chance.uniform(0, 9), 2),
            backend=plan,
            cost_usd=usd[plan],
            premium_plan="dear",
            premium_cost_usd=usd["dear"],
            latency_ms=chance.uniform(20, 60) if cheap else chance.uniform(150, 400),
            overhead_ms=chance.uniform(0.3, 0.9),
            expected_quality=good,
            expected_cost_usd=0.004,
            expected=[
                {"plan": "cheap", "quality": 0.9, "cost_usd": 0.0002, "latency_ms": 40.0},
                {"plan": "dear", "quality": 0.95, "cost_usd": 0.004, "latency_ms": 300.0},
            ],
            reason=f"{plan} is expected to be worth more",
            session=HARM if n % 50 == 0 else f"s{n % 7}",
            attempts=[
                {
                    **{"step": 1, "backend": plan, "status": 200, "latency_ms": 90.0},
                    **{"cost_usd": usd[plan], "role": "ask"},
                    **{"gen_ai_usage_input_tokens": 12, "gen_ai_usage_output_tokens": 80},
                }
            ],
        )
        if kind == "text" and n > 100:
            row["pattern"] = "p1"
        if n % 20 == 7:
            row |= {
                "reuse_tier": "reuse",
                "solution": 13 if n % 40 == 7 else 20,
                "similarity": 0.97,
            }
            row["cost_usd"] = 0.0
        if n % 97 == 5:
            row |= {"error_type": "upstream", "error": HARM, "status": 502}
        if n > 300:
            side = "candidate" if n % 2 else "current"
            row["trial_id"], row["variant"] = TRIAL, side
            row["exposures"] = [
                {
                    **{"trial_id": TRIAL, "unit": str(n), "variant": side, "chance": 0.5},
                    **{"apart": n % 3 == 0, "other": "dear"},
                }
            ]
        if n == requests - 1:
            row |= {"prompt": HARM + "</script><script>document.title='owned'</script>"}
            row |= {"kind": "json", "answer": "[1, 2]"}
        rows.append(row)
        if chance.random() < 0.8 and "error_type" not in row:
            signals.append(signal(row, float(chance.random() < good), comment=HARM))
    half = requests // 2
    stored.write("requests", rows[:half], writer=f"early{seed}")
    stored.write("signals", [s for s in signals if s["ts"] < rows[half]["ts"]], f"early{seed}")
    stored.seal()
    late = Stored(folder)
    late.write("requests", rows[half:], writer=f"late{seed}")
    late.write("signals", [s for s in signals if s["ts"] >= rows[half]["ts"]], writer=f"late{seed}")
    late.write("events", list(_events(begin)), writer=f"late{seed}")
    late.write("policies", list(_policies(begin)), writer=f"late{seed}")
    late.write("trials", list(_trials(begin)), writer=f"late{seed}")
    late.keeper.seal()
    return rows


BEHAVIOURS = [
    {"behaviour": name, "claims": "bad", "compared": 40, "rated": 0.215, "weight": weight}
    for name, weight in (("retried", 0.0), ("corrected", 0.318))
]


HANDBOOK = {"by": "configuration", "owner": "alice", "visible": "private", "locale": "law"}
GRANTED = {
    "by": "key alice",
    "grant": 1,
    "who": "key:bob",
    "may": "read",
    "until": 1.8e9,
    "rate": 9,
}
PROPOSED = {
    **{"by": "housekeeping", "proposes": "store", "subject": "passages of team law"},
    **{"purpose": "keep 4 passages that are pasted again and again by team law", "owner": "alice"},
    **{"locale": "law", "rows": f"select ts from requests where team = '{HARM}'"},
    "saving": {"days": 30.0, "requests": 96, "tokens": 184300, "usd": 0.4212, "ms": None},
}
MERGE = {
    **{"by": "housekeeping", "proposes": "merge", "subject": "cases handbook", "owner": "alice"},
    **{"purpose": "merge cases into handbook: handbook holds 94% of its passages", "locale": ""},
}
LAG = {"lag_seconds": 0.0, "behind": 0, "newest": 12}
REVIEWED = {"role": "router", "author": "large", "parent": "learned:1", "reviews": "accept"}


def _events(begin: int) -> Any:
    day = time.strftime("%Y-%m-%d", time.gmtime(begin / 1e6))
    for minute, kind, subject, state, detail in (
        (1, "configuration", "17-a1", "in force", {"plans": ["cheap", "dear"]}),
        (1, "topology", "cheap", "found", {"replicas": 1}),
        (2, "topology", "dear", "found", {"replicas": 2}),
        (3, "sandbox", "programs", "level 3", {}),
        (20, "breaker", "dear", "open", {"reason": HARM}),
        (22, "breaker", "dear", "closed", {}),
        (30, "drift", "cheap", "fell", {"kind": "text"}),
        (35, "reuse", "13", "right", {"bucket": "same words", "by": "made anew"}),
        (36, "reuse", "20", "wrong", {"bucket": "same words", "by": "made anew"}),
        (37, "reuse", "20", "right", {"bucket": "same numbers", "by": "app"}),
        (38, "solutions", "20", "adapted", {"parent": 13, "sort": "program"}),
        (45, "outlook", "17-a0", "worked out", {"kinds": [_outlook("any", "no judged answers")]}),
        (
            48,
            "outlook",
            "17-a1",
            "worked out",
            {"kinds": list(_outlooks()), "behaviours": BEHAVIOURS},
        ),
        (49, "shadow", "auto", "shadow", shadow_of_auto()),
        (12, "pattern", "p1", "found", {"name": "invoice, total", "spread": 0.31}),
        (13, "growth", "p1-steps-1", "made", made_plan("steps")),
        (18, "growth", "p1-steps-1", "kept", {"why": f"it hardly adds: {HARM}"}),
        (19, "growth", "p1-examples-1", "made", made_plan("examples")),
        (40, "growth", "p1-examples-1", "adopted", {"why": "it is better"}),
        (41, "growth", "p1-brief-1", "made", made_plan("brief")),
        (42, "growth", "p1-brief-1", "removed", {"why": "an operator said so", "by": "operator"}),
        (14, "training", "triage", "finished", trained("triage@1", "r1", 0.61)),
        (15, "model", "triage@1", "promoted", {}),
        (16, "training", "triage", "finished", trained("triage@2", "r2", 0.74)),
        (17, "training", "notices", "refused", {"run": "r3", "kind": "fill", "why": HARM}),
        (29, "node", "learned:2", "reviewed", REVIEWED),
        (30, "lesson", "task-triage", "training", {"trigger": "300 judged answers", "model": ""}),
        (31, "training", "task-triage", "finished", TRAINED),
        (32, "lesson", "task-triage", "adopted", LEARNED),
        (3, "knowledge", "handbook", "declared", HANDBOOK | {"number": 1}),
        (4, "knowledge", "handbook", "granted", GRANTED | {"number": 2}),
        (5, "knowledge", "handbook", "asked", {"number": 3, "by": f"key {HARM}", "ask": 1}),
        (6, "knowledge", "handbook", "used", {"day": day, "key": "bob", "reads": 7}),
        (7, "knowledge", "cases", "declared", HANDBOOK | {"number": 4, "owner": ""}),
        (8, "knowledge", "cases", "granted", GRANTED | {"number": 5, "grant": 2}),
        (9, "knowledge", "cases", "revoked", {"number": 6, "by": "key root", "grant": 2}),
        (10, "knowledge", "", "proposed", PROPOSED | {"number": 7, "proposal": 1}),
        (11, "knowledge", "", "proposed", MERGE | {"number": 8, "proposal": 2}),
        (12, "knowledge", "", "refused", MERGE | {"number": 9, "proposal": 2, "by": "key alice"}),
        *((13 + n, "knowledge", "handbook", "lag", LAG | {"lag_seconds": n / 4}) for n in range(9)),
        (23, "knowledge", "cases", "lag", LAG),
        (50, "strategy", "learned:2", "serves", {"why": "it is better by +.04 [+.01, +.07]"}),
    ):
        event = {"kind": kind, "subject": subject, "state": state, "detail": detail}
        yield {"ts": begin + minute * MINUTE, "event_id": new_id(begin / 1e6 + minute), **event}


def trained(model: str, run: str, answered: float) -> dict[str, Any]:
    return {
        **{"run": run, "model": model, "kind": "head", "data": "tickets@v1", "target": "answer"},
        "metrics": {"answered": answered, "loss_answered": 0.004, "rows": 200, "why": ""},
        "cpu_seconds": 3.2,
        "curves": {"loss": [2.1, 1.4, 1.2]},
        "calibration": {"bins": [{"from": 0.9, "rows": 80, "predicted": 0.95, "right": 0.94}]},
        "slices": [{"slice": "language", "value": HARM, "rows": 90, "answered": answered}],
    }


def made_plan(author: str) -> dict[str, Any]:
    detail = {"pattern": "p1", "parent": "cheap", "author": author, "version": 1, "way": "spawn"}
    return detail | {"evidence": "120 judged answers of p1 are 0.62 good"}


def shadow_of_auto() -> dict[str, Any]:
    takeover = Takeover(Interval(0.002, 0.003, 0.004), Interval(-0.01, 0.004, 0.018), 0.02, "")
    return ShadowSummary(
        live=False,
        may_switch=False,
        share=0.05,
        counts=ShadowCounts(4100, 100, 0.6, 41.2, 0, ("dear", HARM)),
        measured=MeasuredShadow(4000, 900, 0, True, takeover),
        foretold=ForetoldShadow(),
    ).written()


def _outlooks() -> Any:
    yield _outlook("any", "worth learning")
    yield _outlook("text", "learned", gain=0.0612)
    yield _outlook("json", "nothing to learn", left=0.0004)
    yield _outlook(HARM, "no judged answers here")


def _outlook(kind: str, outlook: str, **given: float) -> dict[str, Any]:
    figures = {"gain": 0.02, "gain_deviation": 0.01, "left": 0.0312, "utility_per_day": 1.75}
    figures |= {"usd_per_day": -0.25, "requests_per_day": 480.0, "judged": 300}
    return {"kind": kind, "outlook": outlook, "verdict": f"{outlook}: so {HARM} says"} | (
        figures | given
    )


def _policies(begin: int) -> Any:
    ladder = {"rungs": ["cheap", "dear"], "cuts": [4.5]}
    yield _policy(begin, "17-a1", "bandit", {"learned": 400, "ladder": ladder})
    yield _policy(begin + 5 * MINUTE, "learned:1", "function", {"source": OLD})
    yield _policy(begin + 50 * MINUTE, "learned:2", "function", {"source": NEW})


def _policy(at: int, version: str, strategy: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {"ts": at, "policy_version": version, "strategy": strategy, "settings": settings}


def _trials(begin: int) -> Any:
    for step in range(1, 9):
        half = 0.12 / step
        lift = {"low": 0.04 - half, "mean": 0.04, "high": 0.04 + half}
        numbers = {
            **{"requests": 40 * step, "lift": lift, "split_p": 0.61, "apart_share": 0.3},
            "assigned": {"candidate": 20 * step, "current": 20 * step},
            "guards": {"quality": {"state": "held", "low": -0.01, "mean": 0.02, "high": 0.05}},
        }
        yield {
            "ts": begin + (30 + 2 * step) * MINUTE,
            "trial_id": TRIAL,
            "name": "learned",
            "state": "adopted" if step == 8 else "running",
            "settings": {
                **{"candidate": "learned:2", "current": "bandit", "opened_by": HARM},
                **{"share": 0.5, "numbers": numbers, "why": f"More data: {HARM}"},
            },
        }
    for minute, state, lift in (
        (20, "running", None),
        (40, "adopted", 0.21),
        (44, "adopted", 0.01),
    ):
        numbers = {"requests": 140} if lift else {}
        if lift:
            numbers["lift"] = {"low": lift - 0.1, "mean": lift, "high": lift + 0.1}
        yield {
            "ts": begin + minute * MINUTE,
            "trial_id": MADE_TRIAL,
            "name": "p1-examples-1",
            "state": state,
            "settings": {"share": 0.95, "numbers": numbers, "why": "it is better: +.21"},
        }
