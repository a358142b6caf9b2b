"""Finds the part of a request that a slot of a template needs: what stands after some words, and
has some form or ends before a mark. Pure functions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from router.guardrails.personal import personal_spans

_PLACEHOLDER = re.compile(r"\[(EMAIL|PHONE|CARD|IBAN)_[0-9]{1,6}\]")
_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?|\d+|\n|[^\w\s]|_")
_DIGITS = re.compile("9+")
_MOST_TEXT = 20_000  # characters of a request that are read
_MOST_TOKENS = 24  # of a value
_JOINING = frozenset("-/.,:&+'\u2019")
_SYMBOLS = frozenset("$€£#@")
END = "(end)"  # in place of the mark after a value: the end of the request
BEGIN = "(begin)"
ANY = "(any)"  # in place of a form: whatever stands before the mark


@dataclass(frozen=True, slots=True)
class Token:
    start: int
    end: int
    plain: str  # in small letters; a number is `#`, and personal data the name of its kind
    form: str


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A request as rules see it. `joined` are the tokens that are written in one with the token
    before them, as in `A-12`."""

    text: str
    tokens: tuple[Token, ...]
    joined: tuple[bool, ...]

    def before(self, at: int, count: int) -> tuple[str, ...]:
        """The words before a place among the tokens; fewer at the beginning of the request."""
        words = tuple(token.plain for token in self.tokens[max(0, at - count) : at])
        return words if len(words) == count else (BEGIN, *words)

    def after(self, at: int) -> str:
        return self.tokens[at].plain if at < len(self.tokens) else END

    def value(self, first: int, end: int) -> str:
        return self.text[self.tokens[first].start : self.tokens[end - 1].end]

    def forms(self, first: int) -> Iterator[tuple[int, str]]:
        """The ends and the forms of all values that begin at a place: `99999` has five digits,
        `A-9999` is a code, `Aa Aa` a name."""
        form = ""
        for at in range(first, min(len(self.tokens), first + _MOST_TOKENS)):
            token = self.tokens[at]
            gap = at > first and self.tokens[at - 1].end < token.start
            form += (" " if gap else "") + token.form
            if token.plain == "\n":
                return
            if not self.ends_inside(at + 1):
                yield at + 1, form

    def ends_inside(self, end: int) -> bool:
        return end < len(self.tokens) and self.joined[end]

    def form(self, first: int, end: int) -> str:
        return next((form for at, form in self.forms(first) if at == end), "")

    def run_before(self, at: int) -> int:
        """How many tokens before a place are written in one with the token there."""
        count = 0
        while at - count > 0 and self.joined[at - count]:
            count += 1
        return count


@lru_cache(maxsize=4096)
def read(text: str) -> ReadRequest:
    text = text[:_MOST_TEXT]
    personal = [(span.start, span.end, str(span.kind)) for span in personal_spans(text)]
    personal += [(m.start(), m.end(), m[1].lower()) for m in _PLACEHOLDER.finditer(text)]
    tokens: list[Token] = []
    last = 0
    for start, end, kind in sorted(personal):
        if start < last:
            continue
        tokens += _plain_tokens(text, last, start)
        tokens.append(Token(start, end, kind, kind))
        last = end
    tokens += _plain_tokens(text, last, len(text))
    joined = tuple(at > 0 and _joined(text, tokens, at) for at in range(len(tokens)))
    # Digits before a sign in the same word are a part of what the word is, as in 2026-05-03.
    kept = (
        replace(token, plain=text[token.start : token.end])
        if token.plain == "#" and at + 1 < len(tokens) and joined[at + 1]
        else token
        for at, token in enumerate(tokens)
    )
    return ReadRequest(text, tuple(kept), joined)


def _plain_tokens(text: str, start: int, end: int) -> Iterator[Token]:
    for match in _TOKEN.finditer(text, start, end):
        word = match[0]
        plain = "#" if word.isdigit() else word.casefold()
        yield Token(match.start(), match.end(), plain, _form(word))


def _joined(text: str, tokens: list[Token], at: int) -> bool:
    before, token = tokens[at - 1], tokens[at]
    if before.end != token.start:
        return False
    first, second = text[before.start : before.end], text[token.start : token.end]
    if (first.isalnum() and second.isalnum()) or first in _SYMBOLS:
        return True
    if second in _JOINING:  # `12.5` goes on, `12.` ends
        after = text[token.end : token.end + 1]
        return first[-1:].isalnum() and after.isalnum()
    return first in _JOINING and at >= 2 and tokens[at - 2].end == before.start


def loose(form: str) -> str:
    """The form of values with any number of digits in the same places."""
    return _DIGITS.sub("9+", form)


def _form(word: str) -> str:
    if word.isdigit():
        return "9" * min(len(word), 12)
    if not word[0].isalpha():
        return word
    return "A" if word.isupper() else "Aa" if word[0].isupper() else "a"


@dataclass(frozen=True, slots=True)
class Rule:
    """Where a value stands: after these words, and with one of these forms or before this mark.

    Without words before it, a value is the only part of the request that has its form, or that is
    one of these values."""

    left: tuple[str, ...]
    forms: tuple[str, ...] = ()
    until: str = ANY
    values: tuple[str, ...] = ()
    single: bool = False  # whether no row had several such values: several are a doubt then

    def find(self, request: ReadRequest) -> str | None:
        """The value in a request; None if the request has none, or several that differ."""
        values = self.all(request)
        return values.pop() if len(values) == 1 else None

    def all(self, request: ReadRequest) -> set[str]:
        values = {value for value in self._all(request) if value}
        if self.values:
            return {v for v in values if not any(v != w and v in w for w in values)}
        return values

    def _all(self, request: ReadRequest) -> Iterator[str]:
        if self.values:
            yield from _listed(request, self.values)
            return
        for at in range(len(request.tokens)):
            if self.left and request.before(at, max(1, len(self.left))) != self.left:
                continue
            if not self.left and request.joined[at]:
                continue
            if self.forms:
                yield from _longest(request, at, self.forms)
            else:
                yield from _until(request, at, self.until)


def _longest(request: ReadRequest, at: int, forms: tuple[str, ...]) -> Iterator[str]:
    """The longest part from a place on that has one of the forms."""
    ends = [end for end, form in request.forms(at) if form in forms or loose(form) in forms]
    yield from (request.value(at, end) for end in ends[-1:])


def _until(request: ReadRequest, at: int, mark: str) -> Iterator[str]:
    for end in range(at + 1, min(len(request.tokens), at + _MOST_TOKENS) + 1):
        after = request.after(end)
        if after == mark and not (after in _JOINING and request.ends_inside(end)):
            yield request.value(at, end)
            return
        if after == "\n":
            return


def _listed(request: ReadRequest, values: tuple[str, ...]) -> Iterator[str]:
    """Those of some values that stand in a request, as the request writes them."""
    plain = request.text.casefold()
    for value in values:
        if value.casefold() in plain:
            yield from (request.value(at, end) for at, end in places(request, value))


def places(request: ReadRequest, value: str) -> Iterator[tuple[int, int]]:
    """Where a value stands in a request, in any case, as whole tokens."""
    plain = [value[token.start : token.end].casefold() for token in read(value).tokens]
    if not plain or value.casefold() not in request.text.casefold():
        return
    texts = [request.text[token.start : token.end].casefold() for token in request.tokens]
    for at in range(len(texts) - len(plain) + 1):
        if texts[at : at + len(plain)] == plain:
            yield at, at + len(plain)
