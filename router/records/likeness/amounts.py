"""Numbers written as text with a unit or a currency: `$19.99`, `19,99 €`, `25 min`. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from router.records.likeness.numbers import Magnitude, magnitude_of

_CURRENCIES = frozenset(
    ("$", "€", "£", "¥", "US$", "USD", "EUR", "GBP", "MXN", "CHF", "R$", "S/", "₹", "~", "±")
)
_AMOUNT = re.compile(
    r"(?P<before>[^\d\s-]{0,4}\s?)(?P<number>-?\d{1,3}(?:[.,]\d{3})*(?:[.,]\d{1,2})?|-?\d+(?:[.,]\d+)?)"
    r"(?P<after>\s?[^\d,.\s][^\d]{0,14})?"
)


@dataclass(frozen=True, slots=True)
class AmountForm:
    """A number between two texts."""

    before: str
    after: str
    comma: bool  # `19,99` rather than `19.99`
    grouped: bool  # thousands are parted
    magnitude: Magnitude

    def write(self, value: float) -> str:
        text = f"{value:,.{self.magnitude.decimals}f}"
        if not self.grouped:
            text = text.replace(",", "")
        if self.comma:
            text = text.translate(str.maketrans(",.", ".,"))
        return f"{self.before}{text}{self.after}"

    def read(self, text: str) -> float | None:
        match = _AMOUNT.fullmatch(text)
        return None if match is None else _number(match["number"], self.comma)

    def draw(self, chance: Random) -> str:
        return self.write(self.magnitude.draw(chance))


def amount_form(examples: Sequence[str], concept: str) -> AmountForm | None:
    """The form of amounts like these; None if some example is no amount with a unit."""
    matches = [_AMOUNT.fullmatch(text) for text in examples]
    amounts = [match for match in matches if match is not None]
    if len(amounts) < len(matches) or not amounts:
        return None
    sides = {((match["before"] or "").strip(), (match["after"] or "").strip()) for match in amounts}
    if len(sides) != 1 or sides == {("", "")}:
        return None
    before = sides.pop()[0]
    if before and before not in _CURRENCIES:  # `KA 482` is a code
        return None
    comma = any(re.search(r",\d{1,2}$|\.\d{3},", match["number"]) for match in amounts)
    numbers = [_number(match["number"], comma) for match in amounts]
    whole = not any(re.search(r"[.,]\d{1,2}$", match["number"]) for match in amounts)
    values = [int(number) if whole else number for number in numbers]
    magnitude = magnitude_of(values, concept if concept != "share" or whole else "")
    grouped = any(re.search(r"\d[.,]\d{3}", match["number"]) for match in amounts)
    grouped = grouped or not any(re.search(r"\d{4}", match["number"]) for match in amounts)
    first = amounts[0]
    return AmountForm(first["before"] or "", first["after"] or "", comma, grouped, magnitude)


def _number(text: str, comma: bool) -> float:
    text = text.replace(".", "").replace(",", ".") if comma else text.replace(",", "")
    return float(text)
