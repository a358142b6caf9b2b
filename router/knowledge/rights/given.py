"""Which answers held words of which stores, so that what goes on with such an answer is known.

Callers send earlier answers again as the history of their next question. The file keeps digests of
these answers, for each key apart, and no words; a digest goes after 90 days. An answer that comes
back in other words, such as translated, is known by its conversation: the id that the caller gave
it, or the same opening words.

Not covered: other words than the answer's in another conversation, or in the user's message.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from router.knowledge.rights.rights import Rights
from router.request.text import texts_of

_SECONDS = 90 * 86_400.0
_MOST = 400  # answers of one history, the latest ones


def note_given(rights: Rights, key_id: str, text: str, session: str, stores: Iterable[str]) -> None:
    """Write down that this answer to a key, and what goes on in its session, may hold words of
    these stores."""
    now, digests = rights.wall(), {_digest(key_id, text), *_of_session(key_id, session)}
    with rights.quickly_changing() as connection:
        connection.execute("delete from given where at < ?", (now - _SECONDS,))
        connection.executemany(
            "insert or replace into given (digest, store, at) values (?, ?, ?)",
            [(digest, store, now) for store in stores for digest in digests],
        )


def stores_given(
    rights: Rights, key_id: str, texts: Sequence[str], session: str
) -> tuple[str, ...]:
    """The stores whose words may stand in any of these answers to a key, in this session."""
    own = {_digest(key_id, text) for text in texts[-_MOST:]}
    digests = [*own, *_of_session(key_id, session)]
    marks = ", ".join("?" * len(digests))
    rows = rights.looking.execute(
        f"select distinct store from given where digest in ({marks}) order by store", digests
    )
    return tuple(store for (store,) in rows)


def answers_in(messages: Any) -> list[str]:
    """The texts of the answers in the history of a chat, also those that a tool brought."""
    every = messages if isinstance(messages, list) else ()
    return [
        text
        for message in every
        if isinstance(message, Mapping) and message.get("role") in ("assistant", "tool")
        if (text := "".join(texts_of(message)).strip())
    ]


def _of_session(key_id: str, session: str) -> list[bytes]:
    """The digest of a session; none of a request that belongs to no session."""
    if not session:
        return []
    text = f"{key_id}\0{session}".encode("utf-8", "replace")
    return [blake2b(text, digest_size=16, person=b"session").digest()]


def _digest(key_id: str, text: str) -> bytes:
    words = " ".join(text.split())
    return blake2b(f"{key_id}\0{words}".encode("utf-8", "replace"), digest_size=16).digest()
