"""A folder of documents as an expert: it answers with the passage, its source and how sure it is.

It says so where they hold no answer. With a `writer` a plan is made of it in which that backend
answers in prose from the passages alone (`router.config.load.Config.plan`).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router.config.backends import SpecialistSettings
from router.domain import CHAT, Call, Fault, Reply
from router.request.text import fields_of, last_user_text, prompt_text, tokens_in, whole_number
from router.wire.chat_replies import chat_reply

if TYPE_CHECKING:
    from router.documents.search import Expert, Hit

_LONGEST = 2_000  # characters of a question
UNKNOWN = "These documents hold no answer to that."


class SpecialistBackend:
    """The index is loaded with the first question, and again where another took its place."""

    def __init__(self, settings: SpecialistSettings) -> None:
        self._settings = settings
        self._lock = asyncio.Lock()
        self._expert: Expert | None = None

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"a specialist answers {CHAT}, not {call.path}")
        fields = fields_of(call)
        question = last_user_text(fields)[:_LONGEST].strip()
        if not question:
            raise Fault("bad_request", "The last message of the user holds no question")
        most = whole_number(fields, "passages", least=1, most=20) or self._settings.passages
        expert = await self._ready()
        hits = await asyncio.to_thread(expert.ask, question, most)
        text, told = _answer(
            hits, self._settings.enough, all_of_them=bool(fields.get("for_writer"))
        )
        prompt_tokens = tokens_in(prompt_text(fields))
        yield chat_reply(
            call, "waggle-specialist", [text], prompt_tokens, more={"specialist": told}
        )

    async def close(self) -> None:
        pass

    async def _ready(self) -> "Expert":
        from router.documents.passage_index import current

        async with self._lock:
            home = Path(self._settings.home or "")
            folder = current(home) if self._settings.home else None
            if self._expert is None or (
                folder is not None and folder.name != self._expert.index.name
            ):
                self._expert = await asyncio.to_thread(opened, self._settings)
            return self._expert


def opened(settings: SpecialistSettings) -> "Expert":
    """The expert, its index made now where there is none."""
    from router.documents.passage_index import NoDocuments, load, refresh
    from router.documents.search import Expert
    from router.encoding.encoder import CannotEncode
    from router.encoding.home import encoder_of

    if settings.home is None:
        raise Fault("unavailable", "it has no `home` for its index: load it from a file")
    home = Path(settings.home)
    try:
        encoder = encoder_of(settings.encoder, settings.encoders)
        try:
            return Expert(load(home), encoder)
        except LookupError:
            refresh(settings.documents, home, encoder)
            return Expert(load(home), encoder)
    except (CannotEncode, NoDocuments, LookupError) as error:
        raise Fault("unavailable", str(error)) from None


def _answer(
    hits: "list[Hit]", enough: float, *, all_of_them: bool
) -> tuple[str, Mapping[str, Any]]:
    best = hits[0].confidence if hits else 0.0
    told = {
        "confidence": round(best, 4),
        "found": best >= enough,
        "passages": [
            {
                "text": hit.passage.text,
                "title": hit.passage.title,
                "source": hit.passage.source,
                "confidence": round(hit.confidence, 4),
            }
            for hit in hits
        ],
    }
    if best < enough:
        return UNKNOWN, told
    if all_of_them:
        shown = (f"[{n}] {_source(hit)}\n{hit.passage.text}" for n, hit in enumerate(hits, 1))
        return "\n\n".join(shown), told
    return (
        f"{hits[0].passage.text}\n\nSource: {_source(hits[0])} (confidence {min(best, 0.99):.2f})",
        told,
    )


def _source(hit: "Hit") -> str:
    title = f", {hit.passage.title}" if hit.passage.title else ""
    return f"{hit.passage.source}{title}"
