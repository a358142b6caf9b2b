"""Has a program answer other wordings of its question, as soon as well rated answers say so.

Answers that came before the program was written count too. An answer of a request that asks the
same and that the program does not give keeps it from answering that wording.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from router.engine.form_writing import FormWriting, GivenAnswer
from router.reuse.forms.answers import is_short, same_answer
from router.reuse.forms.joining import confirmed
from router.reuse.forms.shelf import NearRow, Shelf, ShelfRow, marks

_MOST_OLDER = 64  # answers, the latest, that a program may give too


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
            if not shelf.answers_by(root, row.request) and is_news(shelf, beside, root):
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
