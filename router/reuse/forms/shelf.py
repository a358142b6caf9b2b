"""The forms of one space: which remembered answers and programs fit a request, and what differs.

A shelf is a fold over the proven solutions of its space, so every router that reads them has the
same shelf. From pairs of solutions with one answer it learns which differences never mattered.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from router.reuse.acceptance import common_words
from router.reuse.forms.answers import is_common, is_short, same_answer
from router.reuse.forms.differences import Difference, Words, differences
from router.reuse.forms.form import Form, form_of, marks_in
from router.reuse.forms.habits import Habits
from router.reuse.forms.nomination import FormIndex
from router.value import value

_MOST_OF_FORM = 4  # cases of each program, and answers to other values, of each such form
_MOST_ROWS = 5_000
_LEAST_CASES, _LEAST_ANSWERS = 3, 2  # that a program must have reproduced before it serves
_MOST_SHARE = 0.34  # of a program's answers, from which a further one of the same tells little
_WORD_FROM = 2  # forms with a word that make it a word of its own
_ALIKE = 0.5  # share of words that two requests of one kind have in common, at least


@value
class ShelfRow:
    """A proven solution as the shelf sees it. `root`: the first solution of a program's line."""

    id: int
    form: Form
    request: str
    answer: str
    root: int  # 0: no program, the answer itself is given again

    @property
    def marks(self) -> Words:
        return marks(self.form)


@value
class NearRow:
    row: ShelfRow
    between: tuple[Difference, ...]

    @property
    def distance(self) -> int:
        return sum(len(d.stored) + len(d.request) for d in self.between)


def marks(form: Form) -> Words:
    return marks_in(form.words)


@dataclass
class Shelf:
    rows: dict[int, ShelfRow] = field(default_factory=dict)
    sources: dict[int, str] = field(default_factory=dict)  # the program of each line, by its root
    habits: Habits = field(init=False)
    _lines: dict[int, dict[int, ShelfRow]] = field(default_factory=dict)  # rows by their root
    _of_request: dict[str, int] = field(default_factory=dict)
    _bare: defaultdict[Words, dict[int, ShelfRow]] = field(  # without a program, by their marks
        default_factory=lambda: defaultdict(dict)
    )
    _with_word: Counter[str] = field(default_factory=Counter)  # how many rows hold a word
    _forms: dict[Words, dict[int, ShelfRow]] = field(default_factory=dict)  # rows by their words
    _index: FormIndex = field(default_factory=FormIndex)

    def __post_init__(self) -> None:
        self.habits = Habits(self.is_word)

    def is_word(self, word: str) -> bool:
        """Whether this is a word of its own, and no slip of another one."""
        return word in common_words() or self._with_word[word] >= _WORD_FROM

    def add(self, row: ShelfRow, source: str = "") -> None:
        same = self._of_request.get(row.request)
        if row.id in self.rows or len(self.rows) >= _MOST_ROWS or (same and not row.root):
            return
        if same and not self.rows[same].root:  # the program stands for its answer
            self.remove(same)
        self._learn(row)
        self._of_request[row.request] = row.id
        self.rows[row.id] = row
        if row.root:
            self.sources.setdefault(row.root, source)
            self._lines.setdefault(row.root, {})[row.id] = row
        else:
            self._bare[row.marks][row.id] = row
        self._forms.setdefault(row.form.words, {})[row.id] = row
        self._index.add(row.form.words)
        for word in set(row.form.words):
            self._with_word[word] += 1
            if self._with_word[word] == _WORD_FROM:
                self.habits.words_changed()

    def remove(self, id_: int) -> None:
        row = self.rows.pop(id_, None)
        if row is None:
            return
        if self._of_request.get(row.request) == id_:
            del self._of_request[row.request]
        words = row.form.words
        del self._forms[words][id_]
        if not self._forms[words]:
            del self._forms[words]
            self._index.remove(words)
        for word in set(words):
            if self._with_word[word] == _WORD_FROM:
                self.habits.words_changed()
            self._with_word[word] -= 1
        if not row.root:
            del self._bare[row.marks][id_]
        else:
            del self._lines[row.root][id_]
            if not self._lines[row.root]:
                del self._lines[row.root], self.sources[row.root]

    def near(self, form: Form) -> list[NearRow]:
        """Rows of the forms with most words in common whose values are of the same kinds, nearest
        first."""
        near: list[NearRow] = []
        for other in self._index.nominated(form.words):
            rows = self._forms[other].values()
            names = frozenset(name for row in rows for name in row.form.names)
            between = self._between(other, form, names)
            if between is not None:
                near += [NearRow(row, between) for row in _some(list(rows), form.values)]
        return sorted(near, key=lambda each: each.distance)

    def _between(
        self, stored: Words, form: Form, stored_names: frozenset[str]
    ) -> tuple[Difference, ...] | None:
        names = stored_names | form.names

        def is_word(word: str) -> bool:
            return word in names or self.is_word(word)

        between = differences(stored, form.words, is_word)
        if not between or self.habits.idle(between):
            return between
        # "thanks a lot" beside "many thanks in advance": what both share hides that both are idle.
        rests = self.habits.rest(stored), self.habits.rest(form.words)
        return between if rests == (stored, form.words) else differences(*rests, is_word)

    def fitting(self, form: Form) -> Iterator[ShelfRow]:
        """The rows that ask the same as this form, the nearest first: programs that may serve, and
        answers to the same values."""
        for near in self.near(form):
            row = near.row
            if not self.habits.idle(near.between):
                continue
            if row.root:
                if self.may_serve(row.root):
                    yield row
            elif row.form.values == form.values and is_short(row.answer):
                yield row

    def _answers(self, root: int) -> list[str]:
        """The well rated answers that a program has reproduced."""
        return [row.answer for row in self._lines.get(root, {}).values()]

    def may_serve(self, root: int) -> bool:
        answers = self._answers(root)
        return len(answers) >= _LEAST_CASES and len(set(answers)) >= _LEAST_ANSWERS

    def roots(self, kinds: Words) -> list[int]:
        """The programs that read values of these kinds, the latest first."""
        return [
            root
            for root, line in sorted(self._lines.items(), reverse=True)
            if next(iter(line.values())).marks == kinds
        ]

    def without_program(self, kinds: Words) -> list[ShelfRow]:
        """Answers to requests with values of these kinds, for which no program is known, the latest
        first."""
        return list(reversed(self._bare.get(kinds, {}).values()))

    def answers_by(self, root: int, request: str) -> bool:
        """Whether this request is one of the program's cases."""
        row = self.rows.get(self._of_request.get(request, 0))
        return row is not None and row.root == root

    def asks_the_same(self, first: Form, second: Form) -> bool:
        """Whether nothing that matters sets two forms apart."""
        between = self._between(first.words, second, first.names)
        return between is not None and self.habits.idle(between)

    def cases_like(self, id_: int) -> list[int]:
        """This row, and the cases of its program that ask the same."""
        row = self.rows.get(id_)
        line = self._lines.get(row.root, {}).values() if row is not None else ()
        others = [o.id for o in line if row is not None and self.asks_the_same(o.form, row.form)]
        return list(dict.fromkeys((id_, *others)))

    def facts(self, request: str, answer: str) -> list[int]:
        """The rows that have a fact for their answer, if this request asks for it: no value stands
        in the request, and few answers are this one by chance."""
        form = form_of(request)
        if form is None or form.values or not is_short(answer) or is_common(answer):
            return []
        rows = self._bare.get((), {}).values()
        return [row.id for row in rows if same_answer(row.answer, answer)]

    def tells(self, root: int, answer: str) -> bool:
        """Whether a program that gives this answer is unlikely to give it by chance."""
        if is_common(answer):
            return False
        answers = self._answers(root)
        return answers.count(answer) <= _MOST_SHARE * len(answers)

    def mates(self, form: Form, near: Sequence[NearRow]) -> list[ShelfRow]:
        """Answers to requests like this one with other values, for which no program is known."""
        return [
            each.row
            for each in near
            if not each.row.root
            and each.row.form.values != form.values
            and is_one_wording(form, each.row.form)
        ]

    def _learn(self, new: ShelfRow) -> None:
        """Learn from the pairs of this row and the rows near it whose answers tell something."""
        for near in self.near(new.form):
            row = near.row
            if row.root and new.root:
                if row.root == new.root:
                    self.habits.same_answer(near.between, f"program {row.root}")
                else:
                    self.habits.other_answer(near.between)
            elif (
                row.form.values == new.form.values and is_short(row.answer) and is_short(new.answer)
            ):
                if not same_answer(row.answer, new.answer):
                    self.habits.other_answer(near.between)
                elif not is_common(new.answer):
                    self.habits.same_answer(near.between, f"answer {new.answer}")


def _some(rows: Sequence[ShelfRow], values: tuple[str, ...]) -> list[ShelfRow]:
    """Of the rows of one form, the latest of each program and of answers to other values, and all
    answers to these values: many answers must not hide a program."""
    counts: Counter[tuple[int, bool]] = Counter()
    some = []
    for row in reversed(rows):
        group = row.root, row.form.values == values
        counts[group] += 1
        if counts[group] <= _MOST_OF_FORM or (group[1] and not row.root):
            some.append(row)
    return some


def is_one_wording(first: Form, second: Form) -> bool:
    """Whether two forms have half of their words in common."""
    words, others = set(first.words), set(second.words)
    return len(words & others) >= _ALIKE * max(len(words | others), 1)
