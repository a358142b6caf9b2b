"""Answers from a folder of documents: a passage, its source and a confidence.

If the documents hold no answer, the specialist says so. With a `writer`, the plan is a pipeline in
which the writer answers in prose from the passages alone (`router.plans.compiled`).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router.backends.request_fields import fields_of_call
from router.config.backends import SpecialistSettings
from router.domain import CHAT, Call, Fault, Reply
from router.request.text import last_user_text, prompt_text, tokens_in, whole_number
from router.wire.chat_replies import chat_reply

if TYPE_CHECKING:
    from router.documents.search import Expert, Hit

_LONGEST = 2_000  # most characters of a question
UNKNOWN = "These documents hold no answer to this question."


class SpecialistBackend:
    """The first question loads the index, and a later question loads a newer index."""

    def __init__(self, settings: SpecialistSettings) -> None:
        self._settings = settings
        self._lock = asyncio.Lock()
        self._expert: Expert | None = None

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"a specialist answers {CHAT}, not {call.path}")
        fields = await fields_of_call(call)
        question = last_user_text(fields)[:_LONGEST].strip()
        if not question:
            raise Fault("bad_request", "The last message of the user holds no question")
        most = whole_number(fields, "passages", least=1, most=20) or self._settings.passages
        expert = await self._ready()
        hits = await asyncio.to_thread(expert.ask, question, most)
        confidence = hits[0].confidence if hits else 0.0
        if confidence < self._settings.enough:
            text = UNKNOWN
        elif fields.get("for_writer"):
            text = _numbered(hits)
        else:
            text = _best_passage(hits[0])
        report = {
            "confidence": round(confidence, 4),
            "found": confidence >= self._settings.enough,
            "passages": [_passage(hit) for hit in hits],
        }
        prompt_tokens = tokens_in(prompt_text(fields))
        more = {"specialist": report}
        yield chat_reply(call, "waggle-specialist", [text], prompt_tokens, more=more)

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
    """Load the expert for these settings; a missing index is built first."""
    from router.documents.indexing import NoDocuments, refresh
    from router.documents.passage_index import load
    from router.documents.search import Expert
    from router.encoding.encoder import CannotEncode
    from router.encoding.home import encoder_of

    if settings.home is None:
        raise Fault(
            "unavailable", "the settings have no `home` for the index: load them from a file"
        )
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


def _passage(hit: "Hit") -> Mapping[str, Any]:
    return {
        "text": hit.passage.text,
        "title": hit.passage.title,
        "source": hit.passage.source,
        "confidence": round(hit.confidence, 4),
    }


def _numbered(hits: "list[Hit]") -> str:
    """The text of all passages, numbered so that a writer can cite them."""
    return "\n\n".join(f"[{n}] {_source(hit)}\n{hit.passage.text}" for n, hit in enumerate(hits, 1))


def _best_passage(hit: "Hit") -> str:
    confidence = min(hit.confidence, 0.99)
    return f"{hit.passage.text}\n\nSource: {_source(hit)} (confidence {confidence:.2f})"


def _source(hit: "Hit") -> str:
    title = f", {hit.passage.title}" if hit.passage.title else ""
    return f"{hit.passage.source}{title}"
