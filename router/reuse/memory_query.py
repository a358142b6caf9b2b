"""What of a request must be equal before its words are looked at, and what is never reused. Pure.

A space is everything about a request but its last words: whose it is, the model that was asked for,
the system prompt, what was said before, tools, formats, sampling. Solutions of one space may stand
for each other; those of two never meet.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

import orjson

from router.domain import Request

Mode = Literal["off", "exact", "similar"]

# What says how an answer travels, and nothing of what is in it.
_TRAVEL = frozenset({"stream", "stream_options", "user", "metadata", "store", "conversation"})


@dataclass(frozen=True, slots=True)
class MemoryQuery:
    """A request as the memory sees it."""

    scope: str
    space: bytes
    exact: bytes
    text: str
    mode: Mode
    keeps: bool  # whether its answer may be remembered
    unfit: str = ""  # why it is not even looked up


def exact_key(request: Request, *, scope: str, backend: str) -> bytes:
    """The key of this very request. What may not be reused has one as well: nothing is kept
    under it."""
    bare = {k: v for k, v in request.fields.items() if k not in _TRAVEL}
    return _hashed(_frame(request, scope, backend), bare)


def query_of(
    request: Request, exact: bytes, *, scope: str, backend: str, mode: Mode
) -> MemoryQuery:
    fields = request.fields
    unfit = "it is not to be answered from memory" if mode == "off" else _unfit(request)
    if unfit:
        return MemoryQuery(scope, b"", exact, "", "off", keeps=False, unfit=unfit)
    messages = fields["messages"]
    text = request.reading.last_words.strip()
    last, keeps = messages[-1], not request.no_store
    # Only the words of the user's last message may differ; a message of parts is all frame.
    if last.get("role") != "user" or not isinstance(last.get("content"), str) or not text:
        return MemoryQuery(scope, exact, exact, text, "exact", keeps=keeps)
    bare = {k: v for k, v in fields.items() if k not in _TRAVEL}
    bare["messages"] = [*messages[:-1], {**last, "content": None}]
    space = _hashed(_frame(request, scope, backend), bare)
    return MemoryQuery(scope, space, exact, text, mode, keeps=keeps)


def program_space(scope: str) -> bytes:
    """Programs are compared by what they compute, whatever else their requests held."""
    return blake2b(f"programs\0{scope}".encode(), digest_size=16).digest()


def allowed_mode(request: Request, mode: Mode) -> Mode:
    """As far as both the request and the operator allow."""
    return min(mode, request.reuse or mode, key=_MODES.index)


def _frame(request: Request, scope: str, backend: str) -> list[Any]:
    return [scope, backend, request.region, request.only, request.task]


_MODES = ("off", "exact", "similar")


def _hashed(frame: Any, fields: Mapping[str, Any]) -> bytes:
    told = orjson.dumps([frame, fields], option=orjson.OPT_SORT_KEYS)
    return blake2b(told, digest_size=16).digest()


def _unfit(request: Request) -> str:
    """Why an answer to this can be nobody else's, nor this one's again."""
    fields = request.fields
    if fields.get("tools") or fields.get("functions"):
        return "it may call tools, which act on the world"
    n = fields.get("n")
    if n is not None and n != 1:
        return f"it asks for {n!r:.20} answers"
    if fields.get("logprobs"):
        return "it asks for the probabilities of an answer's words"
    for name in ("temperature", "top_p"):
        value = fields.get(name)
        if name == "temperature" and isinstance(value, int | float) and value > 0:
            return f"temperature = {value:g} asks for answers that differ"
    for message in fields["messages"]:
        content = message.get("content")
        if isinstance(content, list) and any(
            not (isinstance(part, dict) and part.get("type") == "text") for part in content
        ):
            return "it holds more than text"
    return why_unfit(request.reading.last_words)


def why_unfit(text: str) -> str:
    """Words by which an answer holds only now, or only for one person."""
    fresh = _FRESH.search(text)
    if fresh and not _MADE.search(text):
        return f"`{fresh[0].strip().lower()}` asks for what is so now"
    if _PERSONAL.search(text):
        return "it holds personal data"
    return ""


# Data that is made up knows no today; an asked-for date range is a parameter.
_MADE = re.compile(r"\b(?:generate|simulate|mock|fake|synthetic)\b", re.I)
_FRESH = re.compile(
    r"\b(?:today(?:'s)?|tonight|yesterday|tomorrow|right now|now(?= (?:in|at|is|the)|\W*$)|current(?:ly)?|latest|"
    r"newest|most recent|recent(?:ly)?|breaking|live score|up[- ]to[- ]date|as of|so far|at the moment|"
    r"this (?:week|month|year|morning|afternoon|evening|weekend|season)|next (?:week|month|year)|"
    r"last (?:night|week|month|year)|these days|nowadays|what time is it|what day is it|"
    r"(?:weather|forecast) (?:in|for|at|like)|stock price|share price|exchange rate(?! of \d)|news)\b",
    re.I,
)
_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+\.\w{2,}"  # an address
    r"|(?<![\w.,])\+?\d{1,3}[ .-]?\(?\d{2,4}\)?[ .-]\d{3,4}[ .-]\d{3,4}(?![\w.,]?\d)"  # a telephone
    r"|(?<!\d)(?:\d{4}[ -]){3}\d{4}(?!\d)|(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)"  # a card, a social number
    r"|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b"  # an account
    r"|\b(?:my name is|i am called|i live (?:at|in)|my (?:address|phone|email|birthday|ssn|passport|diagnosis|salary)"
    r"|born on)\b",
    re.I,
)
