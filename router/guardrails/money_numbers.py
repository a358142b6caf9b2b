"""Finds the numbers of cards and bank accounts, which carry check digits."""

import re
from collections.abc import Iterator, Sequence

_CARD = re.compile(
    r"(?<![A-Za-z0-9_])(?<![0-9][.,])(?:"
    r"[0-9]{14,19}"
    r"|[0-9]{4}(?P<by>[ .-])[0-9]{4}(?P=by)[0-9]{4}(?P=by)[0-9]{4}(?:(?P=by)[0-9]{3})?"
    r"|[0-9]{4}(?P<by2>[ .-])[0-9]{6}(?P=by2)[0-9]{4,5}"
    r"|[0-9]{6}[ -][0-9]{10,13}"
    r")(?![A-Za-z0-9_])"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?=[ -]?[A-Za-z0-9])")
_SEPARATORS = str.maketrans("", "", " .-")

# Lengths of IBANs by country. In the countries of `_ONLY_DIGITS` no letters follow the country.
_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BI": 27, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27,
    "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27,
    "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28,
    "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
    "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22,
    "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24,
    "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28,
    "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
_ONLY_DIGITS = frozenset(
    ("AT", "BA", "BE", "CZ", "DE", "DK", "EE", "ES", "FI", "FO", "GL", "HR", "HU", "IL", "IS",
     "LT", "ME", "MR", "NO", "PL", "PT", "RS", "SE", "SI", "SK", "TN", "VA", "XK")
)  # fmt: skip


def cards_in(text: str) -> Iterator[tuple[int, int]]:
    for match in _CARD.finditer(text):
        digits = match.group().translate(_SEPARATORS)
        if _is_card(digits) and luhn(digits) and not _in_a_list(text, match):
            yield match.span()


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the digits before it."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0 and len(set(digits)) > 1


def _is_card(digits: str) -> bool:
    """Whether a network issues cards with this beginning and length."""
    size, two, four = len(digits), int(digits[:2]), int(digits[:4])
    if digits[0] == "4":
        return size in (16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return size == 16
    if two in (34, 37):
        return size == 15
    if two in (36, 38, 39) or 3000 <= four <= 3059 or four == 3095:
        return size in (14, 16)
    if 3528 <= four <= 3589 or 2200 <= four <= 2204:
        return 16 <= size <= 19
    # Discover, UnionPay, Maestro, RuPay and others
    return (two in (50, 81, 82) or 56 <= two <= 69) and 16 <= size <= 19


def _in_a_list(text: str, match: re.Match[str]) -> bool:
    """Whether the four groups stand in a list of further numbers of four digits."""
    by = match["by"]
    if by is None:
        return False
    before = text[max(match.start() - 5, 0) : match.start()]
    after = text[match.end() : match.end() + 10]
    group = rf"[0-9]{{4}}{re.escape(by)}"
    return bool(re.search(rf"{group}$", before) or re.match(rf"{re.escape(by)}{group}[0-9]", after))


def ibans_in(text: str) -> Iterator[tuple[int, int]]:
    for match in _IBAN.finditer(text):
        length = _LENGTHS.get(match.group()[:2].upper())
        end = _end(text, match.start(), length) if length is not None else None
        if end is not None and _is_iban(text[match.start() : end]):
            yield match.start(), end


def _end(text: str, start: int, length: int) -> int | None:
    """Where so many letters and digits end, single blanks and dashes left out; None if they do
    not end there."""
    at, count = start, 0
    while count < length:
        if at < len(text) and text[at].isascii() and text[at].isalnum():
            count, at = count + 1, at + 1
        elif at + 1 < len(text) and text[at] in " -" and text[at + 1].isalnum() and count > 3:
            at += 1
        else:
            return None
    more = at < len(text) and text[at].isascii() and text[at].isalnum()
    return None if more else at


def _is_iban(written: str) -> bool:
    iban = written.translate(_SEPARATORS).upper()
    if iban[:2] in _ONLY_DIGITS and not iban[2:].isdigit():
        return False
    return modulo_97(iban[4:] + iban[:4]) == 1


def modulo_97(rearranged: Sequence[str] | str) -> int:
    return int("".join(str(int(char, 36)) for char in rearranged)) % 97
