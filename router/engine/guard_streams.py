"""Runs the guards of answers over a stream, on its way from a backend to the caller.

Guards that look for words read it in pieces, and hold back a window of characters. If a guard reads
whole answers, the whole stream waits for its end; comments keep the connection open meanwhile.
"""

from collections.abc import AsyncIterator, Callable
from functools import partial

import orjson

from router.config.guardrails import Guard
from router.engine.guarding import Guarding, GuardRun, add_notes, after_guards
from router.engine.progress import InProgress
from router.guardrails.held import completion_of, rewritten
from router.guardrails.hits import TEXT_KINDS, Hit
from router.guardrails.refusals import GuardFailed, GuardRefused
from router.guardrails.streams import StreamTexts
from router.guardrails.windows import Chained, Windowed
from router.guardrails.words import WordsTookTooLong

_COMMENT_EVERY = 64  # pieces that were held back


class GuardedStream:
    """The guards of one stream. `passed` and `end` return what may go out, or raise `GuardRefused`;
    the trace then holds what the guards did."""

    def __init__(self, guarding: Guarding, progress: InProgress) -> None:
        self._guarding, self._progress = guarding, progress
        config, request = progress.plans.config, progress.trace.request
        self._guards = after_guards(config, request)
        self._holds = any(guard.holds_streams for guard in self._guards)
        self._held: list[bytes] = []
        self._run = GuardRun("after")
        self._rules: dict[str, dict[str, None]] = {guard.name: {} for guard in self._guards}
        self._seconds = 0.0
        self._texts = StreamTexts(self._rewriter, logprobs=False)

    def passed(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The pieces that may go out now."""
        return self._passed(pieces) if self._guards else pieces

    async def _passed(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            passed = self._take(piece)
            if passed:
                yield passed

    def _take(self, piece: bytes) -> bytes:
        if self._holds:
            self._held.append(piece)
            first = len(self._held) % _COMMENT_EVERY == 1
            return b": guards read the answer first\n\n" if first else b""
        return self._timed(partial(self._texts.pieces, piece))

    async def end(self, last: list[bytes]) -> list[bytes]:
        """The last events, after what was held back."""
        if not self._guards:
            return last
        if not self._holds:
            events = [self._timed(partial(self._texts.event, event)) for event in last]
            rest = self._texts.rest(events[-1] if events else b"")
            self._note_pieces()
            return [*rest, *events]
        events = [event for event in b"".join(self._held).split(b"\n\n") if event] + last
        completion = completion_of(events)
        body, refused = await self._guarding.whole(self._progress, orjson.dumps(completion))
        if refused is not None:
            raise refused
        return rewritten(events, completion, orjson.loads(body))

    def _rewriter(self) -> Chained:
        guards = [guard for guard in self._guards if guard.kind in TEXT_KINDS]
        return Chained(tuple(Windowed(guard, partial(self._hear, guard)) for guard in guards))

    def _hear(self, guard: Guard, hit: Hit) -> None:
        self._rules[guard.name][hit.rule] = None
        if guard.does == "block":
            raise _Stopped(guard, hit.rule)

    def _timed(self, work: Callable[[], bytes]) -> bytes:
        begun = self._guarding.clock()
        try:
            return work()
        except _Stopped as stop:
            self._note_pieces(stop.guard, "blocked")
            raise self._refuse(stop.guard, stop.rule) from None
        except (WordsTookTooLong, GuardFailed) as failed:
            guard = next(each for each in self._guards if each.kind == "words")
            self._note_pieces(guard, "failed")
            raise self._refuse(guard, str(failed), failed=True) from None
        finally:
            self._seconds += self._guarding.clock() - begun

    def _note_pieces(self, stopped: Guard | None = None, outcome: str = "") -> None:
        """Note what each guard did to the pieces; they share the time."""
        share = self._seconds / max(len(self._guards), 1)
        for guard in self._guards:
            rules = ", ".join(self._rules[guard.name])
            did = {"redact": "redacted", "mark": "marked"}.get(guard.does, "passed")
            did = did if rules else "passed"
            did = outcome if guard is stopped else did
            self._guarding.note(self._run, guard, did, rules, share)
        add_notes(self._progress.trace, self._run)

    def _refuse(self, guard: Guard, rule: str, *, failed: bool = False) -> GuardRefused:
        return GuardRefused(guard.name, rule, after=True, failed=failed)


class _Stopped(Exception):
    """A guard blocks the stream."""

    def __init__(self, guard: Guard, rule: str) -> None:
        super().__init__(rule)
        self.guard, self.rule = guard, rule
