"""The vectors of a store: filled in for passages that have none, and read by indexes that follow.

A passage waits in `pending` from the transaction that wrote it to the transaction that wrote its
vectors, so a killed process leaves nothing out, and any process may go on. All vectors of a store
are of one encoder; another encoder makes all passages pending again.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from router.encoding.encodes import Encodes
from router.knowledge.changes import add_event
from router.knowledge.store import KnowledgeStore
from router.knowledge.stored import KeptPassage, Lag
from router.value import value

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

_AT_ONCE = 16  # passages that are encoded and written together
_ENCODER = "encoder"


@value
class PassageVectors:
    """The vector of a passage, and those of its heading and its sentences."""

    passage: int
    vector: "Vectors"
    sentences: "Vectors"


class StoreVectors:
    def __init__(self, store: KnowledgeStore) -> None:
        self._store = store

    @property
    def encoder(self) -> str:
        """The name of the encoder that made the vectors; empty before there is any."""
        row = self._store.looking.execute(
            "select value from settings where name = ?", (_ENCODER,)
        ).fetchone()
        return "" if row is None else str(row[0])

    def use(self, encoder: Encodes) -> None:
        """Keep vectors of this encoder from now on; other vectors are made again."""
        if self.encoder == encoder.name:
            return
        with self._store.changing() as connection:
            if self.encoder == encoder.name:  # another process was faster
                return
            now = self._store.wall()
            detail = {"encoder": encoder.name}
            event = add_event(connection, now, "settings", "", 0, by="configuration", detail=detail)
            connection.execute(
                "insert or ignore into pending select id, ?, ? from passages", (event, now)
            )
            connection.execute("insert into gone (passage) select passage from vectors")
            connection.execute("delete from vectors")
            connection.execute(
                "insert or replace into settings values (?, ?)", (_ENCODER, encoder.name)
            )

    def fill(self, encoder: Encodes, *, most: int = _AT_ONCE) -> int:
        """Make the vectors of passages that wait, the newest first; return how many got theirs."""
        rows = self._store.looking.execute(
            "select p.id, p.document, p.version, p.n, p.title, p.text, p.alike, p.event "
            "from pending w join passages p on p.id = w.passage order by w.passage desc limit ?",
            (most,),
        ).fetchall()
        if not rows:
            return 0
        passages = [KeptPassage(*row) for row in rows]
        encoded = vectors_of(passages, encoder)
        with self._store.changing() as connection:
            if self.encoder != encoder.name:  # the store changed its encoder meanwhile
                return 0
            return sum(_write(connection, each) for each in encoded)

    @property
    def lacking(self) -> bool:
        """Whether any passage waits for its vectors."""
        return self._store.looking.execute("select 1 from pending limit 1").fetchone() is not None

    def lag(self) -> Lag:
        """How far the vectors are behind."""
        newest = self._store.newest
        first, at = self._store.looking.execute(
            "select min(event), min(at) from pending"
        ).fetchone()
        if first is None:
            return Lag(newest, newest, 0.0)
        return Lag(newest, int(first) - 1, max(self._store.wall() - at, 0.0))

    def after(self, number: int, most: int) -> tuple[int, list[int], "Vectors"]:
        """The vectors with numbers past this one: the last number, the passages, their rows."""
        import numpy as np

        rows = self._store.looking.execute(
            "select number, passage, vector from vectors where number > ? order by number limit ?",
            (number, most),
        ).fetchall()
        if not rows:
            return number, [], np.empty((0, 0), dtype=np.float32)
        matrix = np.stack([_read(blob) for _, _, blob in rows])
        return int(rows[-1][0]), [int(row[1]) for row in rows], matrix

    def gone_after(self, number: int) -> tuple[int, list[int]]:
        """The passages that were taken out past this number, and the last number."""
        rows = self._store.looking.execute(
            "select number, passage from gone where number > ? order by number", (number,)
        ).fetchall()
        return (int(rows[-1][0]) if rows else number), [int(row[1]) for row in rows]

    def of(self, passages: Sequence[int]) -> Mapping[int, PassageVectors]:
        """The vectors of those of these passages that have theirs."""
        marks = ", ".join("?" * len(passages))
        rows = self._store.looking.execute(
            f"select passage, vector, sentences from vectors where passage in ({marks})",
            tuple(passages),
        )
        kept: list[tuple[int, int, int]] = []
        joined: list[bytes] = []
        for passage, vector, sentences in rows:
            kept.append((passage, len(vector), len(sentences) // len(vector)))
            joined += vector, sentences
        every, at = _read(b"".join(joined)), 0
        vectors: dict[int, PassageVectors] = {}
        for passage, length, count in kept:
            dimensions = length // 2
            end = at + dimensions * (1 + count)
            own = every[at:end].reshape(1 + count, dimensions)
            vectors[passage] = PassageVectors(passage, own[0], own[1:])
            at = end
        return vectors


def vectors_of(passages: Sequence[KeptPassage], encoder: Encodes) -> list[PassageVectors]:
    """The vectors of passages and of their sentences; a heading counts as a sentence."""
    texts = [f"{p.title}. {p.text}" if p.title else p.text for p in passages]
    sentences = [[*([p.heading] if p.heading else []), *p.passage.sentences] for p in passages]
    flat = [sentence for own in sentences for sentence in own]
    rows: Any = encoder.encode([*texts, *flat])
    encoded, at = [], len(texts)
    for n, passage in enumerate(passages):
        own = rows[at : at + len(sentences[n])]
        at += len(sentences[n])
        encoded.append(PassageVectors(passage.id, rows[n], own))
    return encoded


def _write(connection: sqlite3.Connection, encoded: PassageVectors) -> int:
    """Write the vectors of a passage, if it is still waiting."""
    waiting = connection.execute("delete from pending where passage = ?", (encoded.passage,))
    if not waiting.rowcount:
        return 0
    vector, sentences = _half(encoded.vector), _half(encoded.sentences)
    connection.execute(
        "insert into vectors (passage, vector, sentences) values (?, ?, ?)",
        (encoded.passage, vector, sentences),
    )
    return 1


def _half(rows: "Vectors") -> bytes:
    """Numbers of two bytes: half the room, and no rank changes by the rounding."""
    import numpy as np

    return np.asarray(rows, dtype=np.float16).tobytes()


def _read(blob: bytes) -> "Vectors":
    import numpy as np

    return np.frombuffer(blob, dtype=np.float16).astype(np.float32)
