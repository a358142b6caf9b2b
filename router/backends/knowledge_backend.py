"""Answers from stores of knowledge, with citations: from their rows, or from their passages.

A call is answered with what the key of its caller may read at that moment (`Call.key_id`), and as
if the other stores did not exist. The body may choose among the stores, and filter by metadata:
`knowledge: {stores: [...], where: {...}}`.
"""

import asyncio
import logging
import time
import traceback
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router.backends.cited_passages import (
    CitedPassage,
    best_passage,
    best_passages,
    numbered,
    passages_of,
    report_of,
)
from router.backends.request_fields import fields_of_call
from router.config.backends import KnowledgeSettings
from router.domain import CHAT, Call, Fault, Reply
from router.request.text import last_user_text, prompt_text, texts_of, tokens_in, whole_number
from router.wire.chat_replies import chat_reply

if TYPE_CHECKING:
    from router.knowledge.asking import StoreSearch
    from router.knowledge.finding.where import Where
    from router.knowledge.opening import Readable
    from router.knowledge.rights.reader import Reader
    from router.knowledge.rows.offering import Offer
    from router.knowledge.rows.schema import RowAnswer
    from router.knowledge.store import KnowledgeStore

_log = logging.getLogger("waggle")
_LONGEST = 2_000  # most characters of a question
_MOST_EARLIER = 6  # questions before this one that may complete it
UNKNOWN = "The stores of knowledge hold no answer to this question."
PERHAPS = "The stores of knowledge hold no sure answer to this question. Perhaps this is one:"


class KnowledgeBackend:
    def __init__(
        self, settings: KnowledgeSettings, *, wall: Callable[[], float] = time.time
    ) -> None:
        from router.knowledge.held import HeldSearches, hot_stores
        from router.knowledge.opening import StoreShelf
        from router.knowledge.rights.reader import Readers
        from router.knowledge.rights.rights import Rights

        if settings.home is None or settings.keys is None:
            raise Fault("unavailable", "the settings have no `home`: load them from a file")
        self._settings = settings
        home = Path(settings.home)
        self._shelf = StoreShelf(home, Rights(home, wall=wall))
        self._readers = Readers(Path(settings.keys))
        self._held = HeldSearches(lambda: hot_stores(self._shelf.rights))

    async def warm(self) -> None:
        """Load the stores that were read often lately, before they are asked."""
        from router.knowledge.rights.tables import FILE

        if (self._shelf.folder / FILE).is_file():
            await asyncio.to_thread(self._load_hot)

    def _load_hot(self) -> None:
        hot = self._held.hot()
        for name in self._settings.stores:
            if name in hot and self._shelf.exists(name):
                self._search(name, self._shelf.kept(name)).load()

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"stores of knowledge answer {CHAT}, not {call.path}")
        fields = await fields_of_call(call)
        question = last_user_text(fields)[:_LONGEST].strip()
        if not question:
            raise Fault("bad_request", "The last message of the user holds no question")
        most = whole_number(fields, "passages", least=1, most=20) or self._settings.passages
        named, where = _wishes(fields)
        reader = self._readers.reader(call.key_id)
        readable = await asyncio.to_thread(self._opened, reader, named)
        searches = [
            await asyncio.to_thread(self._search, each.name, each.store) for each in readable
        ]
        cited = {each.name for each in readable if each.must_cite}
        try:
            text, report = await self._answer(searches, question, most, fields, where, cited)
        except Fault:
            raise
        except Exception as error:
            # Its message may quote a store or a question, so it goes neither to the caller nor
            # into a log.
            place = traceback.extract_tb(error.__traceback__)[-1]
            _log.error(
                "a store could not be asked: %s in %s:%s",
                type(error).__name__,
                place.name,
                place.lineno,
            )
            raise Fault("unavailable", "a store of knowledge cannot be read") from None
        prompt_tokens = tokens_in(prompt_text(fields))
        more = {"knowledge": report}
        yield chat_reply(call, "waggle-knowledge", [text], prompt_tokens, more=more)

    async def _answer(
        self,
        searches: "Sequence[StoreSearch]",
        question: str,
        most: int,
        fields: Mapping[str, Any],
        where: "Where",
        cited: set[str],
    ) -> tuple[str, dict[str, Any]]:
        """The answer, and the report on how it came about."""
        from router.knowledge.finding.rewriting import Turn

        rows = await asyncio.to_thread(_rows, searches, question, _earlier(fields), where)
        if isinstance(rows, tuple):
            name, answer = rows
            text, report = _in_words(answer), _row_report(name, answer, cited)
        else:
            earlier = [Turn("user", text) for text in _earlier(fields)]
            rerank = self._settings.rerank
            find = partial(passages_of, searches, question, most, earlier, where, rerank=rerank)
            hits, trouble = await asyncio.to_thread(find, tokens=self._settings.tokens)
            confidence = hits[0].confidence if hits else 0.0
            perhaps, offer = None, None
            if confidence < self._settings.enough:
                if not fields.get("for_writer"):
                    asked_of = [each for each in searches if each.name not in cited]
                    offer = await asyncio.to_thread(
                        _offer, asked_of, question, _earlier(fields), where
                    )
                    perhaps = None if offer else self._perhaps(hits, cited)
                unsure = f"{PERHAPS}\n\n{best_passage(perhaps)}" if perhaps else UNKNOWN
                unsure = _offer_in_words(offer[1]) if offer else unsure
                text, hits = f"{unsure} {rows}".strip(), []
            elif fields.get("for_writer"):
                text = numbered(hits)
            else:
                text = best_passages(hits, self._settings.enough)
            report = report_of(hits, confidence, cited)
            if perhaps is not None:
                report["perhaps"] = report_of([perhaps], confidence, cited)["citations"]
            if offer is not None:
                report["perhaps"] = _offer_report(*offer)
            if rerank is not None:
                report["rerank"] = trouble or "done"
        return text, report

    def _perhaps(self, hits: Sequence[CitedPassage], cited: set[str]) -> CitedPassage | None:
        """The first passage, if it may be the answer. A passage that must be cited is only given
        as a sure answer: a later step, which might drop the source, is then held to it."""
        first = hits[0] if hits else None
        if first is None or first.confidence < self._settings.perhaps or first.store in cited:
            return None
        return first

    async def close(self) -> None:
        self._held.close()
        self._shelf.close()

    def _opened(self, reader: "Reader", named: Sequence[str]) -> "list[Readable]":
        from router.knowledge.federated import opened_for
        from router.knowledge.opening import NoSuchStore, TooOften

        try:
            return opened_for(self._shelf, reader, self._settings.stores, named)
        # A refusal for this caller alone: the backend must not rest for all others.
        except NoSuchStore as error:
            raise Fault("bad_request", str(error)) from None
        except TooOften as error:
            raise Fault("rate_limited", str(error), retry_after=error.retry_after) from None

    def _search(self, name: str, store: "KnowledgeStore") -> "StoreSearch":
        from router.encoding.encoder import CannotEncode
        from router.knowledge.asking import StoreSearch
        from router.knowledge.encoders import encoder_to_ask

        settings = self._settings
        try:
            return self._held.get(
                name,
                store,
                lambda: StoreSearch(
                    name, store, partial(encoder_to_ask, settings.encoders, settings.encoder)
                ),
            )
        except CannotEncode as error:
            raise Fault("unavailable", str(error)) from None


def _wishes(fields: Mapping[str, Any]) -> "tuple[Sequence[str], Where]":
    """The stores that a request names, and its filter. Raises `Fault`."""
    from router.knowledge.finding.where import UnclearFilter, where_of

    wishes = fields.get("knowledge") or {}
    if not isinstance(wishes, Mapping) or set(wishes) - {"stores", "where"}:
        raise Fault("bad_request", "`knowledge` is an object with `stores` and `where`")
    named = wishes.get("stores") or []
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise Fault("bad_request", "`knowledge.stores` is a list of names")
    try:
        return named, where_of(wishes.get("where"))
    except UnclearFilter as error:
        raise Fault("bad_request", f"`knowledge.{error}`") from None


def _earlier(fields: Mapping[str, Any]) -> list[str]:
    """The questions before the last one, the latest last."""
    asked_by_user = [
        " ".join(texts_of(message))[:_LONGEST]
        for message in fields.get("messages") or ()
        if isinstance(message, Mapping) and message.get("role") == "user"
    ]
    return asked_by_user[:-1][-_MOST_EARLIER:]


def _rows(
    searches: "Sequence[StoreSearch]", question: str, previous: Sequence[str], where: "Where"
) -> "tuple[str, RowAnswer] | str":
    """The answer of the only store whose rows answer; else why rows do not pass the filter."""
    from router.knowledge.rows.schema import NotUnderstood, RowAnswer

    answers = [(each.name, each.rows(question, previous, where)) for each in searches]
    right = [(name, answer) for name, answer in answers if isinstance(answer, RowAnswer)]
    if len(right) == 1:
        return right[0]
    filtered = [a.reason for _, a in answers if isinstance(a, NotUnderstood) and a.filtered]
    return f"Its rows were not asked: {filtered[0]}." if filtered and not right else ""


def _offer(
    searches: "Sequence[StoreSearch]", question: str, previous: Sequence[str], where: "Where"
) -> "tuple[str, Offer] | None":
    """The offer of the only store whose rows make one."""
    made = [(each.name, each.offer(question, previous, where)) for each in searches]
    offers = [(name, offer) for name, offer in made if offer is not None]
    return offers[0] if len(offers) == 1 else None


def _offer_in_words(offer: "Offer") -> str:
    queries = "\n".join(f"SQL: {answer.sql}" for answer in offer.answers)
    return f"{UNKNOWN} {offer.text}\n\n{queries}"


def _offer_report(store: str, offer: "Offer") -> list[dict[str, Any]]:
    return [
        {
            "n": n,
            "store": store,
            "document": "rows",
            "source": "rows",
            "rows": _rows_of(answer) | {"left_out": offer.left_out},
        }
        for n, answer in enumerate(offer.answers, 1)
    ]


def _in_words(answer: "RowAnswer") -> str:
    return f"{answer.text}\n\nRead as: {answer.reading} [1]\nSQL: {answer.sql}"


def _row_report(store: str, answer: "RowAnswer", cited: set[str]) -> dict[str, Any]:
    citation = {"n": 1, "store": store, "document": "rows", "version": 0, "title": answer.reading}
    citation |= {"source": "rows", "must_cite": store in cited}
    return {"confidence": 1.0, "found": True, "rows": _rows_of(answer), "citations": [citation]}


def _rows_of(answer: "RowAnswer") -> dict[str, Any]:
    rows = {"sql": answer.sql, "columns": answer.columns, "rows": answer.rows}
    return rows | {"reading": answer.reading}
