"""A question asked of one store: an answer from its rows, or passages with a confidence each.

Of passages that say the same, the best alone is given.
"""

from collections.abc import Sequence
from dataclasses import replace

from router.knowledge.encoders import EncoderFor
from router.knowledge.finding.finder import Finder, Findings, Hit
from router.knowledge.finding.rewriting import Turn
from router.knowledge.finding.store_source import StoreSource
from router.knowledge.finding.where import EVERYTHING, Where
from router.knowledge.following import FollowingIndex
from router.knowledge.rows.offering import Offer
from router.knowledge.rows.schema import NotUnderstood, RowAnswer
from router.knowledge.rows.store_rows import StoreRows
from router.knowledge.store import KnowledgeStore

_SEVERAL = 3  # times as many passages are looked at, since some may say the same


class StoreSearch:
    """One store, asked by several threads at once; it follows the store's changes by itself, a
    change of its encoder included."""

    def __init__(self, name: str, store: KnowledgeStore, encoder_for: EncoderFor) -> None:
        self.name, self.store = name, store
        self._encoder_for = encoder_for
        self._index = FollowingIndex(store)
        self._latest: Finder | None = None
        self._rows = StoreRows(store)

    @property
    def language(self) -> str:
        return self._finder().source.language

    def _finder(self) -> Finder:
        encoder, latest = self._encoder_for(self.store), self._latest
        if latest is None or latest.encoder.name != encoder.name:
            latest = Finder(StoreSource(self.store, self._index, encoder), encoder)
            self._latest = latest
        return latest

    def find(
        self,
        question: str,
        most: int,
        earlier: Sequence[Turn] = (),
        where: Where = EVERYTHING,
    ) -> Findings:
        """The passages that answer a question best, the best first."""
        findings = self._finder().find(question, earlier, where, most=most * _SEVERAL)
        numbers = [hit.passage.number for hit in findings.hits]
        alike = {each.id: each.alike for each in self.store.passages(numbers)}
        hits: dict[int, Hit] = {}
        for hit in findings.hits:
            hits.setdefault(alike.get(hit.passage.number, hit.passage.number), hit)
        return replace(findings, hits=tuple(hits.values())[:most])

    def rows(
        self, question: str, previous: Sequence[str] = (), where: Where = EVERYTHING
    ) -> RowAnswer | NotUnderstood:
        """An answer from the tables of the store; `previous`: the questions before this one."""
        return self._rows.answer(question, previous, where)

    def offer(
        self, question: str, previous: Sequence[str] = (), where: Where = EVERYTHING
    ) -> Offer | None:
        """What the rows say without the words that they do not understand. It is no answer."""
        return self._rows.offer(question, previous, where)

    @property
    def held_bytes(self) -> int:
        """About how much memory the vectors take that are loaded."""
        return self._index.held_bytes

    def load(self) -> None:
        """Load the vectors before the first question."""
        self._index.follow()

    def close(self) -> None:
        self._rows.close()
