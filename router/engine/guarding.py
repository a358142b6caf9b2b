"""Runs the configured guards: over a request before anything reads it, and over its answer.

After `before`, the request holds the redacted words alone: decisions, memory, backends, judges and
telemetry see no others. The words behind the placeholders stay with the request in this process,
and go back into what its caller gets. Nothing passes unchecked in silence: a guard that fails
refuses, or marks the request, as `on_error` says.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, Protocol

import orjson

from router.config.config import Config
from router.config.guardrails import Guard
from router.domain import Attempt, Fields, Guarded, GuardNote, Request, Trace
from router.engine.guard_functions import GuardFunctions
from router.engine.guarded_request import with_fields, with_form
from router.engine.progress import Answer, InProgress
from router.guardrails.forms import form_texts
from router.guardrails.functions import argument, read
from router.guardrails.hits import TEXT_KINDS, hits_in, masked, replaced_hits
from router.guardrails.placeholders import Placeholders, restored
from router.guardrails.refusals import GuardFailed, GuardRefused
from router.guardrails.schemas import miss, part_of
from router.guardrails.streams import Restoring, StreamTexts, choices_of
from router.guardrails.texts import (
    Passage,
    changed_answer,
    changed_request,
    passages,
    spoken,
    spoken_in,
    without_logprobs,
)
from router.guardrails.words import WordsTookTooLong
from router.telemetry.metrics import Metrics
from router.wire.beside import beside
from router.wire.errors import BadRequest, Limited


@dataclass
class GuardRun:
    """What the guards did to one request or answer so far."""

    at: Literal["before", "after"]
    notes: list[GuardNote] = field(default_factory=list)
    calls: list[Attempt] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class GuardFinding:
    """What one guard says: the rules that were hit, and the fields in place of those it read."""

    rules: tuple[str, ...] = ()
    changed: Fields | None = None


class Labelling(Protocol):
    async def label(
        self,
        config: Config,
        guard: Guard,
        request: Request,
        passages: Sequence[Passage],
        calls: list[Attempt],
    ) -> str:
        """The label that a backend gives the passages; its attempts go into `calls`."""


@dataclass
class Guarding:
    questions: Labelling
    metrics: Metrics
    functions: GuardFunctions
    clock: Callable[[], float] = time.perf_counter

    async def before(self, config: Config, request: Request, *, asks: bool = True) -> Request:
        """The request as everything after the guards may see it; `GuardRefused` if one blocks.
        Without `asks`, no backend is asked: such guards are skipped, and noted so."""
        guards = [guard for guard in config.guardrails if guard.guards(request.key_id)]
        if not guards:
            return request
        run, size = GuardRun("before"), len(request.body)
        fields: Fields = request.fields
        if request.media:  # a form, in which a field may stand more than once
            fields = {"prompt": form_texts(request.body, request.media)}
        placeholders = Placeholders(partial(_written, fields))
        native = orjson.loads(request.native.body) if request.native is not None else None
        for guard in guards:
            if not guard.before:
                continue
            if guard.kind == "classifier" and not asks:
                run.notes.append(GuardNote(guard.name, "before", "skipped"))
                continue
            if guard.kind in TEXT_KINDS:
                look = partial(_look_at_request, guard, fields, placeholders, native)
                judging = beside(size, look)
            else:
                judging = self._judge_request(config, guard, request, fields, run)
            verdict = await self._noted(run, guard, judging)
            if verdict.changed is not None:
                fields = verdict.changed
        guarded = Guarded(tuple(run.notes), placeholders.words, tuple(run.calls))
        request = replace(request, guarded=guarded)
        if request.media:
            return with_form(request, fields)
        return await beside(size, partial(with_fields, request, fields, native, guards))

    async def _judge_request(
        self, config: Config, guard: Guard, request: Request, fields: Fields, run: GuardRun
    ) -> GuardFinding:
        if guard.kind == "schema":
            broken = miss(guard.json_schema or {}, part_of(fields, guard.part))
            return GuardFinding((broken,) if broken else ())
        passages = spoken(fields, guard.roles)
        return await self._ask(config, guard, request, passages, run, partial(_put_all, fields))

    async def _ask(
        self,
        config: Config,
        guard: Guard,
        request: Request,
        passages: Sequence[Passage],
        run: GuardRun,
        put: Callable[[Guard, Sequence[str]], Fields],
    ) -> GuardFinding:
        """The verdict of a classifying backend or of a function."""
        if not passages:
            return GuardFinding()
        if guard.kind == "classifier":
            label = await self.questions.label(config, guard, request, passages, run.calls)
            return GuardFinding(() if label in guard.allow else (label,))
        says = read(await self.functions.call(guard, argument(run.at, passages)), passages)
        if says.blocks:
            return GuardFinding((says.blocks,))
        if says.texts is None or list(says.texts) == [each.text for each in passages]:
            return GuardFinding()
        return GuardFinding(("texts",), put(guard, says.texts))

    async def _noted(self, run: GuardRun, guard: Guard, judging: Any) -> GuardFinding:
        """The verdict of a guard, noted with its time. Raises `GuardRefused` if it blocks."""
        begun = self.clock()
        try:
            verdict: GuardFinding = await judging
        except (GuardFailed, WordsTookTooLong, Limited) as failed:
            if isinstance(failed, Limited) and run.at == "before":
                raise  # the caller's limit, and nobody's failure
            self.note(run, guard, "failed", str(failed), self.clock() - begun)
            if guard.on_error == "mark":
                return GuardFinding()
            raise self._refused(run, guard, str(failed), failed=True) from None
        outcome = _outcome(guard, verdict)
        self.note(run, guard, outcome, ", ".join(verdict.rules), self.clock() - begun)
        if outcome == "blocked":
            raise self._refused(run, guard, verdict.rules[0])
        return verdict

    def note(self, run: GuardRun, guard: Guard, outcome: Any, rule: str, seconds: float) -> None:
        run.notes.append(GuardNote(guard.name, run.at, outcome, rule, seconds))
        self.metrics.observe("waggle_guard_seconds", seconds, guard=guard.name, at=run.at)
        self.metrics.count("waggle_guards_total", guard=guard.name, at=run.at, outcome=outcome)

    def _refused(
        self, run: GuardRun, guard: Guard, rule: str, *, failed: bool = False
    ) -> GuardRefused:
        refused = GuardRefused(guard.name, rule, after=run.at == "after", failed=failed)
        refused.guarded = Guarded(tuple(run.notes), calls=tuple(run.calls))
        return refused

    # -- answers -----------------------------------------------------------------------------------

    async def whole(self, progress: InProgress, body: bytes) -> tuple[bytes, GuardRefused | None]:
        """The answer as the guards let it pass, and the refusal if one blocks it."""
        guards = after_guards(progress.plans.config, progress.trace.request)
        if not guards:
            return body, None
        config, request, run = progress.plans.config, progress.trace.request, GuardRun("after")
        answer, refused = _object_in(body), None
        try:
            fields = await self.answer(config, request, answer, run)
            body = body if fields is answer else orjson.dumps(fields)
        except GuardRefused as stop:
            refused = stop
        add_notes(progress.trace, run)
        return body, refused

    async def answer(
        self,
        config: Config,
        request: Request,
        fields: Fields,
        run: GuardRun,
        *,
        asks: bool = True,
    ) -> Fields:
        """The fields of an answer as the guards let it pass; `GuardRefused` if one blocks."""
        for guard in after_guards(config, request):
            if guard.kind == "classifier" and not asks:
                run.notes.append(GuardNote(guard.name, "after", "skipped"))
                continue
            if guard.kind in TEXT_KINDS:
                look = partial(_look_at_answer, guard, fields)
                judging = beside(len(request.body), look)
            else:
                judging = self._judge_answer(config, guard, request, fields, run)
            verdict = await self._noted(run, guard, judging)
            fields = fields if verdict.changed is None else verdict.changed
        return fields

    async def text(self, progress: InProgress, text: str) -> tuple[str, GuardRefused | None]:
        """Run the guards of answers over an answer from memory."""
        if not after_guards(progress.plans.config, progress.trace.request):
            return text, None
        message = {"role": "assistant", "content": text}
        body = orjson.dumps({"choices": [{"index": 0, "message": message}]})
        body, refused = await self.whole(progress, body)
        return orjson.loads(body)["choices"][0]["message"]["content"], refused

    async def passed(
        self, progress: InProgress, body: bytes, content_type: str
    ) -> tuple[bytes, GuardRefused | None]:
        """Run the guards of answers over an answer that is passed through: JSON or plain text. They
        skip what is no text, such as a sound, and the notes say so."""
        guards = after_guards(progress.plans.config, progress.trace.request)
        if not guards:
            return body, None
        if content_type.startswith("application/json"):
            return await self.whole(progress, body)
        if content_type.startswith("text/"):
            wrapped = orjson.dumps({"text": body.decode("utf-8", "replace")})
            wrapped, refused = await self.whole(progress, wrapped)
            text: str = orjson.loads(wrapped)["text"]
            return text.encode(), refused
        run = GuardRun("after")
        for guard in guards:
            self.note(run, guard, "skipped", "no text", 0.0)
        add_notes(progress.trace, run)
        return body, None

    async def _judge_answer(
        self, config: Config, guard: Guard, request: Request, fields: Fields, run: GuardRun
    ) -> GuardFinding:
        if guard.kind == "schema":
            broken = _schema_misses(guard, request, fields)
            return GuardFinding((broken,) if broken else ())
        passages = spoken_in(fields)
        put = partial(_put_all_in_answer, fields)
        return await self._ask(config, guard, request, passages, run, put)

    # -- what goes back to the caller --------------------------------------------------------------

    def restored(self, answer: Answer) -> Answer:
        """The answer with the words behind the placeholders of its request."""
        guarded = answer.trace.request.guarded
        if guarded is None or not guarded.words or not _is_text(answer.content_type):
            return answer
        answer.body = restored_bytes(answer.body, guarded.words)
        if answer.stream is not None:
            answer.stream = _restored_stream(answer.stream, guarded.words)
        return answer


def after_guards(config: Config, request: Request) -> tuple[Guard, ...]:
    """The guards of this request's answer, in order."""
    if request.operation == "embeddings":
        return ()
    return tuple(
        guard for guard in config.guardrails if guard.after and guard.guards(request.key_id)
    )


def refuse_unread_stream(config: Config, request: Request) -> None:
    """Raise `BadRequest` if guards read the answer, and the request wants it as a stream in a form
    that they cannot read."""
    if request.operation not in ("transcription", "image_generation") or not request.stream:
        return
    guards = [guard.name for guard in after_guards(config, request)]
    if guards:
        rule = f"guards ({', '.join(guards)}) read the answer before you do: leave `stream` out"
        raise BadRequest(f"`stream` is not possible here, because {rule}.", "stream")


def add_notes(trace: Trace, run: GuardRun) -> None:
    """Write the notes and calls of the guards of an answer into the trace of its request."""
    notes = tuple(note for note in trace.guards if note.outcome != "held")
    trace.guards = (*notes, *run.notes)
    trace.questions = (*trace.questions, *run.calls)


def begun_notes(config: Config, request: Request) -> tuple[GuardNote, ...]:
    """What is known of the guards before the answer, with those for which a stream will wait."""
    if request.guarded is None:
        if any(guard.guards(request.key_id) for guard in config.guardrails):
            raise RuntimeError(f"request {request.id} came past the guards: call `before` first")
        return ()
    guards = after_guards(config, request)
    if request.operation == "speech":  # it passes in pieces, and no guard can read it
        skipped = (GuardNote(guard.name, "after", "skipped", "no text") for guard in guards)
        return (*request.guarded.notes, *skipped)
    held = [guard.name for guard in guards if guard.holds_streams and request.stream]
    return (*request.guarded.notes, *(GuardNote(name, "after", "held") for name in held))


def _is_text(content_type: str) -> bool:
    return not content_type or content_type.startswith(("application/json", "text/"))


def restored_bytes(body: bytes, words: Mapping[str, str]) -> bytes:
    """Bytes of JSON with the words behind the placeholders; they need no escape at any depth."""
    return restored(body.decode("utf-8", "surrogateescape"), words).encode(
        "utf-8", "surrogateescape"
    )


async def _restored_stream(
    stream: AsyncIterator[bytes], words: Mapping[str, str]
) -> AsyncIterator[bytes]:
    texts = StreamTexts(lambda: Restoring(words), logprobs=True)
    async with aclosing(stream) as pieces:  # type: ignore[type-var]
        async for piece in pieces:
            yield restored_bytes(texts.pieces(piece), words)


def _outcome(guard: Guard, verdict: GuardFinding) -> str:
    if not verdict.rules:
        return "passed"
    if verdict.changed is not None:
        return "redacted"
    return {"block": "blocked", "mark": "marked", "redact": "redacted"}[guard.does]


def _look_at_request(
    guard: Guard, fields: Fields, placeholders: Placeholders, native: Fields | None
) -> GuardFinding:
    """What a guard that looks for words finds in a request, also in what its caller wrote in
    another dialect, which may say more than the inner form."""
    rules: dict[str, None] = {}

    def change(text: str, role: str) -> str:
        if guard.roles and role not in guard.roles:
            return text
        hits = hits_in(guard, text)
        rules.update(dict.fromkeys(hit.rule for hit in hits))
        if guard.does != "redact" or not hits:
            return text
        return replaced_hits(text, hits, lambda words, hit: placeholders.redacted(words, hit.label))

    changed = changed_request(fields, change)
    if native is not None and not guard.roles:
        for passage in passages(native):
            rules.update(dict.fromkeys(hit.rule for hit in hits_in(guard, passage.text)))
    return GuardFinding(tuple(rules), changed if guard.does == "redact" and rules else None)


def _look_at_answer(guard: Guard, fields: Fields) -> GuardFinding:
    rules: dict[str, None] = {}

    def change(text: str, role: str) -> str:  # noqa: ARG001 - every text of an answer counts
        hits = hits_in(guard, text)
        rules.update(dict.fromkeys(hit.rule for hit in hits))
        return replaced_hits(text, hits, masked) if hits and guard.does == "redact" else text

    changed = changed_answer(fields, change)
    if guard.does != "redact" or not rules:
        return GuardFinding(tuple(rules))
    return GuardFinding(tuple(rules), without_logprobs(changed))


def _schema_misses(guard: Guard, request: Request, answer: Fields) -> str:
    """The rule of the schema that an answer breaks; empty if it keeps to all. The caller's words
    stand in for their placeholders while the answer is checked."""
    wanted = guard.json_schema
    if wanted is None:
        wanted = part_of(request.fields, "response_format.json_schema.schema")
    if not isinstance(wanted, dict):
        return ""  # neither the guard nor the request has a schema
    words = request.guarded.words if request.guarded is not None else {}
    for choice in choices_of(answer):
        message = choice.get("message")
        inner = message if isinstance(message, dict) else choice
        content = inner.get("content", inner.get("text"))
        if isinstance(content, str) and (broken := miss(wanted, restored(content, words))):
            return broken
    return ""


def _put_all(fields: Fields, guard: Guard, texts: Sequence[str]) -> Fields:
    """The request with a function's texts in place of those that it got."""
    left = iter(texts)

    def change(text: str, role: str) -> str:
        reads = role and text.strip() and (not guard.roles or role in guard.roles)
        return next(left) if reads else text

    return changed_request(fields, change)


def _put_all_in_answer(fields: Fields, guard: Guard, texts: Sequence[str]) -> Fields:  # noqa: ARG001
    left = iter(texts)
    changed = changed_answer(
        fields, lambda text, role: next(left) if role and text.strip() else text
    )
    return without_logprobs(changed)


def _written(fields: Fields) -> str:
    return orjson.dumps(fields).decode()


def _object_in(body: bytes) -> Fields:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = None
    return value if isinstance(value, dict) else {}
