"""The reasons of a decision as JSON, for `/v1/route` and the header `x-waggle-explain`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson

from router.domain import Decision, GuardNote, Request, Trace
from router.request.context import NAMES
from router.routing.bandit import exploring_costs
from router.wire.splice import replaced
from router.wire.sse import data_of


def explained(decision: Decision, request: Request) -> dict[str, Any]:
    trials = [asdict(exposure) for exposure in decision.exposures]
    return {
        "request_id": request.id,
        "strategy": decision.strategy,
        "plan": decision.plan,
        "propensity": decision.propensity,
        "eligible": list(decision.probabilities),
        "probabilities": dict(decision.probabilities),
        "ineligible": dict(decision.ineligible),
        "reason": decision.reason,
        "complexity": {"score": decision.score, "parts": dict(decision.parts)},
        "policy_version": decision.policy_version,
        **({"kind": decision.kind} if decision.kind else {}),
        **({"pattern": decision.pattern} if decision.pattern else {}),
        **({"settings": list(decision.settings)} if decision.settings else {}),
        **({"trials": trials} if trials else {}),
        **({"guards": guards_json(request.guarded.notes)} if request.guarded else {}),
        **({"shadow": asdict(decision.shadow)} if decision.shadow is not None else {}),
        **_expected(decision),
    }


def _expected(decision: Decision) -> dict[str, Any]:
    """The bandit's estimates of each plan, best first, and the utility that exploring costs."""
    if not decision.estimates:
        return {}
    ranked = sorted(decision.estimates, key=lambda estimate: -estimate.utility)
    runner_up = ranked[1].arm if len(ranked) > 1 else None
    return {
        "expected": [
            {
                "plan": estimate.arm,
                "quality": round(estimate.quality, 4),
                "interval": round(1.96 * estimate.deviation, 4),
                "cost_usd": None if estimate.arm in decision.unpriced else estimate.cost,
                "seconds": round(estimate.seconds, 4),
                "failure": round(estimate.failure, 4),
                "utility": round(estimate.utility, 4),
            }
            for estimate in ranked
        ],
        "best": ranked[0].arm,
        "runner_up": runner_up,
        "exploring_costs": round(exploring_costs(ranked, decision.probabilities), 6),
        "features": {
            name: value
            for name, value in zip(NAMES, decision.numbers, strict=False)
            if value is not None
        },
    }


def guards_json(notes: Sequence[GuardNote]) -> list[dict[str, Any]]:
    """What each guard did, by which rule, and how long it took."""
    return [
        {
            "guard": note.guard,
            "at": note.at,
            "outcome": note.outcome,
            "rule": note.rule,
            "ms": round(1000 * note.seconds, 3),
        }
        for note in notes
    ]


def explained_trace(trace: Trace) -> dict[str, Any]:
    explanation = explained(trace.decision, trace.request)
    explanation["attempts"] = [asdict(attempt) for attempt in trace.attempts]
    if trace.guards:
        explanation["guards"] = guards_json(trace.guards)
    if trace.recalled is not None:
        explanation["reuse"] = asdict(trace.recalled)
    if trace.computed is not None:
        explanation["computed"] = dict(trace.computed)
    if trace.verified is not None:
        explanation["verified"] = trace.verified.as_json
    if trace.partial:
        explanation |= partly(trace)
    return explanation


def partly(trace: Trace) -> dict[str, Any]:
    """Why an answer is partial: one word, and a reason for the caller."""
    return {"partial": trace.partial, "reason": trace.partial_reason}


def with_explanation(piece: bytes, trace: Trace) -> bytes:
    """Put the explanation into the first event of this piece, if that event is a chunk."""
    first, _, rest = piece.partition(b"\n\n")
    data = data_of(first)
    if not data.startswith(b"{"):
        return piece
    explanation = orjson.dumps(explained_trace(trace))
    named = first[: first.index(b"data:")]  # the event's name, in dialects that have it
    return named + b"data: " + replaced(data, {b'"waggle"': explanation}) + b"\n\n" + rest
