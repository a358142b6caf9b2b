"""Has a program answer other wordings of its question, as soon as well rated answers say so.

Answers that came before the program was written count too. An answer of a request that asks the
same and that the program does not give keeps it from answering that wording, and so does anything
else that explains the answers and would answer other values differently.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from router.engine.form_writing import FormWriting, GivenAnswer
from router.reuse.forms.answers import is_short, same_answer
from router.reuse.forms.form import form_of
from router.reuse.forms.joining import confirmed
from router.reuse.forms.rivals import gives, simple_answers, with_other_values
from router.reuse.forms.shelf import NearRow, Shelf, ShelfRow, is_one_wording, marks

_MOST_OLDER = 64  # answers, the latest, that a program may give too
_MOST_OTHERS = 12  # requests whose values are tried in the place of a request's own


@dataclass
class FormJoining:
    writing: FormWriting
    shelf_of: Callable[[bytes], Shelf | None]
    disproved: Callable[[bytes, int], None]  # puts a case away, in a space

    async def join(self, given: GivenAnswer, root: int, near: Sequence[NearRow]) -> None:
        """Have the program answer this wording, and any other, whose answers it gives too."""
        query = given.lookup.query
        shelf = self.shelf_of(query.space)
        if shelf is None:
            return
        await self.writing.programs.keep(query.space, dict(shelf.sources))
        own = ShelfRow(0, given.form, query.text, given.text.strip(), 0)
        older = shelf.without_program(marks(own.form))[:_MOST_OLDER]
        rows = {row.request: row for row in (own, *shelf.mates(own.form, near), *older)}
        given_too = []
        for row in rows.values():
            if self._gives(shelf, query.space, root, row):
                given_too.append(row)
            await asyncio.sleep(0)
        for row in confirmed(given_too):
            shelf = self.shelf_of(query.space)
            source = shelf.sources.get(root) if shelf is not None else None
            if shelf is None or source is None:
                return
            beside = shelf.near(row.form)
            self.refute(shelf, query.space, beside)
            if self.contradicted(shelf, query.space, root, beside):
                continue
            if shelf.answers_by(root, row.request) or not is_news(shelf, beside, root):
                continue
            same = [
                each
                for each in (*(near.row for near in beside), *given_too)
                if is_one_wording(each.form, row.form) and shelf.asks_the_same(each.form, row.form)
            ]
            others = [each for each in rows.values() if each.form.values != row.form.values]
            if await self._alone(shelf, query.space, root, [row, *same], others):
                await self.writing.keep(given, row.form, row.request, row.answer, source, root)

    def refute(self, shelf: Shelf, space: bytes, near: Sequence[NearRow]) -> None:
        """Put away the cases of programs that by now are contradicted where they answer: two areas
        may have joined the program of multiples before a third told them apart. One answer among
        many that agree may be rated wrongly, and puts nothing away."""
        for each in near:
            root = each.row.root
            if root and shelf.habits.idle(each.between):
                agree, differ = self._compared(shelf, space, root, near)
                if differ and 2 * differ >= agree:
                    self.disproved(space, each.row.id)

    def contradicted(self, shelf: Shelf, space: bytes, root: int, near: Sequence[NearRow]) -> bool:
        """Whether a request that asks the same was answered well by something else than the
        program gives: the least common multiple is the product, half of the time."""
        return self._compared(shelf, space, root, near)[1] > 0

    async def _alone(
        self,
        shelf: Shelf,
        space: bytes,
        root: int,
        same: Sequence[ShelfRow],
        others: list[ShelfRow],
    ) -> bool:
        """Whether nothing else that gives the answers to the `same` question answers it otherwise
        with other values: 63 is the product of 7 and 9 and their least common multiple, and 54 is
        only one of them for 6 and 9. The values of `others` are among those that are tried."""
        rows = list({each.request: each for each in same if is_short(each.answer)}.values())
        if not rows:  # nothing else gives long answers by chance
            return True
        programs, calculations = await self._rivals(shelf, space, root, rows)
        if not programs and not calculations:
            return True
        values = [other.form for other in others[:_MOST_OTHERS]]
        texts = [text for row in rows[:2] for text in with_other_values(row.request, values)]
        compared = 0
        for text in texts:
            await asyncio.sleep(0)
            answer = self.writing.programs.answer(space, root, text)
            form = form_of(text)
            if answer is None or form is None:
                continue
            compared += 1
            simple = simple_answers(form)
            if any(name in simple and not gives(simple[name], answer) for name in calculations):
                return False
            for rival in programs:
                another = self.writing.programs.answer(space, rival, text)
                if another is not None and not same_answer(answer, another):
                    return False
        return compared > 0

    async def _rivals(
        self, shelf: Shelf, space: bytes, root: int, rows: Sequence[ShelfRow]
    ) -> tuple[list[int], set[str]]:
        """The other stored programs, and the simple calculations, that give all these answers."""
        programs = []
        for rival in shelf.roots(marks(rows[0].form)):
            answers = (self.writing.programs.answer(space, rival, row.request) for row in rows)
            pairs = zip(rows, answers, strict=True)
            if rival != root and all(a is not None and same_answer(a, r.answer) for r, a in pairs):
                programs.append(rival)
            await asyncio.sleep(0)
        simple = [(simple_answers(row.form), row.answer) for row in rows]
        names = set.intersection(*(set(answers) for answers, _ in simple))
        explain = {n for n in names if all(gives(each[n], answer) for each, answer in simple)}
        return programs, explain

    def _compared(
        self, shelf: Shelf, space: bytes, root: int, near: Sequence[NearRow]
    ) -> tuple[int, int]:
        """How many answers to requests that ask the same the program gives, and how many not."""
        counts = [0, 0]
        for each in near:
            if each.row.root == root or not is_short(each.row.answer):
                continue
            if not shelf.habits.idle(each.between):
                continue
            answer = self.writing.programs.answer(space, root, each.row.request)
            if answer is not None:
                counts[not same_answer(answer, each.row.answer)] += 1
        return counts[0], counts[1]

    def _gives(self, shelf: Shelf, space: bytes, root: int, row: ShelfRow) -> bool:
        """Whether the program gives the row's answer, and hardly by chance."""
        answer = self.writing.programs.answer(space, root, row.request)
        same = answer is not None and same_answer(answer, row.answer)
        return same and shelf.tells(root, row.answer)


def is_news(shelf: Shelf, near: Sequence[NearRow], root: int) -> bool:
    """Whether this request adds a form to the program, or a case that it still needs."""
    if not shelf.may_serve(root):
        return True
    return not any(n.row.root == root and shelf.habits.idle(n.between) for n in near)
