"""Sends the requests of an evaluation to a running service."""

import time
from collections.abc import Mapping
from typing import Any

import orjson

from router.batches.asking import error_message, persist
from router.cli.batch_sending import PooledService
from router.domain import CHAT, Fault
from router.evaluation.ledger import PlanAnswer
from router.evaluation.running import NoAnswer
from router.verified import verified_by
from router.wire.answers import answer_text

_REFUSED = frozenset({400, 404, 413, 422})  # what the plan says to this request, every time


class ServiceAsker:
    """An `Asker` whose answers come from a service, never from its memory."""

    def __init__(self, url: str, key: str) -> None:
        self._service = PooledService(url, key)

    async def ask(self, model: str, fields: Mapping[str, Any], *, task: str) -> PlanAnswer:
        body = orjson.dumps({**fields, "model": model, "stream": False})
        headers = {"x-waggle-reuse": "off", "cache-control": "no-store"}
        if task:
            headers["x-waggle-task"] = task
        begun = time.monotonic()
        try:
            tries = await persist(self._service, CHAT, body, headers)
        except Fault as fault:
            raise NoAnswer(fault.detail) from None
        seconds, reply = time.monotonic() - begun, tries.reply
        if reply is None:
            raise NoAnswer(tries.why, cost_usd=tries.cost_usd, away=tries.away)
        if reply.status >= 400:
            message = f"{reply.status}: {error_message(reply.body)}"
            if reply.status not in _REFUSED:
                raise NoAnswer(message, cost_usd=tries.cost_usd, away=reply.status in (401, 403))
            return PlanAnswer("", tries.cost_usd, seconds, refusal=message[:500])
        verified = verified_by(reply.header(b"x-waggle-verified"))
        usage = _usage_in(reply.body)
        return PlanAnswer(
            answer_text(reply.body),
            tries.cost_usd,
            seconds,
            reply.header(b"x-waggle-backend"),
            proven=verified is not None and verified.proven,
            input_tokens=usage.get("prompt_tokens") or 0,
            output_tokens=usage.get("completion_tokens") or 0,
        )

    def close(self) -> None:
        self._service.close()


def _usage_in(body: bytes) -> Mapping[str, Any]:
    try:
        usage = orjson.loads(body).get("usage")
    except (orjson.JSONDecodeError, AttributeError):
        return {}
    return usage if isinstance(usage, dict) else {}
