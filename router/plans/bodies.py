"""The request body for each step of a plan: the caller's bytes, changed only where needed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from router.config.network import WITHOUT_LOGPROBS
from router.config.plans import Example
from router.config.values import CLAIMING
from router.domain import Request
from router.plans.prompts import CONTINUE, only_these, working_on
from router.records.shape_fields import anchors_of, only
from router.wire.splice import replaced, spans

_SYSTEM = frozenset({"system", "developer"})  # the roles of a system message
NATIVE = frozenset({"generator", "enricher", "validator", "learned"}) | CLAIMING


def _lesser(first: float | None, second: float | None) -> float | None:
    bounds = [bound for bound in (first, second) if bound is not None]
    return min(bounds, default=None)


@dataclass(frozen=True, slots=True)
class PlanBudget:
    """The bounds of a step: the most that the request may have cost, and the latest end."""

    most_usd: float | None = None
    until: float | None = None

    def within(
        self, spent: float, now: float, max_cost: float | None, max_ms: float | None
    ) -> "PlanBudget":
        cost = None if max_cost is None else spent + max_cost
        end = None if max_ms is None else now + max_ms / 1000
        return PlanBudget(_lesser(self.most_usd, cost), _lesser(self.until, end))


@dataclass(frozen=True, slots=True)
class Work:
    """The task of a step: answer the request, or go on with a draft."""

    role: str = ""
    parent: int = 0
    draft: str = ""
    instruction: str = ""  # what to do with the draft, or a system message
    system: str = ""  # the system message in place of the caller's
    examples: tuple[Example, ...] = ()  # what the model sees answered before the conversation
    fields: tuple[str, ...] | None = None  # the step fills only these fields of the shape
    tail: bool = False  # the caller gets this step's answer, streamed if wanted
    logprobs: bool = False
    entropy: bool = False
    budget: PlanBudget = PlanBudget()

    def at(self, place: str, **changes: Any) -> "Work":
        role = f"{self.role}.{place}" if self.role else place
        return replace(self, role=role, **changes)


def body_of(request: Request, work: Work, kind: str) -> bytes:
    """The caller's request body, with the changes that this step needs."""
    changes: dict[bytes, bytes] = {}
    if request.stream and not work.tail:
        changes[b'"stream"'] = b"false"
        changes[b'"stream_options"'] = b"null"
    if work.logprobs and kind not in WITHOUT_LOGPROBS:
        changes[b'"logprobs"'] = b"true"
    if work.entropy and kind not in WITHOUT_LOGPROBS:
        changes[b'"top_logprobs"'] = b"5"
    if kind in NATIVE:
        _for_ours(request, work, changes)
    else:
        _for_models(request, work, changes)
    return replaced(request.body, changes) if changes else request.body


def _for_ours(request: Request, work: Work, changes: dict[bytes, bytes]) -> None:
    """Waggle's own kinds of backends read fields of the request, not instructions in messages."""
    if work.instruction and not work.draft:
        changes[b'"for_writer"'] = b"true"
    if work.draft:
        changes[b'"draft"'] = orjson.dumps(work.draft)
    shape = request.reading.shape
    if work.fields is not None and shape is not None:
        changes[b'"shape"'] = orjson.dumps(only(shape, work.fields))


def _for_models(request: Request, work: Work, changes: dict[bytes, bytes]) -> None:
    messages = list(request.fields["messages"])
    shape = request.reading.shape
    if work.fields is not None and shape is not None:
        part = only(shape, work.fields)
        wanted = request.fields.get("response_format")
        if isinstance(wanted, dict) and isinstance(wanted.get("json_schema"), dict):
            inner = {**wanted["json_schema"], "schema": part}
            changes[b'"response_format"'] = orjson.dumps({**wanted, "json_schema": inner})
        messages.append({"role": "user", "content": only_these(part)})
    if work.system:
        messages = [message for message in messages if message["role"] not in _SYSTEM]
    if work.examples:
        messages = _after_examples(messages, work.examples)
    if work.draft:
        messages += working_on(work.draft, work.instruction or CONTINUE)
    beside = "" if work.draft else work.instruction
    if prompt := "\n\n".join(text for text in (work.system, beside) if text):
        messages.insert(0, {"role": "system", "content": prompt})
    if messages != request.fields["messages"]:
        changes[b'"messages"'] = orjson.dumps(messages)


def _after_examples(
    messages: Sequence[Mapping[str, Any]], examples: Sequence[Example]
) -> list[Mapping[str, Any]]:
    """The messages with answered requests before the conversation, after its system messages."""
    begins = next((n for n, each in enumerate(messages) if each["role"] not in _SYSTEM), 0)
    shown = [
        {"role": role, "content": content}
        for example in examples
        for role, content in (("user", example.prompt), ("assistant", example.answer))
    ]
    return [*messages[:begins], *shown, *messages[begins:]]


def fields_for(request: Request, wish: Any) -> tuple[str, ...] | None:
    """The fields of the shape that the step must fill; None for all fields, or without a shape."""
    shape = request.reading.shape
    if wish is None or shape is None:
        return None
    return anchors_of(shape) if wish == "anchors" else tuple(wish)


def without_logprobs(body: bytes) -> bytes:
    """Remove the logprobs from an answer whose caller did not ask for them."""
    if b'"logprobs"' not in body:
        return body
    start, end = spans(body, (b'"choices"',)).get(b'"choices"', (0, 0))
    choices = body[start:end]
    if orjson.loads(choices or b"[]")[1:] or b"{" not in choices:
        return body
    brace = choices.index(b"{")
    changed = choices[:brace] + replaced(choices[brace:], {b'"logprobs"': b"null"})
    return body[:start] + changed + body[end:]
