"""Finds patterns in telemetry and keeps the book of them, in the learner's process.

The book is a file that is replaced whole before routers hear of it, so a kill leaves the book of
before or after a look. If the book is lost, the patterns are found again from the rows, with the
ids that routers wrote into the rows.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import duckdb

from router.config.config import Config
from router.files import write_durably
from router.growth.naming import most_telling, name_of
from router.growth.pattern_book import PatternBook, PatternNews
from router.growth.window import MOST_REQUESTS, Window
from router.request.patterns import MOST_PATTERNS, Patterns
from router.telemetry.journal_tail import JournalFolder

_log = logging.getLogger("waggle")
_FEWEST = 100  # requests before the first look
_STEP = 50  # new requests between two looks, at least
_PART = 8  # and a part of the window
_ROW_BYTES = 600  # of a request's row, at least
_UNREAD_SECONDS = 3_600.0  # new rows are read after so long, however few they are
_SECONDS = 60.0  # between two looks at a full window
_REST = 100  # seconds of rest for each second of CPU that the last look took
Note = Callable[..., None]  # writes an event, given its kind, subject, state and details


def step_of(requests: int) -> int:
    """How many new requests there must be until a window of so many is looked at again."""
    return max(_STEP, requests // _PART)


class Finding:
    def __init__(self, config: Config, note: Note, wall: Callable[[], float]) -> None:
        self._path = config.growth_folder / "patterns.json"
        self._note, self._wall = note, wall
        self._window = Window(config.telemetry_folder)
        self._journals = JournalFolder(config.telemetry_folder / "journal" / "requests")
        self._sizes: dict[str, int] = {}
        self._bytes, self._read_at = 0, wall()  # written since rows were read, and when they were
        self._begun, self._trouble = False, ""
        self._new = 0  # rows since the patterns were last looked for
        self._looked_at, self._cost_seconds = float("-inf"), 0.0
        self._heard: deque[tuple[str, str]] = deque()  # ids of patterns, and words for names
        self.book = PatternBook()
        self.patterns = Patterns(0)

    def turn(self, lens: int) -> None:
        """Read new rows, and look for patterns if there are enough, as they are seen through this
        lens. An error never stops the learner: a later turn tries again."""
        try:
            self._turn(lens)
            self._trouble = ""
        except (duckdb.Error, OSError) as error:
            if str(error) != self._trouble:  # the same trouble is logged once
                self._trouble = str(error)
                _log.warning("patterns are looked for again later: %s", error)

    def _turn(self, lens: int) -> None:
        if not self._begun:
            self._begin()
        self._bytes += self._bytes_written()
        if not self._rested:
            self._name()
            return
        due, begun = self._due, time.thread_time()
        waited = abs(self._wall() - self._read_at) >= _UNREAD_SECONDS
        if self._bytes >= _ROW_BYTES * (due - self._new) or (self._bytes and waited):
            self._new += self._window.look(self._wall())
            self._bytes, self._read_at = 0, self._wall()
        if self._new < due:
            self._name()
            return
        self._look(lens)
        self._cost_seconds = time.thread_time() - begun

    def hear(self, words: Iterable[tuple[str, str]]) -> None:
        """Take words that a router tells, each with the id of its pattern."""
        self._heard.extend(words)

    def count_test(self) -> int:
        """The number of a test of whether a pattern divides, which a restart does not forget."""
        self._keep(replace(self.book, tests=self.book.tests + 1))
        return self.book.tests

    def split(self, id_: str, bucket: int, *, holding: bool) -> None:
        """Make two patterns of one. The next look, which is soon, matches requests to them."""
        if len(self.book.living) < MOST_PATTERNS:
            self._keep(self.book.split(id_, bucket, holding=holding))
            self._looked_at = float("-inf")

    @property
    def _due(self) -> int:
        if len(self._window.rows) - self._new < _FEWEST and not self.book.living:
            return _FEWEST - len(self._window.rows) + self._new
        return step_of(len(self._window.rows))

    @property
    def _rested(self) -> bool:
        """Whether the last look is long enough ago that looks take little of the machine."""
        seconds = _SECONDS * len(self._window.rows) / MOST_REQUESTS
        return abs(self._wall() - self._looked_at) >= max(seconds, _REST * self._cost_seconds)

    def _begin(self) -> None:
        """Read the book and the latest rows."""
        self._new = self._window.look(self._wall())
        self._bytes_written()
        try:
            self.book = PatternBook.read(self._path.read_bytes())
            self._new = 0  # the book has seen most of them
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            _log.error("the book of patterns is made again from the rows: %s", error)
            self._note("pattern", "", "book lost", reason=str(error))
        following = max(self.book.following, self._window.highest + 1)
        self.book = self.book.numbered(following)
        self.patterns = self.book.patterns
        self._begun = True

    def _bytes_written(self) -> int:
        """The bytes that routers wrote into their latest journals since the last turn."""
        sizes = dict(self._journals.sizes())
        before, self._sizes = self._sizes, sizes
        return sum(max(size - before.get(name, 0), 0) for name, size in sizes.items())

    def _look(self, lens: int) -> None:
        now = self._wall()
        book, news = self.book.after(self._window.seen(lens), lens, now)
        self._keep(book)
        self._new, self._looked_at = 0, now
        self._tell(news)

    def _name(self) -> None:
        """Give names to patterns by the words that routers told."""
        heard: dict[str, set[str]] = {}
        while self._heard:
            id_, word = self._heard.popleft()
            heard.setdefault(id_, set()).add(word)
        book = self.book
        for each in book.living if heard else ():
            words = most_telling(each, heard.get(each.pattern.id, ()))
            if words != each.words:
                book = book.renamed(each.pattern.id, name_of(each.pattern.id, words), words)
        if book is self.book:
            return
        before = {each.pattern.id: each.pattern.name for each in self.book.living}
        self._keep(book)
        for each in book.living:
            if each.pattern.name != before[each.pattern.id]:
                self._tell([PatternNews(each.pattern.id, "named")])

    def _keep(self, book: PatternBook) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(self._path, book.written())
        self.book, self.patterns = book, book.patterns

    def _tell(self, news: Iterable[PatternNews]) -> None:
        living = {each.pattern.id: each for each in self.book.living}
        for each in news:
            lineage = {"into": each.into, "out_of": each.out_of}
            detail: Mapping[str, Any] = {name: id_ for name, id_ in lineage.items() if id_}
            if each.id in living:
                pattern = living[each.id]
                detail = {
                    **detail,
                    "name": pattern.pattern.name,
                    "words": list(pattern.words),
                    "alike": pattern.alike,
                    "spread": pattern.spread,
                }
            self._note("pattern", each.id, each.state, **detail)
