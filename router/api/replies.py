"""What goes back to a caller: bodies, streams, and the x-waggle-* headers that tell of them."""

from dataclasses import asdict
from typing import Any

import orjson

from router.domain import Decision, Request, Trace
from router.request.context import NAMES
from router.routing.bandit import exploring_costs
from router.wire.asgi import HeaderList, Send, respond
from router.wire.splice import replaced
from router.wire.sse import data_of

JSON = (b"content-type", b"application/json")
SSE = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]


class ReplyWriter:
    """`send`, which remembers whether an answer has begun: a second one would be garbage."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun = False

    async def whole(self, status: int, body: bytes, headers: HeaderList) -> None:
        self._begun = True
        await respond(self._send, status, body, headers)

    async def begin(self, status: int, headers: HeaderList) -> None:
        self._begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def json(self, status: int, value: Any) -> None:
        await self.whole(status, orjson.dumps(value), [JSON])

    async def more(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})

    async def error(self, status: int, body: bytes, headers: HeaderList) -> None:
        if not self._begun:
            await self.whole(status, body, [JSON, *headers])
        else:  # a stream that we broke ourselves: say it where the caller still listens
            await self.more(b"data: " + body + b"\n\n")
            await self.end()


def explained(decision: Decision, request: Request) -> dict[str, Any]:
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
        **({"trials": [asdict(one) for one in decision.exposures]} if decision.exposures else {}),
        **_expected(decision),
    }


def _expected(decision: Decision) -> dict[str, Any]:
    """What the bandit expected of each plan, best first, and what its exploring costs."""
    if not decision.estimates:
        return {}
    ranked = sorted(decision.estimates, key=lambda one: -one.utility)
    runner_up = ranked[1].arm if len(ranked) > 1 else None
    return {
        "expected": [
            {
                "plan": one.arm,
                "quality": round(one.quality, 4),
                "interval": round(1.96 * one.deviation, 4),
                "cost_usd": one.cost,
                "seconds": round(one.seconds, 4),
                "failure": round(one.failure, 4),
                "utility": round(one.utility, 4),
            }
            for one in ranked
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


def explained_trace(trace: Trace) -> dict[str, Any]:
    told = explained(trace.decision, trace.request)
    told["attempts"] = [asdict(attempt) for attempt in trace.attempts]
    if trace.recalled is not None:
        told["reuse"] = asdict(trace.recalled)
    if trace.computed is not None:
        told["computed"] = dict(trace.computed)
    if trace.partial:
        told |= partly(trace)
    return told


def partly(trace: Trace) -> dict[str, Any]:
    """What a caller is told of an answer that is not all that was planned."""
    return {"partial": trace.partial, "reason": trace.partial_reason}


def with_explanation(piece: bytes, trace: Trace) -> bytes:
    first, _, rest = piece.partition(b"\n\n")
    data = data_of(first)
    if not data.startswith(b"{"):
        return piece
    told = orjson.dumps(explained_trace(trace))
    return b"data: " + replaced(data, {b'"waggle"': told}) + b"\n\n" + rest


def told(trace: Trace, *, streaming: bool = False) -> HeaderList:
    """The x-waggle-* headers. A stream's cost is not known yet: it comes with the last chunk."""
    decision = trace.decision
    headers = [
        *ids(trace.request.id),
        (b"x-waggle-backend", trace.backend.encode()),
        (b"x-waggle-plan", decision.plan.encode()),
        (b"x-waggle-strategy", decision.strategy.encode()),
        (b"x-waggle-propensity", f"{decision.propensity:.6g}".encode()),
        (b"x-waggle-reuse", trace.tier.encode()),
        (b"x-waggle-experiment", _experiment(decision)),
        (b"x-waggle-attempts", str(len(trace.attempts)).encode()),
    ]
    if trace.computed is not None:
        headers.append((b"x-waggle-verified", b"true" if trace.computed["verified"] else b"false"))
    if trace.partial:
        headers.append((b"x-waggle-partial", trace.partial.encode()))
    if not streaming:
        headers.append((b"x-waggle-cost-usd", f"{trace.cost_usd:.10g}".encode()))
        headers.append((b"x-waggle-overhead-ms", f"{1000 * trace.overhead_seconds:.3f}".encode()))
    return headers


def _experiment(decision: Decision) -> bytes:
    """`trial:side` of each trial it was part of."""
    told = ", ".join(f"{one.name}:{one.side}" for one in decision.exposures)
    return told.encode("ascii", "replace") or b"none"


def ids(request_id: str) -> HeaderList:
    return [(b"x-waggle-request-id", request_id.encode())]
