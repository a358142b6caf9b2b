"""Puts numbers and names in step: in all words of a program, not only in what it computes. Pure.

A program that computes the 90th percentile may call it `quantile_0.9`, `p90` or "the 90th
percentile", in keys, variables, comments and docstrings. An edit that only changed the computation
would give another figure under the old name.

Not covered: numbers in words (`ninetieth`), and what follows from a number otherwise than as its
percentage.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

_PLAIN = r"\d+(?:,\d{3})*(?:\.\d+)?"
# Not a part of another number, a date, a time or a format such as `:.2f`.
_NUMBER = rf"(?<![\d.])(?<!\d[-:,])(?P<number>{_PLAIN})(?!\d|[.,:-]\d)"
_ENDING = r"(?:(?P<ordinal>st|nd|rd|th)(?![^\W_])|(?![^\W_]))"
_UNSAFE = frozenset(
    "'\"\\\n\r{}"
)  # a name with these signs cannot stand in every text of a program


class NotInStep(Exception):
    """A number or a name stands where no rule says what it becomes."""


@dataclass(frozen=True)
class Replacements:
    """What each number and each name of the old request becomes; most of them stay as they are."""

    numbers: Mapping[float, float]
    names: Mapping[str, str]

    @cached_property
    def changed_numbers(self) -> dict[float, float]:
        return {old: new for old, new in self.numbers.items() if old != new}

    @cached_property
    def changed_names(self) -> dict[str, str]:
        return {old: new for old, new in self.names.items() if old != new}

    @cached_property
    def shares(self) -> dict[float, float]:
        """The changed shares by their percentages: the 0.9 quantile is the 90th percentile."""
        return {
            _percentage(old): old
            for old, new in self.changed_numbers.items()
            if 0 < old < 1 and 0 < new < 1
        }

    def number(self, old: float) -> float:
        """What a number becomes."""
        new = self.numbers.get(old)
        share = self.shares.get(old)
        if share is None:
            return old if new is None else new
        as_percentage = _percentage(self.numbers[share])
        if new is not None and new != as_percentage:
            raise NotInStep(f"{old:g} may be a number or a percentage")
        return as_percentage

    def text(self, words: str) -> str:
        """A comment, the inside of a string or the name of a variable, in step."""
        return self._pattern.sub(self._new, words)

    @cached_property
    def _pattern(self) -> "re.Pattern[str]":
        if any(_UNSAFE & set(new) for new in self.changed_names.values()):
            raise NotInStep("a name holds a sign that would end a text")
        names = sorted(filter(None, self.names), key=len, reverse=True)
        alternatives = "|".join(map(re.escape, names)) or r"(?!)"
        name = rf"(?<![^\W_])(?P<name>{alternatives})(?P<plural>s?)(?![^\W_])"
        letter = r"(?P<letter>(?<![^\W_])[^\W\d_]|(?<![^\W\d_]))"
        return re.compile(f"{name}|{letter}{_NUMBER}{_ENDING}", re.I)

    def _new(self, match: "re.Match[str]") -> str:
        if match["name"] is not None:
            new_name = self._new_name(match["name"])
            return _plural(new_name) if match["plural"] else new_name
        letter, digits = match["letter"], match["number"]
        old = float(digits.replace(",", ""))
        if letter and old not in self.shares:  # the number in `x1` is a part of the name
            return match[0]
        new = self.number(old)
        if new == old or re.match(r"0\d", digits):
            return match[0]
        return letter + written(new, like=digits) + (_ordinal(new) if match["ordinal"] else "")

    def _new_name(self, name: str) -> str:
        """The new name, written as the old one is: `Age` becomes `Salary`."""
        if name in self.names:
            return self.names[name]
        new = {old.lower(): new for old, new in self.names.items()}[name.lower()]
        if new.lower() == name.lower():
            return name
        return new.upper() if name.isupper() and len(name) > 1 else new.capitalize()


def _plural(name: str) -> str:
    return f"{name[:-1]}ies" if re.search(r"[^aeiou]y$", name) else f"{name}s"


def written(value: float, *, like: str = "") -> str:
    """A number as a program says it, with the commas and last zeros of `like`, another number."""
    decimals = len(like.partition(".")[2])
    if decimals and like.endswith("0") and float(f"{value:.{decimals}f}") == value:
        return f"{value:.{decimals}f}"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}" if "," in like else str(int(value))
    return repr(value)


def _percentage(share: float) -> float:
    return round(100 * share, 9)


def _ordinal(value: float) -> str:
    last_two = int(value) % 100 if value == int(value) else 0
    endings = {1: "st", 2: "nd", 3: "rd"}
    return "th" if 10 < last_two < 20 else endings.get(last_two % 10, "th")
