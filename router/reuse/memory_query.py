"""The keys by which the memory finds a request, and the requests that are never reused. Pure.

A space is a hash of everything in a request except the words of its last message: owner, model,
system prompt, earlier messages, tools, formats, sampling. A solution can only answer requests of
its own space.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Literal

import orjson

from router.domain import Request
from router.value import value

Mode = Literal["off", "exact", "similar"]

# These fields change how an answer is delivered, not what it says.
_DELIVERY = frozenset({"stream", "stream_options", "user", "metadata", "store", "conversation"})


_HUGE_BYTES = 2**20  # sorting the fields of a longer body would keep other requests waiting


@value
class MemoryQuery:
    """What the memory of solutions needs to know about a request."""

    scope: str
    space: bytes
    exact: bytes
    text: str
    mode: Mode
    keeps: bool  # whether the memory may keep the answer
    unfit: str = ""  # why the memory must not answer; empty if it may


def exact_key(request: Request, *, scope: str, backend: str) -> bytes:
    """A key that only identical requests share, whether or not they may be reused.

    Requests over 1 MB are identical only byte for byte.
    """
    if len(request.body) > _HUGE_BYTES:
        content = blake2b(orjson.dumps(_frame(request, scope, backend)), digest_size=16)
        content.update(request.body)
        return content.digest()
    bare = {k: v for k, v in request.fields.items() if k not in _DELIVERY}
    return _hashed(_frame(request, scope, backend), bare)


def query_of(
    request: Request, exact: bytes, *, scope: str, backend: str, mode: Mode
) -> MemoryQuery:
    fields = request.fields
    unfit = "it is not to be answered from memory" if mode == "off" else _why_unfit(request)
    if unfit:
        return MemoryQuery(scope, b"", exact, "", "off", keeps=False, unfit=unfit)
    messages = fields["messages"]
    text = request.reading.last_words.strip()
    last, keeps = messages[-1], not (request.no_store or request.stores)
    # Unless the last message is plain text of the user, only an identical request matches.
    if last.get("role") != "user" or not isinstance(last.get("content"), str) or not text:
        return MemoryQuery(scope, exact, exact, text, "exact", keeps=keeps)
    if last["content"].strip() != text:  # an agent's harness added what the answer may rest on
        return MemoryQuery(scope, exact, exact, text, "exact", keeps=keeps)
    if len(request.body) > _HUGE_BYTES:  # the request has a space of its own, and meets no other
        return MemoryQuery(scope, exact, exact, text, mode, keeps=keeps)
    bare = {k: v for k, v in fields.items() if k not in _DELIVERY}
    bare["messages"] = [*messages[:-1], {**last, "content": None}]
    space = _hashed(_frame(request, scope, backend), bare)
    return MemoryQuery(scope, space, exact, text, mode, keeps=keeps)


def program_space(scope: str) -> bytes:
    """The space of all programs of a scope: only what a program computes is compared."""
    return blake2b(f"programs\0{scope}".encode(), digest_size=16).digest()


def allowed_mode(request: Request, mode: Mode) -> Mode:
    """The widest mode that both the request and the operator allow."""
    return min(mode, request.reuse or mode, key=_MODES.index)


def _frame(request: Request, scope: str, backend: str) -> list[Any]:
    return [scope, backend, request.region, request.only, request.task]


_MODES = ("off", "exact", "similar")


def _hashed(frame: Any, fields: Mapping[str, Any]) -> bytes:
    content = orjson.dumps([frame, fields], option=orjson.OPT_SORT_KEYS)
    return blake2b(content, digest_size=16).digest()


def _why_unfit(request: Request) -> str:
    """The reason why the memory must not answer this request; empty if it may."""
    fields = request.fields
    if fields.get("tools") or fields.get("functions"):
        return "it may call tools, which act on the world"
    n = fields.get("n")
    if n is not None and n != 1:
        return f"it asks for {n!r:.20} answers"
    if fields.get("logprobs"):
        return "it asks for the probabilities of an answer's words"
    for message in fields["messages"]:
        content = message.get("content")
        if isinstance(content, list) and any(
            not (isinstance(part, dict) and part.get("type") == "text") for part in content
        ):
            return "it holds more than text"
    return unfit_words(request.reading.last_words)


def unfit_words(text: str) -> str:
    """Why the memory must not answer a message with these words; empty if it may."""
    if words := fresh_words(text):
        return f"`{words}` asks for what is so now"
    return personal_words(text)


def fresh_words(text: str) -> str:
    """The words that ask for what is so now; empty without them."""
    fresh = _first_match(_FRESH, text)
    return fresh[0].strip().lower() if fresh and not _first_match(_INVENTED, text) else ""


def personal_words(text: str) -> str:
    """Says that the text holds personal data, without quoting it; empty if it holds none."""
    return "it holds personal data" if _first_match(_PERSONAL, text) else ""


def _first_match(pattern: "re.Pattern[str]", text: str) -> "re.Match[str] | None":
    """Search piece by piece, because no other thread runs while a search does."""
    starts = range(0, len(text) or 1, _PIECE)
    matches = (pattern.search(text, start, start + _PIECE + _OVERLAP) for start in starts)
    return next((match for match in matches if match), None)


_PIECE, _OVERLAP = 65_536, 256  # characters


# Invented data does not depend on today; a date range in such a request is a parameter.
_INVENTED = re.compile(r"\b(?:generate|simulate|mock|fake|synthetic)\b", re.I)
_FRESH = re.compile(
    r"\b(?:today(?:'s)?|tonight|yesterday|tomorrow|right now|now(?= (?:in|at|is|the)|\W*$)|current(?:ly)?|latest|"
    r"newest|most recent|recent(?:ly)?|breaking|live score|up[- ]to[- ]date|as of|so far|at the moment|"
    r"this (?:week|month|year|morning|afternoon|evening|weekend|season)|next (?:week|month|year)|"
    r"last (?:night|week|month|year)|these days|nowadays|what time is it|what day is it|"
    r"(?:weather|forecast) (?:in|for|at|like)|stock price|share price|exchange rate(?! of \d)|news)\b",
    re.I,
)
_PERSONAL = re.compile(
    r"(?<![\w.+-])[\w.+-]++@[\w-]++\.\w{2,}"  # an e-mail address
    r"|(?<![\w.,])\+?\d{1,3}[ .-]?\(?\d{2,4}\)?[ .-]\d{3,4}[ .-]\d{3,4}(?![\w.,]?\d)"  # a telephone number
    r"|(?<!\d)(?:\d{4}[ -]){3}\d{4}(?!\d)|(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)"  # a bank card, a social security number
    r"|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b"  # a bank account (IBAN)
    r"|\b(?:my name is|i am called|i live (?:at|in)|my (?:address|birthday|ssn|passport|diagnosis|salary)"
    r"|my (?:phone|e-?mail)(?: (?:address|is|number|no)|\W{1,3}\d++)|born on)\b",
    re.I,
)
