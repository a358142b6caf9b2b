"""Parts of names and addresses, and texts brought into the form that a pattern wants. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from router.records.catalogue.tables import plain, sections_of
from router.records.migrating.unfit import Unfit
from router.records.regexes import matches

_TITLES = frozenset(
    ["mr", "mrs", "ms", "miss", "dr", "prof", "sr", "sra", "srta", "don", "dona", "d"]
)
_PARTICLES = frozenset([
    "de", "del", "la", "las", "los", "van", "von", "der", "den", "di", "da", "dos", "das", "le",
    "el", "bin", "al", "mac", "st"
])  # fmt: skip
_POSTCODE = re.compile(
    r"\b(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|\d{5}(?:-\d{4})?|[A-Z]\d[A-Z] ?\d[A-Z]\d"
    r"|\d{4} ?[A-Z]{2}|\d{4})\b"
)
_TOKEN = re.compile(
    r"\\d(?:\{(\d{1,2})\})?|\[0-9\](?:\{(\d{1,2})\})?|\[A-Z\](?:\{(\d{1,2})\})?"
    r"|\[A-Z0-9\](?:\{(\d{1,2})\})?|\[0-9A-Z\](?:\{(\d{1,2})\})?"
    r"|\\([.+\-()/ ])|([A-Za-z0-9 \-/:_#])"
)


def surname_first(texts: Sequence[str]) -> tuple[bool, bool]:
    """Whether surnames stand before first names, and whether each text shows it."""
    names = [text.split() for text in texts if "," not in text]
    names = [words for words in names if len(words) > 1]
    turned = [w for w in names if not _is_first(w[0]) and _is_first(w[-1]) and _is_last(w[0])]
    usual = [w for w in names if _is_first(w[0]) and not _is_first(w[-1])]
    return len(turned) > len(usual), bool(turned) and len(turned) == len(names)


def _is_first(word: str) -> bool:
    return bool(sections_of(word) & {"first_female", "first_male"})


def _is_last(word: str) -> bool:
    return "last" in sections_of(word)


def name_parts(text: Any, *, spanish: bool, surname_first: bool = False) -> tuple[str, str]:
    """First and last name of a person; `Unfit` if a text has only one of them."""
    if not isinstance(text, str):
        raise Unfit(f"{text!r:.60} is no name")
    last, comma, first = (part.strip() for part in text.partition(","))
    if comma and first and last and "," not in first:
        return first, last
    words = text.split()
    while len(words) > 2 and plain(words[0]).strip(".") in _TITLES:
        words = words[1:]
    if len(words) < 2 or comma:
        raise Unfit(f"{text!r:.60} cannot be split into first and last name")
    if surname_first:
        return words[-1], " ".join(words[:-1])
    start = len(words) - (2 if spanish and len(words) > 2 else 1)
    for at in range(1, len(words)):
        if plain(words[at]) in _PARTICLES and at < len(words) - 1:
            start = min(start, at)
            break
    return " ".join(words[:start]), " ".join(words[start:])


def unsure_name(text: str) -> bool:
    """Whether a name has more words than a first and a last name need."""
    words = [word for word in text.split() if plain(word).strip(".") not in _TITLES]
    return "," not in text and len(words) > 2


def address_part(text: Any, part: str) -> str:
    """`street`, `city`, `postcode`, `region` or `country` of an address with commas."""
    pieces = [p.strip() for p in re.split(r"[,\n;]", str(text)) if p.strip()]
    parts = _address_parts(pieces, part) if len(pieces) >= 2 else {}
    if not parts.get(part):
        raise Unfit(f"{text!r:.60} does not say which part is the {part}")
    return parts[part]


def _address_parts(pieces: Sequence[str], part: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    rest = []
    for at, piece in enumerate(pieces):
        codes = list(_POSTCODE.finditer(piece)) if at > 0 and "postcode" not in parts else []
        name = piece
        if codes:
            parts["postcode"] = codes[-1][0]
            name = (piece[: codes[-1].start()] + piece[codes[-1].end() :]).strip()
        if name:
            rest.append(name)
    parts["street"] = rest.pop(0)
    # The number of the house, or a flat, may stand behind a comma: `Calle Mayor, 5`.
    while rest and (re.search(r"\d", rest[0]) and (len(rest) > 1 or rest[0][0].isdigit())):
        parts["street"] += f", {rest.pop(0)}"
    if rest:
        parts["city"] = rest[0]
    if len(rest) == 2:
        parts["region" if part == "region" else "country"] = rest[1]
    elif len(rest) == 3:
        parts |= {"region": rest[1], "country": rest[2]}
    return parts


def phone_of(value: Any, prefix: str) -> str:
    """A telephone number as digits behind `+`; `prefix` is that of numbers without any."""
    text = str(value).strip()
    if not re.fullmatch(r"[+\d\s().\-/]+", text):
        raise Unfit(f"{value!r:.60} is no telephone number")
    digits = re.sub(r"\D", "", text.replace("(0)", ""))
    if text.startswith("+"):
        return "+" + digits
    if digits.startswith("00"):
        return "+" + digits[2:]
    if not prefix:
        raise Unfit(f"{value!r:.60} has no country code")
    code = prefix.removeprefix("+")
    if digits.startswith(code) and len(digits) > 9 + (len(code) > 1):
        return "+" + digits
    return prefix + digits.removeprefix("0")


def fitted(value: Any, pattern: str) -> str:
    """The text in the form of the pattern: capitals, spaces and marks change, no letter does."""
    text = str(value).strip()
    for candidate in _forms(text, pattern):
        if matches(pattern, candidate):
            return candidate
    raise Unfit(f"{value!r:.60} does not fit the pattern {pattern!r:.60}")


def _forms(text: str, pattern: str) -> Iterator[str]:
    bare = re.sub(r"[\s.\-/()_]", "", text)
    yield from (text, text.upper(), text.lower(), text.replace(" ", ""))
    yield from (text.replace(" ", "").upper(), text.replace(" ", "").lower())
    yield from (bare, bare.upper(), bare.lower())
    for mark in "-_ ":
        joined = re.sub(r"[\s_\-]+", mark, text)
        yield from (joined, joined.lower(), joined.upper())
    if len(bare) > 4:  # the second half of a British post code has three letters
        yield f"{bare[:-3]} {bare[-3:]}".upper()
    written = _written_into(bare, pattern)
    if written:
        yield written
    digits = re.sub(r"\D", "", text)
    if digits and (written := _written_into(digits, pattern)):
        yield written


def _written_into(bare: str, pattern: str) -> str:
    """The letters and digits, written into a pattern of fixed length; empty if they do not fit."""
    body, at, rest, out = pattern.removeprefix("^").removesuffix("$"), 0, bare.upper(), ""
    tokens = []
    while at < len(body):
        match = _TOKEN.match(body, at)
        if match is None:
            return ""
        tokens.append(match)
        at = match.end()
    holes = [t for t in tokens if not (t[6] or t[7])]
    if rest.isdigit() and len(holes) == 1:  # a number with fewer digits gets zeros before it
        rest = rest.zfill(_size(holes[0]))
    for match in tokens:
        literal = match[6] or match[7]
        if literal:
            out += literal
            rest = rest.removeprefix(literal.upper()) if literal.isalnum() else rest
            continue
        size = _size(match)
        piece, rest = rest[:size], rest[size:]
        out += piece
    return "" if rest else out


def _size(match: re.Match[str]) -> int:
    return int(next((count for count in match.groups()[:5] if count), 1))
