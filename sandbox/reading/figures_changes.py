"""Reads what a request changes in its data before figures are computed, as typed changes.

`without the smallest value`, `only those above 20`, `the last 3`, `each value doubled`: each becomes
a `Change`. What looks like a change and is none of these stays unread.
"""

from collections.abc import Sequence
from dataclasses import replace

from sandbox.reading.figure_words import STOPS, is_idle, is_word, may_name
from sandbox.reading.figures_columns import Mention
from sandbox.reading.figures_data import Given
from sandbox.reading.figures_methods import ASKING
from sandbox.reading.figures_titles import names_here
from sandbox.reading.lexicon import IDLE, plain
from sandbox.reading.reader import Bound, Reader
from sandbox.reading.rules import NotUnderstood
from sandbox.reading.tokens import Token
from sandbox.spec import Analysis, Change

_OF_EACH = {
    "figure_squared": ("power", 2.0),
    "figure_logs": ("log", None),
    "figure_log10": ("log10", None),
    "figure_roots": ("root", None),
    "figure_reciprocals": ("reciprocal", None),
    "figure_absolute": ("absolute", None),
    "figure_doubled": ("multiply", 2.0),
    "figure_tripled": ("multiply", 3.0),
    "figure_halved": ("multiply", 0.5),
}
_KINDS = {
    "figure_odd": "odd",
    "figure_even": "even",
    "figure_positive": "positive",
    "figure_negative": "negative",
}
_COMPARING = ("more_than", "less_than", "at_least", "at_most", "or_more", "or_less", "between")
_PASSIVE = frozenset("dropped removed excluded ignored omitted discarded".split()) | {
    "left out",
    "thrown out",
}
_TAKING_OUT = frozenset({"saca", "sacar", "sacando", "saco", "sacamos", "sacale"})
_EACH = frozenset("each every all everyone cada todos todas".split())


_ELEMENTWISE = frozenset(
    {"power", "log", "log10", "root", "reciprocal", "absolute", "multiply", "add", "cap"}
)


_OF_COUNTS = frozenset({"chi2_table", "chi2_independence", "chi2_fit", "fisher", "cronbach_alpha", "count_where",
    "percentage_where", "proportion_where", "frequencies"})  # fmt: skip


def fitting(
    changes: Sequence[Change], analyses: Sequence[Analysis], numeric: Sequence[str]
) -> tuple[Change, ...]:
    """The changes, each with its column. Raises `NotUnderstood` if one does not fit a figure."""
    tables = {a.method for a in analyses} & _OF_COUNTS
    if tables and any(change.kind in _ELEMENTWISE for change in changes):
        raise NotUnderstood(f"such a change of the values is not understood in {sorted(tables)[0]}")
    single = {name for a in analyses for name in a.columns if name in numeric}
    rows = any(len(a.columns) > 1 or a.by for a in analyses)
    made = []
    for change in changes:
        chosen = change.column or change.kind in _ELEMENTWISE or change.kind.endswith("values")
        if rows and not chosen:
            what = change.kind.replace("_", " the ", 1)
            raise NotUnderstood(f"to {what} values is understood for a single column only")
        one_column = len(single) == 1 and not change.column
        made.append(replace(change, column=next(iter(single))) if one_column else change)
    return tuple(made)


_FIGURES = frozenset(
    {"mean", "sd", "variance", "figure_mean", "figure_median", "figure_sd", "figure_variance"}
    | {"figure_sum", "figure_range", "figure_mode", "figure_maximum", "figure_minimum"}
)


class Changes:
    """Reads the changes of one request; each takes its tokens from the reader."""

    def __init__(self, reader: Reader, of: Given, mentions: Sequence[Mention]) -> None:
        self.reader, self.of, self.mentions = reader, of, mentions
        self.counting = reader.has("figure_share_of", "figure_how_many")
        self.made: list[tuple[int, Change]] = []
        self.used: set[Mention] = set()

    def read(self, *, testing: bool) -> tuple[Change, ...]:
        """All changes in order. A test's comparisons are no filter."""
        self._of_values()
        self._of_each()
        self._of_places()
        self._extremes()
        self._outliers()
        self._left_out_values()
        if not testing:
            self._bounds()
            self._cells()
        kinds = {change.kind for _, change in self.made}
        if len(self.made) > 1 and kinds & {"keep_largest", "keep_smallest"}:
            raise NotUnderstood(
                "it is not clear from which values the largest or smallest are taken"
            )
        return tuple(change for _, change in sorted(self.made, key=lambda pair: pair[0]))

    def _add(self, place: int, change: Change) -> None:
        self.made.append((place, change))

    def _polarity(self, place: int) -> tuple[str, list[int]]:
        """`drop` after `without`, `only` after `only`, otherwise ""; and the places to take."""
        for i in range(place - 1, max(-1, place - 6), -1):
            token = self.reader.tokens[i]
            if token.means("figure_without"):
                return "drop", [i, *self._subject(i)]
            if plain(token.text) in _TAKING_OUT and self.reader.has("word_rest"):
                return "drop", [i]
            if token.means("figure_only"):
                return "only", [i]
            if not (is_idle(token) or is_word(token, "of_data") or token.kind == "number"):
                if token.means("figure_minimum", "figure_maximum") or token.stem == ",":
                    continue
                break
        after = self.reader.tokens[place + 1 : place + 5]
        for j, token in enumerate(after, place + 1):
            if token.means("figure_only"):
                return "only", [j]
            if token.means("figure_without") and plain(token.text) in _PASSIVE:
                return "drop", [j]
            if not (is_idle(token) or is_word(token, "of_data")):
                break
        return "", []

    def _subject(self, place: int) -> list[int]:
        """Who leaves values out, as in `Gymnastics scoring drops the best mark`."""
        begin = place
        while begin and self.reader.tokens[begin - 1].stem not in STOPS:
            begin -= 1
        names = range(begin, place)
        third_person = self.reader.tokens[place].text.endswith(("s", "a", "n"))
        if not third_person or len(names) > 4 or not all(self._may_act(i) for i in names):
            return []
        return list(names)

    def _may_act(self, place: int) -> bool:
        token = self.reader.tokens[place]
        return is_idle(token) or (token.kind == "word" and may_name(token))

    def _number_beside(self, place: int) -> int | None:
        before = place - 1
        if before > 0 and is_word(self.reader.tokens[before], "of_data"):
            before -= 1  # `los tres números más grandes`
        for i in (place + 1, before):
            inside = 0 <= i < len(self.reader.tokens) and i not in self.reader.taken
            if inside and self.reader.tokens[i].kind == "number" and not self.reader.tokens[i].unit:
                return i
        return None

    def _take_data_words(self, place: int) -> None:
        i = place + 1
        while i < len(self.reader.tokens) and is_word(self.reader.tokens[i], "of_data"):
            self.reader.taken.add(i)
            i += 1

    def _of_values(self) -> None:
        """Odd, even, positive, negative or unique values."""
        for place in self.reader.places(*_KINDS, "figure_unique", "figure_duplicates"):
            token = self.reader.tokens[place]
            polarity, cues = self._polarity(place)
            if not polarity and not self._describes_values(place):
                continue
            if token.means("figure_unique", "figure_duplicates"):
                drop = token.means("figure_duplicates")
                if drop is not (polarity == "drop"):
                    continue
                self._add(place, Change("unique"))
            else:
                kind = next(kind for concept, kind in _KINDS.items() if token.means(concept))
                self._add(place, Change(("drop_" if polarity == "drop" else "keep_") + kind))
            self.reader.taken.update((place, *cues))
            self._take_data_words(place)

    def _describes_values(self, place: int) -> bool:
        """Whether `odd` or `positive` stands where it can only choose values: `of the odd ones`."""
        tokens = self.reader.tokens
        many = len(tokens[place].text.split()) > 1
        after = place + 1 < len(tokens) and is_word(tokens[place + 1], "of_data")
        before = place > 0 and plain(f"- {tokens[place - 1].text}").split()[-1] in _THE
        return many or after or before

    def _of_each(self) -> None:
        """What happens to each value: it is doubled, or its logarithm is taken."""
        for place in self.reader.places(*_OF_EACH):
            token = self.reader.tokens[place]
            kind, amount = next(made for c, made in _OF_EACH.items() if token.means(c))
            following = self.reader.tokens[place + 1 : place + 2]
            before = self.reader.tokens[place - 1 : place] if place else []
            are = any(plain(t.text) in ("are", "is", "were", "son") for t in before)
            if are or (following and following[0].kind == "list"):
                raise NotUnderstood(f"it is not clear whether the list holds the {token.text}")
            if self._of_a_figure(place):
                raise NotUnderstood(
                    f"the {token.text} of a figure is not understood, only of values"
                )
            self.reader.taken.add(place)
            self._add(place, Change(kind, amount=amount))
        for concept, sign in (("figure_adding", 1.0), ("figure_subtracting", -1.0)):
            self._by_number(concept, lambda t, s=sign: _added(t, s))
        self._by_number("figure_multiplying", lambda t: Change("multiply", amount=t.value))
        self._by_number("figure_dividing", lambda t: Change("multiply", amount=_inverse(t)))
        for place in self.reader.places("figure_capped"):
            number = self._after(place)
            if number is not None:
                joined = place and plain(self.reader.tokens[place - 1].text) in (
                    "but",
                    "pero",
                    "and",
                )
                if joined:
                    self.reader.taken.add(place - 1)
                self.reader.taken.update((place, number))
                self._add(place, Change("cap", amount=self.reader.tokens[number].value))

    def _of_a_figure(self, place: int) -> bool:
        """Whether a figure follows: the square of the mean is not the mean of the squares."""
        for token in self.reader.tokens[place + 1 :]:
            if not is_idle(token) or token.kind != "concept":
                return bool(token.concepts & _FIGURES)
        return False

    def _by_number(self, concept: str, make) -> None:  # type: ignore[no-untyped-def]
        for place in self.reader.places(concept):
            number = self._after(place)
            if number is None or not self._each(place, number):
                continue
            self.reader.taken.update((place, number))
            self._add(place, make(self.reader.tokens[number]))

    def _after(self, place: int) -> int | None:
        """The number after a word, if only idle words and its like stand between them."""
        for i in range(place + 1, min(place + 6, len(self.reader.tokens))):
            token = self.reader.tokens[i]
            if token.kind == "number" and i not in self.reader.taken:
                return i
            if not (is_idle(token) or token.means("each", "figure_adding") or _is_each(token)):
                return None
            if token.means("figure_adding"):
                self.reader.taken.add(i)
        return None

    def _each(self, place: int, number: int) -> bool:
        """Whether `each`, `every` or `all` stands near, so that each value is meant."""
        low, high = max(0, place - 4), min(len(self.reader.tokens), number + 6)
        near = [i for i in range(low, high) if _is_each(self.reader.tokens[i])]
        for i in near:
            self.reader.taken.add(i)
        for i in range(number + 1, near[0] if near else number):
            if is_word(self.reader.tokens[i], "of_data"):
                self.reader.taken.add(i)
        return bool(near)

    def _of_places(self) -> None:
        """The first or last values."""
        for place in self.reader.places("figure_first", "figure_last"):
            token = self.reader.tokens[place]
            side = "first" if token.means("figure_first") else "last"
            polarity, cues = self._polarity(place)
            number = self._number_beside(place)
            if number is None and polarity != "drop":
                continue
            count = self.reader.tokens[number].value if number is not None else 1.0
            before = any(0 < at - place < 8 for at in self.of.lists) and not self._of_figure(place)
            lengths = {len(self.of.columns[name]) for name in self.of.columns}
            if count != int(count) or count < 1 or any(count > n for n in lengths):
                raise NotUnderstood(f"there are no {token.text} {count:g} values")
            if before and polarity != "drop" and lengths != {int(count)}:
                raise NotUnderstood(f"`{token.text} {count:g}` does not fit the data")
            self.reader.taken.update((place, *cues, *([number] if number is not None else [])))
            self._take_data_words(max(place, number or 0))
            if polarity == "drop" or lengths != {int(count)} or not self._before_data(place):
                kind = f"{'drop' if polarity == 'drop' else 'keep'}_{side}"
                self._add(place, Change(kind, amount=count))

    def _before_data(self, place: int) -> bool:
        return any(place < at for at in self.of.lists)

    def _of_figure(self, place: int) -> bool:
        """Whether a figure is wanted `of the first 3 values`."""
        before = self.reader.tokens[max(0, place - 4) : place]
        return any(plain(t.text) in ("of", "de", "for") for t in before) and any(
            t.concepts & ASKING for t in before
        )

    def _extremes(self) -> None:
        """The smallest or largest values, left out or kept."""
        for place in self.reader.places("figure_minimum", "figure_maximum"):
            token = self.reader.tokens[place]
            side = "smallest" if token.means("figure_minimum") else "largest"
            if token.means("more_than", "less_than"):
                continue  # `mayores de 15` compares
            polarity, cues = self._polarity(place)
            number = self._number_beside(place)
            if polarity != "drop" and (number is None or token.means("figure_which")):
                continue
            if number is not None and self.reader.tokens[number].value > 50:
                continue
            count = self.reader.tokens[number].value if number is not None else 1.0
            self.reader.taken.update((place, *cues, *([number] if number is not None else [])))
            self._take_data_words(max(place, number or 0))
            kind = f"{'drop' if polarity == 'drop' else 'keep'}_{side}"
            self._add(place, Change(kind, amount=count))

    def _outliers(self) -> None:
        """Outliers, left out by the rule of the interquartile range."""
        for place in self.reader.places("figure_outliers"):
            polarity, cues = self._polarity(place)
            if polarity != "drop":
                continue
            self.reader.taken.update((place, *cues))
            self.reader.take_all("figure_iqr_rule")
            self._add(place, Change("drop_outliers", amount=outlier_limit(self.reader)))

    def _left_out_values(self) -> None:
        """A value that is named and left out: `without the 40`, `excluding zeros`."""
        if len(self.of.numeric) != 1 or len(self.of.columns) > 1 + bool(self.of.names):
            return
        column = self.of.numeric[0]
        for place in self.reader.places("figure_without"):
            i = place + 1
            while i < len(self.reader.tokens) and is_idle(self.reader.tokens[i]):
                i += 1
            if i == len(self.reader.tokens) or i in self.reader.taken:
                continue
            token = self.reader.tokens[i]
            zeros = plain(token.text) in _ZEROS
            alone = token.kind == "number" and not token.unit and self._ends(i + 1)
            value = 0.0 if zeros else token.value
            if (zeros or alone) and value in self.of.columns[column]:
                self.reader.taken.update((place, i))
                self._add(place, Change("drop_where", column, low=value, high=value))

    def _ends(self, place: int) -> bool:
        """Whether nothing follows that a number could count."""
        token = self.reader.tokens[place] if place < len(self.reader.tokens) else None
        return token is None or token.kind in ("mark", "list") or plain(token.text) in _AFTER

    def _bounds(self) -> None:
        """Comparisons of values with a number."""
        for place in self.reader.places(*_COMPARING):
            token = self.reader.tokens[place]
            if not self._compares_values(place):
                continue
            column = self._column_before(place)
            taken = set(self.reader.taken)
            bound = self.reader._bound_at(place, token)
            if bound is None:
                continue
            if column is None:
                self.reader.taken = taken
                raise NotUnderstood(f"it does not say what is {bound.text}")
            bound = self._in_percent(bound, place)
            polarity, cues = self._polarity(place)
            self.reader.taken.update(cues)
            self._add(place, within(bound, column, drop=polarity == "drop"))

    def _in_percent(self, bound: Bound, place: int) -> Bound:
        """The bound in the data's own unit: data in percent holds 50 for 50%."""
        near = self.reader.tokens[max(0, place - 3) : place + 4]
        if not any(token.kind == "number" and token.unit == "%" for token in near):
            return bound
        if not self.of.percent:
            raise NotUnderstood(f"what {bound.text} is a percentage of is not clear")
        low, high = (None if v is None else round(100 * v, 9) for v in (bound.low, bound.high))
        return replace(bound, low=low, high=high)

    def _compares_values(self, place: int) -> bool:
        """Whether values are compared, and not a figure as in `is it above 7?`."""
        for i in range(place - 1, max(-1, place - (9 if self.counting else 6)), -1):
            token = self.reader.tokens[i]
            if token.means("figure_only", "figure_without", "figure_how_many", "figure_share_of"):
                return True
            if token.means("figure_count"):
                return True
            if is_word(token, "of_data") or token.stem in self.reader.labels:
                return True
            if any(m.begin <= i < m.end for m in self.mentions):
                return True
            counted = self.counting and all(
                t.stem != "," for t in self.reader.tokens[i + 1 : place]
            )
            if token.kind == "list" and counted:
                return True
            if token.kind == "list" or token.stem in _STOPPING or plain(token.text) == "it":
                return False
            named = may_name(token) or names_here(self.reader.tokens, i)
            if self.counting and named and not token.concepts & ASKING:
                continue
            if not is_idle(token) and token.kind != "number":
                return False
        return False

    def _column_before(self, place: int) -> str | None:
        """The column that a comparison is about."""
        numeric = self.of.numeric
        if plain(self.reader.tokens[place].text) in ("older than", "younger than"):
            return next((name for name in numeric if plain(name) in ("age", "edad")), None)
        near = [
            m
            for m in self.mentions
            if m.of_column
            and 0 <= place - m.end <= 3
            and m.column in numeric
            and all(IDLE in t.concepts for t in self.reader.tokens[m.end : place])
        ]
        if near:
            self.used.add(near[-1])
            return near[-1].column
        return numeric[0] if len(numeric) == 1 else None

    def _refuse_span(self, first: Mention) -> None:
        """`From February to April` means March too, and `between` may."""
        tokens = self.reader.tokens
        for second in self.mentions:
            between = tokens[first.end : second.begin]
            same = second.value is not None and second.column == first.column
            if not same or not 1 <= len(between) <= 2 or self.reader.has(*_OF_CHANGES):
                continue
            spans = any(plain(t.text) in _SPANS for t in between)
            opened = first.begin and tokens[first.begin - 1].means("between")
            if spans or opened:
                raise NotUnderstood(
                    f"what lies between {first.value} and {second.value} is not clear"
                )

    def _cells(self) -> None:
        """Values of a text column, of which only the rows are kept, or none."""
        kept: dict[str, list[str]] = {}
        dropped: dict[str, list[str]] = {}
        for mention in self.mentions:
            if mention.value is None or mention in self.used:
                continue
            self._refuse_span(mention)
            polarity, cues = self._polarity(mention.begin)
            if not polarity and dropped.get(mention.column) and not kept.get(mention.column):
                polarity = "drop"
            self.reader.taken.update(cues)
            self.used.add(mention)
            listed = dropped if polarity == "drop" else kept
            listed.setdefault(mention.column, []).append(mention.value)
            place = mention.begin
        for kind, listed in (("keep_values", kept), ("drop_values", dropped)):
            for column, values in listed.items():
                self._add(place, Change(kind, column, values=tuple(dict.fromkeys(values))))


_THE = frozenset({"the", "los", "las", "of"})
_STOPPING = frozenset(".?!,")
_OF_CHANGES = ("figure_changes", "figure_by_percent", "figure_growth")
_ZEROS = frozenset({"zeros", "zeroes", "zero", "ceros", "cero"})
_AFTER = frozenset({"from", "and", "in", "de", "y", "what", "cual"})
_TIMES = frozenset({"*", "x", "×", "times", "veces"})


def outlier_limit(reader: Reader) -> float:
    """How many interquartile ranges outside the quartiles an outlier lies: 1.5, unless stated."""
    for place, token in enumerate(reader.tokens):
        if not token.means("figure_iqr_rule", "figure_iqr"):
            continue
        i = place - 1
        while i > 0 and plain(reader.tokens[i].text) in _TIMES:
            i -= 1
        if i >= 0 and reader.tokens[i].kind == "number" and i not in reader.taken:
            reader.taken.update(range(i, place))
            return reader.tokens[i].value
    return 1.5


_SPANS = frozenset({"to", "through", "thru", "until", "till", "-", "a", "al", "hasta"})


def within(bound: Bound, column: str, *, drop: bool = False) -> Change:
    return Change(
        "drop_where" if drop else "keep_where",
        column,
        low=bound.low,
        high=bound.high,
        low_open=bound.low_open,
        high_open=bound.high_open,
    )


def _is_each(token: Token) -> bool:
    return token.means("each", "figure_each_one") or plain(token.text) in _EACH


def _added(token: Token, sign: float) -> Change:
    if token.unit == "%":
        return Change("multiply", amount=1 + sign * token.value)
    return Change("add", amount=sign * token.value)


def _inverse(token: Token) -> float:
    if token.value == 0:
        raise NotUnderstood("nothing can be divided by 0")
    return 1 / token.value
