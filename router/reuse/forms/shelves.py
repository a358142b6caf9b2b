"""The shelves of all spaces that are in use. They follow the store's journal.

A shelf is loaded in a thread when its space is first asked for; until then nothing fits.
"""

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import blake2b

from router.reuse.forms.form import form_of
from router.reuse.forms.shelf import Shelf, ShelfRow
from router.reuse.solution import Solution
from router.reuse.solution_store import SolutionStore

_log = logging.getLogger("waggle")
_MOST_SHELVES = 32
_MOST_LOADED = 5_000  # solutions of a space


def form_space(space: bytes) -> bytes:
    """The space of the programs for a space's forms."""
    return blake2b(b"forms\0" + space, digest_size=16).digest()


@dataclass
class Shelves:
    store: SolutionStore
    _shelves: OrderedDict[bytes, Shelf] = field(default_factory=OrderedDict)
    _space_of: dict[bytes, bytes] = field(default_factory=dict)
    _loading: dict[bytes, threading.Thread] = field(default_factory=dict)
    _position: int = -1

    def of(self, space: bytes) -> Shelf | None:
        """The shelf of a space, with everything that is proven now; None while it is loaded."""
        if self._position < 0:
            self._position = self.store.position()
        self._follow()
        shelf = self._shelves.get(space)
        if shelf is not None:
            self._shelves.move_to_end(space)
        elif space not in self._loading:
            loader = threading.Thread(target=self._load, args=(space,), daemon=True)
            self._loading[space] = loader
            loader.start()
        return shelf

    def wait(self, space: bytes, seconds: float) -> None:
        """Wait for a shelf that is being loaded."""
        loader = self._loading.get(space)
        if loader is not None:
            loader.join(seconds)

    def _load(self, space: bytes) -> None:
        try:
            position, shelf = self.store.position(), Shelf()
            solutions = self.store.everything(
                "space in (?, ?) and state = 'proven' order by id limit ?",
                (space, form_space(space), _MOST_LOADED),
            )
            for solution in solutions:
                _put(shelf, solution)
            for change in self.store.changes(position):
                self._apply(shelf, space, change.solution, change.space, change.what)
        except Exception:
            _log.exception("the forms of a space could not be read")
            del self._loading[space]
            return
        self._shelves[space] = shelf
        self._space_of[form_space(space)] = self._space_of[space] = space
        del self._loading[space]
        if len(self._shelves) > _MOST_SHELVES:
            self._shelves.popitem(last=False)

    def _follow(self) -> None:
        while changes := self.store.changes(self._position):
            self._position = changes[-1].seq
            for change in changes:
                space = self._space_of.get(change.space)
                shelf = self._shelves.get(space) if space is not None else None
                if shelf is not None and space is not None:
                    self._apply(shelf, space, change.solution, change.space, change.what)

    def _apply(self, shelf: Shelf, space: bytes, id_: int, at: bytes, what: str) -> None:
        if at not in (space, form_space(space)):
            return
        if what == "out":
            shelf.remove(id_)
        elif (solution := self.store.get(id_)) is not None and solution.state == "proven":
            _put(shelf, solution)


def _put(shelf: Shelf, solution: Solution) -> None:
    form = form_of(solution.request)
    if form is None:
        return
    program = solution.kind == "program"
    root = (solution.parent or solution.id) if program else 0
    row = ShelfRow(solution.id, form, solution.request, solution.answer, root)
    shelf.add(row, solution.program)
