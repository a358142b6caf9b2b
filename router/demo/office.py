"""The stream of `waggle demo --weeks`: an office whose requests repeat more and more.

A repeat is the very same request, the same in other words, or a known calculation with other
values. Near misses look like earlier requests and ask something else. Half way the house rules
change, and what was right about the house is wrong from then on. How each request is meant is
hidden from the service.
"""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from router.demo.office_texts import (
    ASKED,
    CHATTER,
    FAMILIES,
    HOUSE,
    ONE_OFFS,
    POLITE,
    WORDS,
    Family,
    HouseQuestion,
)

How = Literal["new", "exact", "paraphrase", "parametrised", "near"]
REPEATS: tuple[How, ...] = ("exact", "paraphrase", "parametrised")
_FIRST, _LAST = 0.12, 0.92  # share of repeats in the first and the last week
_NEAR = 0.04
_TYPED = 0.05  # share of letters that a hasty writer gets wrong
_SHARES = (0.40, 0.25, 0.35)  # of the kinds of repeats


@dataclass(frozen=True, slots=True)
class OfficeRequest:
    """A request, how it is meant, and its right answer."""

    week: int
    text: str
    how: How
    right: str
    family: str = ""  # of the calculation, if it is one

    def check(self, answer: str) -> float:
        return float(answer.strip().rstrip(".") == self.right)


@dataclass
class Office:
    """The requests of so many weeks; the same seed gives the same requests."""

    weeks: int
    per_week: int
    seed: int
    chance: random.Random = field(init=False)
    _items: dict[str, list[tuple[str, tuple[str, ...]]]] = field(default_factory=dict)
    _sent: dict[str, OfficeRequest] = field(default_factory=dict)
    _waiting: list[str] = field(init=False)
    _one_offs: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"office {self.seed}")
        self._waiting = [*ASKED, *(f"house {n}" for n in range(len(HOUSE)))]
        self.chance.shuffle(self._waiting)
        self._one_offs = list(ONE_OFFS)
        self.chance.shuffle(self._one_offs)

    @property
    def changes_in(self) -> int:
        """The week from which the house rules are others."""
        return 1 + round(0.58 * self.weeks)

    def requests(self) -> Iterator[OfficeRequest]:
        for week in range(1, self.weeks + 1):
            repeats = round(self.share_of_repeats(week) * self.per_week)
            near = round(_NEAR * self.per_week)
            kinds = ["repeat"] * repeats + ["near"] * near
            kinds += ["new"] * (self.per_week - len(kinds))
            self.chance.shuffle(kinds)
            if week == 1:
                kinds.sort(key=lambda kind: kind != "new")
            for kind in kinds:
                yield self._request(kind, week)

    def share_of_repeats(self, week: int) -> float:
        """Repeats come slowly, then fast, then hardly grow."""
        begin, end = (1 / (1 + math.exp(-x)) for x in (-2.6, 3.4))
        at = (week - 1) / max(self.weeks - 1, 1)
        here = 1 / (1 + math.exp(2.6 - 6.0 * at))
        return _FIRST + (_LAST - _FIRST) * (here - begin) / (end - begin)

    def _request(self, kind: str, week: int) -> OfficeRequest:
        makers: dict[str, Callable[[int], OfficeRequest | None]] = {
            "repeat": self._repeat,
            "near": self._near,
            "new": self._new,
        }
        for _ in range(40):
            request = makers[kind](week)
            if request is not None:
                self._sent.setdefault(request.text, request)
                return request
        return self._one_off(week)

    def _new(self, week: int) -> OfficeRequest | None:
        if self._waiting and self.chance.random() < 0.3:
            subject = self._waiting.pop()
            return self._about(subject, self._values(subject), "new", week)
        return self._one_off(week)

    def _one_off(self, week: int) -> OfficeRequest:
        text = self._one_offs.pop() if self._one_offs else f"an idea for {self.chance.random()}"
        return OfficeRequest(week, text, "new", f"A long text which only {text} could call for")

    def _repeat(self, week: int) -> OfficeRequest | None:
        if not self._items:
            return None
        how = self.chance.choices(REPEATS, _SHARES)[0]
        subject = self.chance.choice(list(self._items))
        if how == "parametrised":
            subject = self.chance.choice([s for s in self._items if s in FAMILIES] or [subject])
            if subject not in FAMILIES:
                return None
            return self._about(subject, self._values(subject), how, week)
        text, values = self.chance.choice(self._items[subject])
        if how == "exact":
            again = self._sent[text]
            return OfficeRequest(week, text, how, self._right(again, week), again.family)
        return self._about(subject, values, how, week)

    def _near(self, week: int) -> OfficeRequest | None:
        if not self._items:
            return None
        subject = self.chance.choice(list(self._items))
        if subject not in FAMILIES:
            question = _house(subject)
            return self._once(question.near, "near", question.near_answer, "", week)
        family = FAMILIES[subject]
        if not family.twin:
            return None
        _, values = self.chance.choice(self._items[subject])
        twin = FAMILIES[family.twin]
        words = self._spoken(self.chance.choice(twin.wordings).format(*values), hasty=False)
        return self._once(words, "near", _solved(twin, words), twin.name, week)

    def _about(
        self, subject: str, values: tuple[str, ...], how: How, week: int
    ) -> OfficeRequest | None:
        if subject in FAMILIES:
            family = FAMILIES[subject]
            words = self.chance.choice(family.wordings).format(*values)
            text = self._spoken(words, hasty=True)
            request = self._once(text, how, _solved(family, words), subject, week)
        else:
            question = _house(subject)
            text = self._spoken(self.chance.choice(question.wordings), hasty=False)
            right = question.later if question.later and week >= self.changes_in else ""
            request = self._once(text, how, right or question.answer, "", week)
        if request is not None:
            self._items.setdefault(subject, []).append((request.text, values))
        return request

    def _once(
        self, text: str, how: How, right: str, family: str, week: int
    ) -> OfficeRequest | None:
        if text in self._sent:
            return None
        return OfficeRequest(week, text, how, right, family)

    def _right(self, again: OfficeRequest, week: int) -> str:
        for question in HOUSE:
            if question.later and again.right == question.answer and week >= self.changes_in:
                return question.later
        return again.right

    def _values(self, subject: str) -> tuple[str, ...]:
        family = FAMILIES.get(subject)
        if family is None:
            return ()
        if family.kind == "quoted":
            return (" ".join(self.chance.sample(WORDS, self.chance.randint(2, 5))),)
        if family.kind == "date":
            year, month, day = (self.chance.randint(*ends) for ends in _DATE)
            return (f"{year}-{month:02d}-{day:02d}",)
        return tuple(f"{self.chance.choice(draw):g}" for draw in family.draws)

    def _spoken(self, words: str, *, hasty: bool) -> str:
        """The words as different people type them; values and quoted texts stay as they are."""
        chance = self.chance
        if hasty and chance.random() < 0.2:
            words = self._mistyped(words)
        if chance.random() < 0.28:
            remark = chance.choice(CHATTER)
            words = f"{words}. {remark}" if chance.random() < 0.6 else f"{remark} {words}"
        if chance.random() < 0.25:
            begin, end = chance.choice(POLITE)
            words = f"{begin}{words}{end}"
        if chance.random() < 0.15:
            words = words[:1].upper() + words[1:]
        return words if chance.random() < 0.7 else f"{words}{chance.choice('?!.')}"

    def _mistyped(self, words: str) -> str:
        pieces = words.split('"')
        for n in range(0, len(pieces), 2):
            letters = list(pieces[n])
            for at in range(len(letters) - 1):
                pair = letters[at] + letters[at + 1]
                if pair.isalpha() and pair.islower() and self.chance.random() < _TYPED:
                    letters[at], letters[at + 1] = letters[at + 1], letters[at]
            pieces[n] = "".join(letters)
        return '"'.join(pieces)


_DATE = ((2023, 2026), (1, 12), (1, 28))
_PROGRAMS: dict[str, Any] = {}


def _house(subject: str) -> HouseQuestion:
    return HOUSE[int(subject.split()[1])]


def _solved(family: Family, text: str) -> str:
    """The right answer, by the demo's own program."""
    if family.name not in _PROGRAMS:
        space: dict[str, Any] = {}
        exec(family.program(), space)  # noqa: S102 - a program of the demo itself
        _PROGRAMS[family.name] = space["solve"]
    return str(_PROGRAMS[family.name](text))
