"""What can be searched: a store, and a list of passages in memory.

`router.knowledge.finding` needs no more of a store than this protocol.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from router.documents.chunking import Passage
from router.documents.front_matter import Value
from router.documents.passage_index import words_of
from router.knowledge.finding.where import Where

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors


@dataclass(frozen=True, slots=True, eq=False)
class StoredPassage:
    """A passage of a document in a source, with the vectors that its source keeps."""

    number: int  # unique in its source
    document: str
    version: int
    title: str  # of the document
    heading: str  # all headings above the passage
    text: str
    source: str
    vector: "Vectors"
    sentences: "Vectors"  # of the heading, if there is one, and of the sentences
    metadata: Mapping[str, Value] = field(default_factory=dict)

    @property
    def passage(self) -> Passage:
        return Passage(self.source, self.heading, self.text)

    def words(self, language: str) -> list[str]:
        """The content words of the passage with its headings."""
        return list(words_of(self.passage, language))


class PassageSource(Protocol):
    """Passages that are found by words and by meaning; `among` are the only passages searched.

    All words are base forms, as `content_words` returns them.
    """

    @property
    def language(self) -> str:
        """The language of most passages: `en` or `es`."""
        ...

    def size(self) -> int: ...

    def admitted(self, where: Where) -> Collection[int] | None:
        """The passages of the documents that a filter admits; None for all passages."""
        ...

    def by_words(self, words: Sequence[str], most: int, among: Collection[int] | None) -> list[int]:
        """The passages that hold the words best, the best first."""
        ...

    def by_meaning(self, vector: "Vectors", most: int, among: Collection[int] | None) -> list[int]:
        """The passages nearest to a vector, the nearest first."""
        ...

    def read(self, numbers: Sequence[int]) -> list[StoredPassage]:
        """These passages, without those that are gone meanwhile."""
        ...

    def holding(self, words: Sequence[str]) -> list[int]:
        """For each word, how many passages hold it."""
        ...

    def holds_side_by_side(self, pairs: Sequence[tuple[str, str]]) -> bool:
        """Whether some passage holds one of these pairs of words side by side."""
        ...

    def vocabulary(self, beginning: str) -> list[str]:
        """The words of the passages that begin so."""
        ...
