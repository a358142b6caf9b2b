"""The figures of the library, read from the store's file. Each comes from a view in `views.sql`."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from router.reuse.programs import drafts
from router.reuse.programs.standards import PROPENSITY, between

Row = Mapping[str, Any]

VIEWS = (
    "programs", "program_lines", "program_adoption", "program_stars", "program_reviews",
    "program_failures", "program_weeks", "program_breakthroughs", "program_drafts",
    "program_standards",
)  # fmt: skip
_TOTALS = """
select count(*) as programs,
       coalesce(sum(state = 'proven' and reviewed not like 'failed%'), 0) as in_use,
       coalesce(sum(state = 'deprecated'), 0) as superseded,
       coalesce(sum(state = 'quarantined'), 0) as quarantined,
       coalesce(sum(state = 'proven' and reviewed like 'failed%'), 0) as rejected,
       count(distinct root) as lines, coalesce(sum(fork), 0) as forks,
       max(version) as most_versions, max(depth) as deepest, coalesce(sum(uses), 0) as uses,
       (select count(distinct key) from program_adoption) as keys,
       round(sum(uses) * 1.0 / nullif(sum(uses) + sum(failed), 0), 4) as success,
       coalesce(sum(rated), 0) as rated,
       (select round(avg(stars), 2) from program_stars) as stars,
       (select count(*) from solutions where kind <> 'program' and state = 'proven') as answers,
       (select coalesce(sum(uses), 0) from solutions where kind <> 'program') as answer_uses
from programs"""
_REVIEWERS = """
select reviewer, count(*) as reviews, sum(verdict = 'accept') as accepted,
       sum(verdict = 'revise') as revise, sum(verdict = 'reject') as rejected
from program_reviews group by reviewer order by reviewer"""
_DEEPEST = """
select root, max(version) as versions, max(depth) as depth, sum(fork) as forks, sum(uses) as uses,
       min(request) filter (where id = root) as request
from programs group by root having count(*) > 1
order by depth desc, versions desc, root limit ?"""


@dataclass(frozen=True, slots=True)
class LibraryFigures:
    """What `waggle solutions report` shows; a figure that nothing speaks for is None."""

    totals: Row
    popular: Sequence[Row]
    weeks: Sequence[Row]
    deepest: Sequence[Row]
    breakthroughs: Sequence[Row]
    reviewers: Sequence[Row]
    standards: Row


class LibraryReader:
    """Reads the library's views; it writes nothing."""

    def __init__(self, store: Path) -> None:
        self._connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(Path(__file__).with_name("views.sql").read_text("utf-8"))

    def close(self) -> None:
        self._connection.close()

    def rows(self, view: str, limit: int = -1) -> list[Row]:
        """The rows of a view of `VIEWS`; all of them if `limit` is negative."""
        if view not in VIEWS:
            raise ValueError(f"no view has the name {view!r}: {', '.join(VIEWS)} exist")
        return self._rows(f"select * from {view} limit ?", limit)

    def figures(self, shown: int) -> LibraryFigures:
        """The figures, with at most `shown` rows in each table."""
        in_use = "select * from programs where state = 'proven' and uses > 0 limit ?"
        weeks = self.rows("program_weeks")
        return LibraryFigures(
            self._rows(_TOTALS)[0],
            self._rows(in_use, shown),
            weeks[-shown:],
            self._rows(_DEEPEST, shown),
            self.rows("program_breakthroughs", shown),
            self._rows(_REVIEWERS),
            self._standards(),
        )

    def _standards(self) -> Row:
        """The standards in force, and how requests fared whose authors saw them, or did not."""
        standards = drafts.in_force(self._connection)
        shown, apart = drafts.sides(self._connection, standards.version)
        figures: dict[str, Any] = {
            "version": standards.version, "text": standards.text, "propensity": PROPENSITY,
            "shown": asdict(shown), "not_shown": asdict(apart), "gain": None, "interval": None,
        }  # fmt: skip
        if standards.version and shown.requests and apart.requests:
            effect = between(shown, apart)
            figures["gain"] = round(effect.gain, 4)
            figures["interval"] = [round(effect.low, 4), round(effect.high, 4)]
        return figures

    def _rows(self, sql: str, *parameters: int) -> list[Row]:
        return [dict(row) for row in self._connection.execute(sql, parameters)]
