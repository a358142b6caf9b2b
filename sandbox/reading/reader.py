"""Lets a rule take from a request what the rule understands, and tells what is left over.

A rule understood a request only if it took every token, except marks, idle words and labels. A label
is a word that names what is counted or measured: it follows a number, or it introduces a list, or it
repeats such a word. A word that changes what is asked is never a label.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.reading.lexicon import CHANGE, IDLE, SCENE
from sandbox.reading.tokens import Language, Token

_GLUE = frozenset({"=", ":", "~", "(", "is", "of", "a", "an", "the", "de", "es", "del", "igual"})
_STOPS = frozenset({".", "?", "!", "\n", ";"})
_LABEL_WORDS = 3


@dataclass(frozen=True, slots=True)
class Bound:
    """A comparison with one or two numbers; a bound that is missing is None."""

    low: float | None = None
    high: float | None = None
    low_open: bool = False  # above `low`, and not equal to it
    high_open: bool = False
    text: str = ""

    @property
    def exactly(self) -> bool:
        return self.low is not None and self.low == self.high


@dataclass(slots=True)
class Reader:
    """The tokens of a request, and which of them a rule has taken."""

    tokens: Sequence[Token]
    language: Language = "en"
    table: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # a table of the request
    taken: set[int] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)  # stems that count as labels wherever they stand
    text: str = ""  # the request, for a rule that cuts it into tokens in its own way

    words: frozenset[str] = frozenset()  # the concepts and stems of the tokens, once collected

    def copy(self) -> "Reader":
        taken, labels = set(self.taken), set(self.labels)
        return Reader(
            self.tokens, self.language, self.table, taken, labels, self.text, self.collected()
        )

    def collected(self) -> frozenset[str]:
        """The concepts and the stems of all tokens; a stem begins with `'`."""
        if not self.words:
            self.words = frozenset(
                word for token in self.tokens for word in (*token.concepts, f"'{token.stem}")
            )
        return self.words

    def places(self, *concepts: str) -> list[int]:
        """The places of the tokens with one of these concepts that no rule has taken."""
        if not self.has(*concepts):
            return []
        return [
            i
            for i, token in enumerate(self.tokens)
            if i not in self.taken and token.means(*concepts)
        ]

    def has(self, *concepts: str) -> bool:
        return not self.collected().isdisjoint(concepts)

    def take(self, *concepts: str) -> Token | None:
        """Take the first token with one of these concepts."""
        for i in self.places(*concepts)[:1]:
            self.taken.add(i)
            return self.tokens[i]
        return None

    def take_all(self, *concepts: str) -> list[Token]:
        """Take all tokens with one of these concepts."""
        places = self.places(*concepts)
        self.taken.update(places)
        return [self.tokens[i] for i in places]

    def free(self, kind: str) -> list[int]:
        """The places of the tokens of this kind (number, list, date, word, ...) not yet taken."""
        return [i for i, t in enumerate(self.tokens) if i not in self.taken and t.kind == kind]

    def at(self, place: int) -> Token:
        """Take the token at a place."""
        self.taken.add(place)
        return self.tokens[place]

    def number(self, *cues: str, unit: str | None = None) -> Token | None:
        """Take the number that belongs to a cue: `mean of 35`, `mean = 35`, else `35 flips`.

        The cue is taken with it. `unit` restricts the number to a unit: "%", "$", "th" or "".
        """
        return self.number_after(*cues, unit=unit) or self.number_before(*cues, unit=unit)

    def number_after(self, *cues: str, unit: str | None = None) -> Token | None:
        for place in self._cues(*cues):
            i = self._skip_glue(place + 1, 1)
            if i is not None and self.is_number(i, unit):
                self.taken.update((place, i))
                return self.tokens[i]
        return None

    def number_before(self, *cues: str, unit: str | None = None) -> Token | None:
        for place in self._cues(*cues):
            i = self._skip_glue(place - 1, -1)
            if i is not None and self.is_number(i, unit):
                self.taken.update((place, i))
                return self.tokens[i]
        return None

    def only_number(self, unit: str | None = None) -> Token | None:
        """Take the only number of this unit that is left; None if there is none, or more."""
        left = [i for i in self.free("number") if unit is None or self.tokens[i].unit == unit]
        return self.at(left[0]) if len(left) == 1 else None

    def bound(self, *cues: str) -> Bound | None:
        """Take the first comparison: `at least 3`, `3 or more`, `between 3 and 5`, `> 3`, `exactly 3`.

        With cues, the comparison must stand within three tokens after such a cue.
        """
        for i, token in enumerate(self.tokens):
            if i in self.taken or (cues and not self._near(i, cues)):
                continue
            bound = self._bound_at(i, token)
            if bound is not None:
                return bound
        return None

    def _near(self, place: int, cues: tuple[str, ...]) -> bool:
        return any(self.tokens[j].means(*cues) for j in range(max(0, place - 4), place))

    def _bound_at(self, i: int, token: Token) -> Bound | None:
        if token.means("between"):
            pair = self._pair_after(i)
            if pair:
                low, high = pair
                self.taken.add(i)
                return Bound(low, high, text=f"{token.text} {low:g} and {high:g}")
            return None
        for concept, make in _BOUNDS.items():
            if not token.means(concept):
                continue
            j = self._skip_glue(i + 1, 1)
            k = self._skip_glue(i - 1, -1)
            after = concept.startswith(("or_", "and_"))  # `3 or more`
            place = k if after else j
            if place is None or not self.is_number(place, None):
                return None
            value = self.tokens[place].value
            self.taken.update((i, place))
            return make(value, f"{token.text} {self.tokens[place].text}")
        return None

    def _pair_after(self, i: int) -> tuple[float, float] | None:
        numbers = []
        for j in range(i + 1, min(i + 6, len(self.tokens))):
            if self.is_number(j, None):
                numbers.append(j)
            if len(numbers) == 2:
                self.taken.update(numbers)
                return self.tokens[numbers[0]].value, self.tokens[numbers[1]].value
        return None

    def _cues(self, *cues: str) -> list[int]:
        """Places of cues; several rules may use a cue that is already taken."""
        if not self.has(*cues):
            return []
        return [i for i, token in enumerate(self.tokens) if token.means(*cues)]

    def _skip_glue(self, at: int, step: int) -> int | None:
        for _ in range(4):
            if not 0 <= at < len(self.tokens):
                return None
            token = self.tokens[at]
            if token.kind == "number":
                return at
            if token.stem not in _GLUE and not (token.concepts and token.concepts <= {IDLE}):
                return None
            at += step
        return None

    def is_number(self, place: int, unit: str | None) -> bool:
        token = self.tokens[place]
        fits = unit is None or token.unit == unit
        return token.kind == "number" and place not in self.taken and fits

    def label(self, place: int) -> str:
        """The words that introduce the number or list at a place, such as `wait times`; "" if none.

        The words become labels.
        """
        words: list[str] = []
        at = place - 1
        while at >= 0 and self.tokens[at].stem not in _STOPS and at not in self.taken:
            token = self.tokens[at]
            if may_be_label(token):
                words.append(token.text)
                self.labels.add(token.stem)
            elif token.kind != "mark" and not _is_idle(token):
                break
            at -= 1
        return " ".join(reversed(words))

    def left(self) -> list[Token]:
        """The tokens that nothing consumed: a request with such tokens is not understood."""
        labels = set(self.labels)
        excused: set[int] = set()
        for i in sorted(self.taken):
            if self.tokens[i].kind in ("number", "list"):
                for j in self._following_words(i):
                    excused.add(j)
                    labels.add(self.tokens[j].stem)
        kept = []
        for i, token in enumerate(self.tokens):
            if i in self.taken or i in excused or token.stem in _MARKS:
                continue
            if _is_idle(token) or (token.stem in labels and may_be_label(token)):
                continue
            kept.append(token)
        return kept

    def _following_words(self, place: int) -> list[int]:
        """The words right after a number, which say what it counts: `10 light bulbs`."""
        words: list[int] = []
        for j in range(place + 1, min(place + 1 + _LABEL_WORDS, len(self.tokens))):
            if j in self.taken or not may_be_label(self.tokens[j]):
                break
            words.append(j)
        return words


def may_be_label(token: Token) -> bool:
    """Whether a token may name what is counted or measured."""
    if token.kind in ("word", "quoted"):
        return True
    single = token.kind == "concept" and " " not in token.stem  # `each month` says how, not what
    return single and not token.concepts & NO_LABELS and not _is_idle(token)


def _is_idle(token: Token) -> bool:
    """Whether a token changes nothing: an idle word, or a word that sets a scene."""
    small = token.concepts & {IDLE, SCENE}
    return token.kind == "concept" and bool(small) and CHANGE not in token.concepts


NO_LABELS = frozenset(
    {CHANGE, "at_least", "at_most", "more_than", "less_than", "exactly", "or_more", "or_less"}
    | {"negation", "standard_error"}
    | {"between", "each", "out_of", "rounded", "decimals", "as_percent"}
)
_MARKS = frozenset(".,;:?!()[]{}\n\"'¿¡-•*#|=~")
_BOUNDS: Mapping[str, Callable[[float, str], Bound]] = {
    "at_least": lambda value, text: Bound(low=value, text=text),
    "at_most": lambda value, text: Bound(high=value, text=text),
    "more_than": lambda value, text: Bound(low=value, low_open=True, text=text),
    "less_than": lambda value, text: Bound(high=value, high_open=True, text=text),
    "exactly": lambda value, text: Bound(low=value, high=value, text=text),
    "or_more": lambda value, text: Bound(low=value, text=text),
    "or_less": lambda value, text: Bound(high=value, text=text),
}
