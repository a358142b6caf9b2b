"""The latest requests, in which patterns are looked for; each row of telemetry is read once.

The window is in memory only: a learner that starts again reads the latest rows again. Within a
journal rows are read by their numbers, so a clock that was set back hides none.
"""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from router.growth.clusters import SeenRequest
from router.request.context import NAMES
from router.request.language import LANGUAGES
from router.request.lens import MEANING
from router.telemetry.store.catalog import CATALOG_FILE
from router.value import value

MOST_REQUESTS = 2_000
_LATE_MICROS = 3_600_000_000  # a row is written at the end of its request, and dated at its start
_LENS, _VEC, _SYMBOLS = NAMES.index("lens"), NAMES.index("vec.0"), NAMES.index("symbols")
_LANGUAGE = NAMES.index("language")
_NEW = """
FROM all_requests r
LEFT JOIN (SELECT unnest(?) AS writer, unnest(?) AS low) m ON r.writer = m.writer
WHERE n > coalesce(m.low, 0) AND ts >= make_timestamp(?)
"""
# The time from which on the latest requests began. Few columns are read of the others.
_SINCE = f"""
SELECT coalesce(epoch_us(min(ts)), 0) FROM (SELECT ts {_NEW} ORDER BY ts DESC LIMIT {MOST_REQUESTS})
"""
_ROWS = f"""
SELECT r.writer, n, epoch_us(ts), terms, coalesce(pattern, ''),
       features[{_LENS + 1}], features[{_VEC + 1}:{_SYMBOLS}], features[{_LANGUAGE + 1}]
{_NEW} AND terms IS NOT NULL ORDER BY ts, r.writer, n
"""
_MARK = "SELECT writer, max(n) FROM all_requests WHERE ts >= make_timestamp(?) GROUP BY writer"
_HIGHEST = "SELECT coalesce(max(try_cast(pattern[2:] AS INTEGER)), 0) FROM all_requests"


@value
class WindowRow:
    """A request's row, as far as patterns need it."""

    micros: int
    terms: tuple[int, ...]
    pattern: str  # as the router saw it
    lens: int
    meaning: tuple[float, ...] | None
    language: str


class Window:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark: dict[str, int] = {}  # the last row that was read of each writer
        self._latest_micros = 0
        self._begun = False
        self.rows: deque[WindowRow] = deque(maxlen=MOST_REQUESTS)
        self.highest = 0  # the highest number of a pattern in telemetry at the start

    def look(self, now: float) -> int:
        """Read the rows written since the last look; the number of them. Raises `duckdb.Error`."""
        catalog = str(self._folder / CATALOG_FILE)
        with duckdb.connect(catalog, read_only=True, config={"threads": 1}) as con:
            if self._begun:
                # No row is dated later than now, unless the clock was set back since.
                since = max(min(self._latest_micros, int(now * 1e6)) - _LATE_MICROS, 0)
                return self._take(con, since)
            taken = self._take(con, 0)
            oldest = self.rows[0].micros if self.rows else 0
            mark = con.execute(_MARK, [max(oldest - _LATE_MICROS, 0)]).fetchall()
            self._mark = dict(mark) | self._mark  # older rows count as read
            (self.highest,) = con.execute(_HIGHEST).fetchone() or (0,)
            self._begun = True
            return taken

    def seen(self, lens: int) -> list[SeenRequest]:
        """The requests as they are seen through a lens, oldest first."""
        return [
            SeenRequest(
                row.terms,
                row.meaning if lens and row.lens == lens else None,
                row.pattern,
                row.language,
            )
            for row in self.rows
        ]

    def _take(self, con: duckdb.DuckDBPyConnection, since: int) -> int:
        """Read the latest rows that began since then and were not read; the number of them."""
        read = [list(self._mark), list(self._mark.values())]
        (since,) = con.execute(_SINCE, [*read, since]).fetchone() or (0,)
        rows = con.execute(_ROWS, [*read, since]).fetchall() if since else []
        self.rows.extend(_read(rows))
        for writer, n, micros, *_ in rows:
            self._mark[writer] = max(n, self._mark.get(writer, 0))
            self._latest_micros = max(micros, self._latest_micros)
        return len(rows)


def _read(rows: list[tuple[Any, ...]]) -> Iterator[WindowRow]:
    for _, _, micros, terms, pattern, lens, meaning, language in rows:
        meant = meaning and len(meaning) == MEANING and meaning[0] is not None
        yield WindowRow(
            micros,
            tuple(terms),
            pattern,
            int(lens or 0),
            tuple(meaning) if meant else None,
            LANGUAGES[int(language or 0)],
        )
