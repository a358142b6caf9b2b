"""Answers questions on the rows of one store, and logs the forms of the queries.

What the tables hold is looked at again when an event has changed them. A question that an author's
query answers is not logged: its texts may be the question's own.
"""

import contextlib
import threading
from collections.abc import Sequence

from router.knowledge.finding.where import EVERYTHING, Where
from router.knowledge.rows.answering import RowReader, answered_by
from router.knowledge.rows.authoring import QueryAuthor, answered_with
from router.knowledge.rows.keeping import run_of, schemas_of
from router.knowledge.rows.offering import Offer, offer_of
from router.knowledge.rows.query_log import QueryLog, logged
from router.knowledge.rows.schema import NotUnderstood, RowAnswer, Run, SqlRefused, Unclear
from router.knowledge.store import KnowledgeStore

_NO_TABLE = NotUnderstood("the store holds no table")


class StoreRows:
    def __init__(self, store: KnowledgeStore) -> None:
        self._store, self._log = store, QueryLog(store.folder)
        self._lock = threading.Lock()
        self._latest: tuple[tuple[int, ...], RowReader, Run] | None = None

    def answer(
        self, question: str, previous: Sequence[str] = (), where: Where = EVERYTHING
    ) -> RowAnswer | NotUnderstood:
        """The answer by rule; `previous`: the questions before, the latest last."""
        try:
            reader, run = self._reader()
            return answered_by(reader, question, logged(run, self._log), previous, where)
        except LookupError:
            return _NO_TABLE
        except SqlRefused as refused:
            return NotUnderstood(str(refused))

    def offer(
        self, question: str, previous: Sequence[str] = (), where: Where = EVERYTHING
    ) -> Offer | None:
        """What the rows say to a question that they do not answer, without its unknown verbs."""
        try:
            reader, run = self._reader()
            return offer_of(reader, question, run, previous, where)
        except (LookupError, SqlRefused):
            return None

    def prepare(self) -> None:
        """Read what the tables hold now, for `understands`."""
        with contextlib.suppress(LookupError):
            self._reader()

    def understands(self, question: str) -> bool:
        """Whether the rows answer a question, by what `prepare` has read. A query runs only where
        the answer depends on what it brings, and is not logged."""
        latest = self._latest
        if latest is None or not self._store.tables():
            return False
        _, reader, run = latest
        try:
            query = reader.read(question, ())[0].query
            if query.form != "lookup" and query.other is None:
                return True
            return isinstance(answered_by(reader, question, run), RowAnswer)
        except (Unclear, SqlRefused):
            return False

    async def answer_with(
        self, author: QueryAuthor, question: str, previous: Sequence[str] = ()
    ) -> RowAnswer | NotUnderstood:
        """The answer by rule, or else by a query of the author."""
        by_rule = self.answer(question, previous)
        if isinstance(by_rule, RowAnswer) or by_rule is _NO_TABLE:
            return by_rule
        reader, run = self._reader()
        return await answered_with(author, reader, question, run, previous)

    def close(self) -> None:
        self._log.close()

    def _reader(self) -> tuple[RowReader, Run]:
        """Raises `LookupError` if the store holds no table."""
        events = tuple(table.event for table in self._store.tables())
        if not events:
            raise LookupError
        with self._lock:
            if self._latest is None or self._latest[0] != events:
                run = run_of(self._store)
                self._latest = events, RowReader(schemas_of(self._store), run), run
            return self._latest[1:]
