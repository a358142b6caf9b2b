"""Makes a conversation fit the window of what may answer it.

The oldest items become a summary, which is kept and extended from turn to turn, or they are dropped
where the caller says `truncation: "auto"`. The newest turns and what the caller has just sent stay
whole, and so do instructions. What was left out is said in a header; a request with a summary is
never answered from memory, and its answer is not stored for reuse.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from router.conversations.cutting import (
    begins_turn,
    cut_for,
    cuts,
    digests,
    is_instruction,
    tokens_of,
)
from router.conversations.kept import Earlier, Item, KeptSummary
from router.conversations.memory import ConversationMemory
from router.conversations.summary_words import as_item, lost_in, words_of
from router.domain import Attempt, Request, known_usd
from router.engine.engine import Engine
from router.engine.summarizing import NoSummary
from router.request.text import tokens_in
from router.routing.windows import window_for
from router.wire.asgi import HeaderList
from router.wire.beside import beside
from router.wire.errors import BadRequest, Unavailable

_ANSWER_TOKENS = 1_024  # kept free for the answer, or a quarter of a short window
_LEAST_SUMMARY, _MOST_SUMMARY = 64, 1_024
_AROUND = 60  # tokens of the words around a summary
SUMMARY, TRUNCATED = b"x-waggle-summary", b"x-waggle-truncated"

# Reads the request with these earlier items; with others for its own, if they are given.
Read = Callable[[Sequence[Item], Sequence[Item] | None], Request]


@dataclass(frozen=True, slots=True)
class Long:
    """A conversation, its last `new` items just sent, and how it is read into a request."""

    owner: str
    earlier: Earlier
    new: Sequence[Item]
    given: Mapping[str, Any]
    read: Read

    @property
    def items(self) -> list[Item]:
        return [*self.earlier.items, *self.new]


@dataclass(frozen=True, slots=True)
class Fitted:
    request: Request
    headers: HeaderList = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Room:
    """The tokens that a window leaves: for the items, and for a summary among them."""

    window: int
    items: int
    summary: int


def room_in(window: int, given: Mapping[str, Any]) -> Room:
    most = given.get("max_output_tokens")
    answer = min(_ANSWER_TOKENS, window // 4)
    if isinstance(most, int) and most > 0:
        answer = min(most, window // 2)
    fixed = tokens_in(str(given.get("instructions") or ""))
    if given.get("tools"):
        fixed += tokens_in(orjson.dumps(given["tools"]).decode())
    summary = min(max(window // 6, _LEAST_SUMMARY), _MOST_SUMMARY)
    return Room(window, window - answer - fixed, summary)


@dataclass(frozen=True, slots=True)
class Fitting:
    engine: Engine
    memory: ConversationMemory

    async def fit(
        self,
        long: Long,
        request: Request,
        truncation: str,
        *,
        backend: str,
        allowed: Collection[str],
    ) -> Fitted:
        """The request, shortened if what may answer it has too short a window."""
        if not long.earlier.items and truncation != "auto":
            return Fitted(request)
        window = self._window(request, backend, allowed)
        if window is None:
            return Fitted(request)
        room = room_in(window, long.given)
        if truncation == "auto":
            return self._dropped(long, request, room, backend, allowed)
        if truncation == "disabled":
            raise _too_long(request, window, "`truncation` is disabled")
        try:
            return await self._summarised(long, request, room, backend, allowed)
        except NoSummary as error:
            raise _too_long(request, window, str(error)) from None

    def _window(self, request: Request, backend: str, allowed: Collection[str]) -> int | None:
        priced_only = self.engine.allowances.needs_prices(request.id)
        return window_for(
            self.engine.plans,
            request,
            backend,
            allowed,
            priced_only=priced_only,
            hidden=self.engine.hidden_from(request.key_id),
        )

    def _dropped(
        self, long: Long, request: Request, room: Room, backend: str, allowed: Collection[str]
    ) -> Fitted:
        """As OpenAI's `auto`: without the oldest items."""
        items = long.items
        turns = [index for index, item in enumerate(items) if begins_turn(item)]
        movable = max(len(long.earlier.items), turns[-1] if turns else 0)
        instructions = [item for item in items[:movable] if is_instruction(item)]
        left = room.items - sum(map(tokens_of, instructions))
        cut = cut_for(items, movable, left)
        if cut is None:
            raise _too_long(request, room.window, "what was just sent does not fit by itself")
        gone = [item for item in items[:cut] if not is_instruction(item)]
        stays, earlier = (
            [item for item in items[:cut] if is_instruction(item)],
            len(items) - len(long.new),
        )
        if cut <= earlier:
            shorter = long.read([*stays, *items[cut:earlier]], None)
        else:
            shorter = long.read([], [*stays, *items[cut:]])
        if self._window(shorter, backend, allowed) is not None:
            raise _too_long(request, room.window, "what was just sent does not fit by itself")
        return Fitted(shorter, [(TRUNCATED, f"{len(gone)} items dropped".encode())])

    async def _summarised(
        self, long: Long, request: Request, room: Room, backend: str, allowed: Collection[str]
    ) -> Fitted:
        items, earlier = long.items, len(long.earlier.items)
        instructions = sum(tokens_of(item) for item in items[:earlier] if is_instruction(item))
        left = room.items - instructions - _AROUND
        kept = await self._kept_summary(long)
        calls: list[Attempt] = []
        summary = kept
        if kept is None or tokens_in(kept.text) + _tokens(items[kept.covers :]) > left:
            least = 0 if kept is None else kept.covers
            left -= room.summary
            # Cut deep, so that the next turns find the summary as it is.
            cut = await beside(
                long.earlier.size,
                lambda: (
                    cut_for(items, earlier, left // 2, least=least)
                    or cut_for(items, earlier, left, least=least)
                ),
            )
            if cut is None:
                raise NoSummary("what was just sent leaves no room for a summary")
            summary = await self._extended(long, request, kept, cut, room, allowed, calls)
        assert summary is not None
        covered = items[: summary.covers]
        beginning = [item for item in covered if is_instruction(item)]
        rest = [*beginning, as_item(summary.text), *items[summary.covers : earlier]]
        shorter = long.read(rest, None)
        if self._window(shorter, backend, allowed) is not None:
            raise NoSummary("it does not fit beside a summary either")
        spent = known_usd(calls)
        bound = request.max_cost_usd
        shorter = replace(
            shorter,
            before=tuple(calls),
            reuse="off",
            no_store=True,
            max_cost_usd=None if bound is None else max(bound - spent, 0.0),
        )
        return Fitted(shorter, [(SUMMARY, _described(summary, covered).encode("ascii", "replace"))])

    async def _kept_summary(self, long: Long) -> KeptSummary | None:
        """The summary that covers the most of this very conversation, if one was kept."""
        thread = long.earlier.thread
        summaries = await self.memory.look(lambda store: store.summaries(long.owner, thread))
        if not summaries:
            return None
        earlier = len(long.earlier.items)
        each = await beside(long.earlier.size, lambda: digests(long.owner, long.earlier.items))
        places = set(cuts(long.items, earlier))
        fitting = [
            summary
            for summary in summaries.values()
            if summary.covers in places and each[summary.covers] == summary.digest
        ]
        return max(fitting, key=lambda summary: summary.covers, default=None)

    async def _extended(
        self,
        long: Long,
        request: Request,
        kept: KeptSummary | None,
        cut: int,
        room: Room,
        allowed: Collection[str],
        calls: list[Attempt],
    ) -> KeptSummary:
        since, before = (0, "") if kept is None else (kept.covers, kept.text)
        items = [item for item in long.items[since:cut] if not is_instruction(item)]
        engine = self.engine
        made = await engine.summarizing.extend(
            engine.plans, request, allowed, before, words_of(items), room.summary, calls
        )
        digest = digests(long.owner, long.earlier.items[:cut])[cut]
        summary = KeptSummary(digest, cut, made.text, made.backend)
        now = engine.wall()
        try:
            await self.memory.keep(
                lambda store: store.add_summary(long.owner, long.earlier, summary, now)
            )
        except Unavailable:
            engine.metrics.count("waggle_summaries_not_kept_total")  # the next turn makes it anew
        return summary


def _tokens(items: Sequence[Item]) -> int:
    return sum(map(tokens_of, items))


def _described(summary: KeptSummary, covered: Sequence[Item]) -> str:
    text = f"{summary.covers} items in a summary by {summary.backend}"
    lost = ", ".join(f"{count} {kind}s" for kind, count in sorted(lost_in(covered).items()))
    return f"{text}; without {lost}" if lost else text


def _too_long(request: Request, window: int, reason: str) -> BadRequest:
    message = (
        f"The conversation has about {request.reading.tokens} tokens, and the longest window that "
        f"may answer has {window}: {reason}. Name a backend with a longer window, or send "
        '`truncation: "auto"` to drop the oldest items.'
    )
    error = BadRequest(message, "input")
    error.code = "context_length_exceeded"
    return error
