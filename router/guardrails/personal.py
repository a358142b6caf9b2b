"""Finds personal data in a text by rule: email addresses, phones, cards and IBANs.

Cards must pass the Luhn check, and IBANs the length of their country and the check modulo 97. A
phone number is known by its country code, by its written form, or by a word before it. The time
grows with the length of the text alone.

Not covered: names, addresses, numbers in words, digits that stand in no usual form and after no
word for a phone, and whatever an image shows.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from router.guardrails.emails import emails_in, spells_one
from router.guardrails.money_numbers import cards_in, ibans_in
from router.guardrails.phones import phones_in

PersonalKind = Literal["email", "iban", "card", "phone"]
# The order decides where two kinds overlap: a check digit says more than a form.
PERSONAL_KINDS: tuple[PersonalKind, ...] = ("email", "iban", "card", "phone")
_FINDERS: Mapping[PersonalKind, Callable[[str], Iterator[tuple[int, int]]]] = {
    "email": emails_in,
    "iban": ibans_in,
    "card": cards_in,
    "phone": phones_in,
}

# Other ways to write digits and signs, each one character for one, so that places stay the same.
_PLAIN = {
    **{0xFF01 + n: 0x21 + n for n in range(94)},  # full-width forms
    **{zero + n: 0x30 + n for zero in (0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50) for n in range(10)},
    **dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2212, 0xFE63, 0x30FC), 0x2D),
    **dict.fromkeys((0x00A0, 0x2002, 0x2003, 0x2007, 0x2009, 0x200A, 0x202F, 0x3000), 0x20),
}

_NOTHING = re.compile("[^@\uff20\\d]*+")  # neither a digit nor a sign of mail


@dataclass(frozen=True, slots=True)
class PersonalSpan:
    """A place in a text that holds personal data."""

    start: int
    end: int
    kind: PersonalKind


def personal_spans(text: str, kinds: Collection[str] = PERSONAL_KINDS) -> list[PersonalSpan]:
    """All personal data of these kinds in a text, in order, without overlaps."""
    if _NOTHING.fullmatch(text) and not spells_one(text):
        return []
    plain = text if text.isascii() else text.translate(_PLAIN)
    spans: list[PersonalSpan] = []
    taken = bytearray(len(text))
    for kind in PERSONAL_KINDS:
        if kind not in kinds:
            continue
        for start, end in _FINDERS[kind](plain):
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                spans.append(PersonalSpan(start, end, kind))
    return sorted(spans, key=lambda span: span.start)
