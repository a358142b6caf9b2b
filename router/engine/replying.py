"""Replies to a caller with an answer, whole or streamed, or with an error.

Every reply is recorded with its cost; answers may also be stored for reuse and assessed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from router.calls.outcome import CallOutcome, Stream
from router.calls.prices import estimated, priced
from router.compute.computing import REFUSALS
from router.config.config import Config
from router.domain import BUSY, Answered, Fault, Trace, Usage, total_usd
from router.engine.accounting import accounted
from router.engine.guard_streams import GuardedStream
from router.engine.guarding import Guarding
from router.engine.keeping import Keeping
from router.engine.progress import Answer, InProgress
from router.engine.request_ledger import RequestLedger
from router.engine.streams import as_comments, error_body_of, metered, with_note, with_settings
from router.guardrails.refusals import GuardRefused
from router.plans.concluding import unfinished
from router.plans.logprobs import chances_of
from router.plans.results import Result
from router.request.text import tokens_in
from router.signals.assessor import Assessor
from router.signals.endings import EndingReader, ending_of
from router.signals.outcomes import LONGEST_CLOSING
from router.telemetry.rows import digest
from router.wire.answers import Completion, StreamRecorder, answer_text, completion_in
from router.wire.beside import beside
from router.wire.errors import Limited, error_body
from router.wire.native import FORMS, NativeMeter
from router.wire.sse import DONE, Meter, with_cost, with_own_cost


@dataclass
class Replying:
    ledger: RequestLedger
    assessor: Assessor
    guarding: Guarding
    gave: Callable[[str, str, str, Sequence[str]], None]  # key, answer, session and stores
    keeping: Keeping | None = None  # None: no answer is stored for reuse

    async def whole(self, progress: InProgress, outcome: CallOutcome) -> Answer:
        body, status = outcome.body, outcome.attempt.status
        if outcome.callers_fault:
            return self.refused(progress, outcome)
        trace, plans, config = progress.trace, progress.plans, progress.plans.config
        usage = outcome.usage or estimated(trace.request, len(body))
        body, refused = await self.guarding.whole(progress, body)
        if refused is not None:
            accounted(plans, trace, usage, None, settled=outcome.settled)
            return self.blocked(progress, refused, outcome)
        sources = self.assessor.chosen(config, trace)
        keeps, remembers = _keeps_answer(config, trace), self._remembers(progress)
        words = keeps or bool(sources) or trace.private
        dialect, loops = outcome.dialect, _loops(trace)
        read = partial(_read, body, dialect, words=words, remembers=remembers or loops)
        ending = ending_of(body, dialect, usage) if _notices(config) else ""
        # A caller who leaves meanwhile leaves before the answer: nothing is charged or written yet.
        hash_, text, completion = await beside(len(body), read)
        if trace.private:
            await asyncio.to_thread(self._note_stores, trace, text)
        answer = Answered(len(body), hash_, text if keeps else None)
        if keeps:
            answer = replace(answer, chances=_chances(trace, text) or chances_of(body, text))
        trace.ended, trace.closing = ending, _closing(completion, loops=loops)
        accounted(plans, trace, usage, answer, settled=outcome.settled)
        form, trace.status = FORMS.get(dialect), status
        body = (with_cost if form is None else form.with_cost)(body, usage, trace.cost_usd)
        self.ledger.finish(progress, outcome)
        if remembers:
            self._remember(progress, trace, completion)
        self.assessor.assess(config, sources, trace, text)
        return Answer(status, body, trace, dialect=dialect)

    async def streamed(
        self,
        progress: InProgress,
        outcome: CallOutcome,
        stream: Stream,
        comments: Sequence[str] = (),
        *,
        note: bool = False,
    ) -> AsyncIterator[bytes]:
        """Pass on a stream with the cost in its last event, or an error event if it breaks.

        With `note`, the last event also names the backend, the plan and the attempts.
        """
        trace, config = progress.trace, progress.plans.config
        answering, trace.status = trace.answering, 200
        assert answering is not None
        price = config.backends[outcome.attempt.backend].price

        def cost_of(usage: Usage) -> float | None:
            if outcome.settled:
                return trace.cost_usd
            step = replace(answering, cost_usd=priced(price, usage))
            return total_usd((*trace.with_answering(step), *trace.questions))

        tokens, form = trace.request.reading.tokens, FORMS.get(outcome.dialect)
        meter = (
            Meter(trace.request.include_usage, tokens, cost_of)
            if form is None
            else NativeMeter(form, tokens, cost_of)
        )
        sources, loops = self.assessor.chosen(config, trace), _loops(trace)
        remembers = self._remembers(progress)
        keeps = _keeps_answer(config, trace)
        words = keeps or bool(sources) or remembers or loops or trace.private
        ending = EndingReader(wanted=_notices(config))
        recorder = StreamRecorder(words=words, dialect=outcome.dialect, head=ending.head_bytes)
        guards = GuardedStream(self.guarding, progress)
        written = noted = False

        def write() -> None:
            nonlocal written
            answer = recorder.answer()
            text = answer.text or ""
            kept = {"chances": _chances(trace, text)} if keeps else {"text": None}
            answer = replace(answer, **kept)
            usage = meter.final_usage()
            ended = ending.ending(usage.output_tokens, recorder.first_words)
            completion = recorder.completion() if remembers or loops else None
            trace.ended, trace.closing = ended, _closing(completion, loops=loops)
            accounted(progress.plans, trace, usage, answer, settled=outcome.settled)
            self.ledger.finish(progress, outcome)
            written = True
            if not noted:
                self._note_stores(trace, text)
            if remembers:
                self._remember(progress, trace, completion)
            self.assessor.assess(config, sources, trace, text)

        try:
            if comments or trace.partial:
                yield as_comments(comments, trace)
            async for piece in guards.passed(metered(stream, meter)):
                recorder.take(piece)
                ending.take(piece)
                yield piece
            last = await guards.end(meter.end())
            piece = _ending(last, trace, chat=form is None, note=note)
            recorder.take(piece)
            ending.take(piece)
            noted = await self._noted_stores(trace, recorder)
            write()  # stored before the caller sees the end of the answer
            yield piece
        except GuardRefused as refused:
            trace.fail(refused.status, refused.message, refused.code or "")
            write()
            yield b"data: " + refused.body + b"\n\n"
        except Fault as fault:
            message = f"The stream of {trace.backend} broke: {fault.detail}."
            if not written:
                broken = replace(answering, fault=fault.kind, detail=fault.detail)
                trace.attempts = trace.with_answering(broken)
                trace.fail(502, message, "stream_broken")
                write()
            body = error_body(message, "server_error", code="stream_broken")
            event = b"data: " + body + b"\n\n"
            yield event if form is None else form.broken(message, "stream_broken")
        finally:
            stream.connection.finish()
            if not written:
                progress.leave()
                write()

    def from_memory(self, progress: InProgress, body: bytes, text: str, usage: Usage) -> Answer:
        """Reply with a remembered answer; its only cost is a question to the verifying backend."""
        trace = progress.trace
        self._note_recited(progress, body, text)
        self.ledger.finish(progress)
        return Answer(200, with_own_cost(body, usage, trace.cost_usd), trace)

    def recited(self, progress: InProgress, stream: Stream, text: str) -> Answer:
        """Reply with a remembered answer as a stream."""
        self._note_recited(progress, text.encode(), text)
        return Answer(200, b"", progress.trace, stream=self._recited(progress, stream))

    def _note_recited(self, progress: InProgress, content: bytes, text: str) -> None:
        keeps = _keeps_answer(progress.plans.config, progress.trace)
        kept = text if keeps else None
        progress.trace.answer = Answered(len(content), digest(content), kept)

    async def _recited(self, progress: InProgress, stream: Stream) -> AsyncIterator[bytes]:
        request, cost_usd = progress.trace.request, progress.trace.cost_usd
        meter = Meter(request.include_usage, request.reading.tokens, lambda _: cost_usd)
        done = False
        try:
            async for piece in metered(stream, meter):
                yield piece
            piece = b"".join(event + b"\n\n" for event in meter.end()) + DONE
            self.ledger.finish(progress)
            done = True
            yield piece
        finally:
            if not done:
                progress.leave()
                self.ledger.finish(progress)

    def blocked(
        self, progress: InProgress, refused: GuardRefused, outcome: CallOutcome | None = None
    ) -> Answer:
        """Reply that a guard blocks the answer; its calls are paid for all the same."""
        trace = progress.trace
        trace.fail(refused.status, refused.message, refused.code or "")
        wait = 1.0 if refused.status == 503 else None
        self.ledger.finish(progress, outcome)
        return Answer(refused.status, refused.body, trace, retry_after=wait)

    def refused(
        self, progress: InProgress, outcome: CallOutcome, *, upstream: float | None = None
    ) -> Answer:
        """Pass on a backend's refusal. The request is at fault, so no other backend is tried."""
        trace, status = progress.trace, outcome.attempt.status
        trace.fail(status, "refused by the backend", "refused_by_backend")
        self.ledger.finish(progress, outcome, upstream=upstream)
        if outcome.dialect in FORMS and outcome.body.lstrip().startswith(b"{"):
            return Answer(status, outcome.body, trace, dialect=outcome.dialect)
        return Answer(status, with_settings(error_body_of(outcome.body, status), trace), trace)

    def failed(self, progress: InProgress, outcome: CallOutcome) -> Answer:
        """Reply that no backend answered, and list the attempts. The status is 429 only if all
        backends were busy."""
        attempts = progress.trace.attempts
        summary = "; ".join(attempt.summary() for attempt in attempts)
        busy = all(a.fault in BUSY or a.status == 429 for a in attempts)
        message = f"No backend could answer. Tried: {summary}."
        status, kind, code = (
            (429, "rate_limit_error", "backends_busy")
            if busy
            else (503, "server_error", "no_backend_answered")
        )
        wait = outcome.retry_after or 1.0
        return self._error(progress, status, kind, code, message, wait, outcome=outcome)

    def without_result(
        self, progress: InProgress, result: Result, refusal: CallOutcome | None, upstream: float
    ) -> Answer:
        """Reply why a plan gave no result: its program failed, or no backend answered in time."""
        computed = progress.trace.computed
        if computed is not None and computed["status"] != "ok":
            status, kind, code, begins = REFUSALS.get(computed["status"], REFUSALS["not_verified"])
            message = f"{begins}: {computed['problem']}."
            wait = 1.0 if status in (429, 503) else None
            return self._error(progress, status, kind, code, message, wait, upstream=upstream)
        if refusal is not None and not result.stopped:
            return self.refused(progress, refusal, upstream=upstream)
        status, kind, code, message, wait = unfinished(result, progress.trace.attempts)
        return self._error(progress, status, kind, code, message, wait, upstream=upstream)

    def limited(self, progress: InProgress, limited: Limited, upstream: float) -> Answer:
        """Reply that a limit of the key ended the plan after some of its calls."""
        status, code = limited.status, limited.code or ""
        kind, message, wait = "rate_limit_error", limited.message, limited.retry_after
        return self._error(progress, status, kind, code, message, wait, upstream=upstream)

    def withheld(self, progress: InProgress, upstream: float) -> Answer:
        """Reply that the answer lost a citation without which the caller may not have it."""
        message = (
            "The answer is withheld: it cites none of the passages that it was made from, and your "
            "grant of their store demands a citation. Ask again, or ask for the passages alone."
        )
        code = "citation_missing"
        return self._error(
            progress, 403, "permission_error", code, message, None, upstream=upstream
        )

    def _error(
        self,
        progress: InProgress,
        status: int,
        kind: str,
        code: str,
        message: str,
        retry_after: float | None,
        *,
        outcome: CallOutcome | None = None,
        upstream: float | None = None,
    ) -> Answer:
        progress.trace.fail(status, message, code)
        self.ledger.finish(progress, outcome, upstream=upstream)
        body = error_body(message, kind, code=code)
        return Answer(status, body, progress.trace, retry_after=retry_after)

    def _note_stores(self, trace: Trace, text: str) -> None:
        """Write down that the answer may hold words of stores, if it may."""
        if trace.private:
            self.gave(trace.request.key_id, text, trace.request.session, trace.sources)

    async def _noted_stores(self, trace: Trace, recorder: StreamRecorder) -> bool:
        """The same of a stream that ended, in a thread, since another process may hold the file."""
        if trace.private:
            await asyncio.to_thread(self._note_stores, trace, recorder.answer().text or "")
        return True

    def _remembers(self, progress: InProgress) -> bool:
        return self.keeping is not None and self.keeping.wants(
            progress.plans.config, progress.lookup
        )

    def _remember(self, progress: InProgress, trace: Trace, completion: Completion | None) -> None:
        if progress.lookup is not None and completion is not None and self.keeping is not None:
            self.keeping.answered(
                progress.plans, progress.lookup, trace, completion.text, completion.model
            )


def _keeps_answer(config: Config, trace: Trace) -> bool:
    """Whether telemetry keeps the words of this answer."""
    return config.telemetry.answers and not trace.private


def _chances(trace: Trace, text: str) -> Mapping[str, float]:
    """The chances of the plan's answer, unless something changed its words since."""
    return trace.chances if text.strip() in trace.chances else {}


def _notices(config: Config) -> bool:
    """Whether routers notice what becomes of answers."""
    return any(source.kind == "behaviour" for source in config.signals)


def _loops(trace: Trace) -> bool:
    """Whether the answer may end an agent's tool loop: how it ends is remembered for a while."""
    return trace.request.reading.trajectory is not None


def _closing(completion: Completion | None, *, loops: bool) -> str:
    """What an agent said last, if this answer ended its tool loop."""
    return completion.text[-LONGEST_CLOSING:] if loops and completion is not None else ""


def _read(
    body: bytes, dialect: str, *, words: bool, remembers: bool
) -> tuple[str, str, Completion | None]:
    """An answer's hash, and its words where they are wanted."""
    text = answer_text(body, dialect)
    # Of the words, where there are any: ids and times differ between answers that are the same.
    hash_ = digest(text.encode("utf-8", "replace") if text else body)
    return hash_, text if words else "", completion_in(body, dialect) if remembers else None


def _ending(last: list[bytes], trace: Trace, *, chat: bool, note: bool) -> bytes:
    events = with_note(last, trace, whole=note) if chat else last
    return b"".join(event + b"\n\n" for event in events) + (DONE if chat else b"")


def usage_of(trace: Trace, text: str) -> Usage:
    return Usage(trace.request.reading.tokens, tokens_in(text), estimated=True)
