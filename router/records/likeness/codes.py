"""Codes with a pattern: `ORD-10432` counts on, `B12345674` keeps its form. Pure.

What all examples share stays, what they differ in is drawn anew from letters and digits of the same
kind. Of a single example, the letters stay and the digits change.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

_PART = re.compile(r"[A-Za-z]+|\d+|[^A-Za-z\d]+")
_MOST_FORMS = 8
_MOST = 60  # characters of a code


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a code: a fixed text, a choice, or letters or digits to be drawn."""

    kind: str  # `fixed`, `choice`, `digits`, `letters`, `year`, `series`
    texts: tuple[str, ...]
    lengths: tuple[int, int] = (1, 1)
    keep: int = 0  # leading digits that stay as in an example


@dataclass(frozen=True, slots=True)
class CodeForm:
    """The form of codes; `pattern` matches the examples and every new code."""

    parts: tuple[Part, ...]
    pattern: str
    others: tuple["CodeForm", ...] = ()  # in place of parts: the forms of which each code has one

    def fits(self, text: str) -> bool:
        return re.fullmatch(self.pattern, text) is not None

    def write(self, chance: Random, index: int, year: int | None = None) -> str:
        if self.others:
            return chance.choice(self.others).write(chance, index, year)
        return "".join(_written(part, chance, index, year) for part in self.parts)


def _written(part: Part, chance: Random, index: int, year: int | None) -> str:
    match part.kind:
        case "fixed" | "choice":
            return chance.choice(part.texts)
        case "year":
            return str(year) if year else chance.choice(part.texts)
        case "series":
            last = max(int(text) for text in part.texts)
            size = part.lengths[1]
            return str((last + 1 + index) % 10**size).zfill(part.lengths[0])
        case "letters":
            letters = "abcdefghijklmnopqrstuvwxyz"
            letters = letters if part.texts[0].islower() else letters.upper()
            size = chance.randint(*part.lengths)
            return "".join(chance.choice(letters) for _ in range(size))
    if part.keep:
        text = chance.choice(part.texts)
        rest = "".join(chance.choice("0123456789") for _ in text[part.keep :])
        return text[: part.keep] + rest
    size = chance.randint(*part.lengths)
    first = "0123456789" if any(text.startswith("0") for text in part.texts) else "123456789"
    return "".join(chance.choice(first if n == 0 else "0123456789") for n in range(size))


def code_form(
    examples: Sequence[str], *, counts_on: bool = False, phone: bool = False
) -> CodeForm | None:
    """The form that all examples share; None if they are no codes. A phone keeps its country."""
    if not all(is_code(text) for text in examples):
        return None
    split = [_PART.findall(text) for text in examples]
    if len({tuple(_kind(part) for part in parts) for parts in split}) != 1:
        return _of_other_lengths(examples, phone=phone)
    columns = list(zip(*split, strict=True))
    digits = [n for n, column in enumerate(columns) if column[0].isdigit()]
    parts = []
    for n, column in enumerate(columns):
        last = counts_on and digits and n == digits[-1]
        part = _part(tuple(column), series=bool(last), single=len(set(examples)) == 1)
        if phone and digits and n in digits[:2]:
            country = n == digits[0] and columns[0][0].startswith("+")
            keep = len(column[0]) if country else int(n == digits[0] or columns[0][0] == "+")
            part = replace(part, kind="digits", keep=keep)
        parts.append(part)
    return CodeForm(tuple(parts), "".join(map(_pattern, parts)))


def _of_other_lengths(examples: Sequence[str], *, phone: bool) -> CodeForm | None:
    """Codes of several forms, of which each new code has one."""
    texts = tuple(dict.fromkeys(examples))
    forms = [code_form([text], phone=phone) for text in texts] if len(texts) <= _MOST_FORMS else []
    kept = tuple(form for form in forms if form is not None)
    if not kept or len(kept) < len(texts):
        return None
    return CodeForm((), "|".join(form.pattern for form in kept), kept)


def _kind(part: str) -> str:
    return "digits" if part.isdigit() else "letters" if part.isalpha() else part


def _part(column: tuple[str, ...], *, series: bool, single: bool) -> Part:
    lengths = (min(map(len, column)), max(map(len, column)))
    kind = _kind(column[0])
    if kind not in ("digits", "letters"):
        return Part("fixed", (column[0],), lengths)
    if kind == "digits":
        years = all(len(text) == 4 and 1990 <= int(text) <= 2030 for text in column)
        if years and not series:
            return Part("year", tuple(dict.fromkeys(column)), lengths)
        return Part("series" if series else "digits", column, lengths)
    if single or len(set(column)) == 1:
        return Part("fixed", (column[0],), lengths)
    if lengths[1] > 2:  # words of a code, such as the kind of product
        return Part("choice", tuple(dict.fromkeys(column)), lengths)
    return Part("letters", column, lengths)


def _pattern(part: Part) -> str:
    match part.kind:
        case "fixed" | "choice":
            return "(?:" + "|".join(map(re.escape, part.texts)) + ")"
        case "letters":
            letters = "a-z" if part.texts[0].islower() else "A-Z"
            return f"[{letters}]{{{part.lengths[0]},{part.lengths[1]}}}"
    return rf"\d{{{part.lengths[0]},{part.lengths[1]}}}"


def is_code(text: str) -> bool:
    """Whether a text is a code: digits, with letters in capitals or with marks between."""
    if not 2 <= len(text) <= _MOST or not any(letter.isdigit() for letter in text):
        return False
    if not text.isascii():
        return False
    words = re.findall(r"[A-Za-z]+", text)
    small = [word for word in words if not word.isupper() and len(word) > 1]
    spaces = text.count(" ")
    return not small and spaces <= 4 and bool(re.fullmatch(r"[A-Za-z0-9 ()+./#:_-]+", text))
