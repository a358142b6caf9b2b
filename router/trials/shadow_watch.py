"""Follows the shadow of `auto` beside the learner: compares, tells, and switches on if allowed.

One process does this for all routers. The switch is a line in the book of trials before anything
acts on it, so no kill loses or repeats it. A bound switches at most once, and never back.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import duckdb

from router.config.config import Config
from router.domain import Event, new_id
from router.routing.shadow import AUTO_TRIAL
from router.telemetry.feed import Feed
from router.telemetry.journal import Journal
from router.telemetry.store.catalog import CATALOG_FILE
from router.trials import changes
from router.trials.director import Director
from router.trials.shadow_course import ShadowCourse, share_in_force
from router.trials.shadow_foretelling import ForetoldShadow, ShadowCounts, foretold, shadow_counts
from router.trials.shadow_summary import MeasuredShadow, ShadowSummary

_LATE_MICROS = 900_000_000  # requests that took up to this long are counted, though later
_SOON_MICROS = 30_000_000
_LOOKS_BACK = 30  # every so many looks, late requests are read too
_TELLS_SECONDS = 60.0  # between two readings of everything, for people
_SOONER_SECONDS = 5.0  # while few requests were noted, and somebody waits for the first figures
_FEW = 200
_TELLS_DAYS = 30.0


class ShadowWatch:
    def __init__(
        self, director: Director, config: Config, journal: Journal, wall: Callable[[], float]
    ) -> None:
        self._director, self._journal, self._wall = director, journal, wall
        self.config = config
        self._feed = Feed(config.telemetry_folder)
        self._stamp: object = None
        self._course: ShadowCourse | None = None
        self._read_micros = 0
        self._looks = 0
        self._written_at: float | None = None
        self._counts, self._foretold = ShadowCounts(), ForetoldShadow()
        self._written: Mapping[str, Any] = {}

    def reconfigure(self, config: Config) -> None:
        self.config, self._course, self._stamp, self._written_at = config, None, None, None

    def turn(self) -> None:
        """Read what is new, and switch on if that is allowed and proven.

        Raises `duckdb.Error` and `OSError`.
        """
        if self.config.objective.start != "shadow":
            self._written = {}
            return
        course = self._current()
        stamp = self._feed.stamp
        if stamp != self._stamp:
            self._read(course)
            self._stamp = stamp
        if self._switches(course):
            course = self._current()
        self._tell(course)

    @property
    def report(self) -> Mapping[str, Any]:
        """What was told last, for `GET /v1/learner`; empty unless `auto` starts in the shadow."""
        return self._written

    def _current(self) -> ShadowCourse:
        """The course of the present period; a switch or another share begins a new one."""
        book = self._director.book
        since = book.switches[-1].at if book.switches else 0.0
        share = share_in_force(self.config, switched=book.switched)
        course = self._course
        if course is None or (course.share, course.since) != (share, since):
            course = self._course = ShadowCourse(self.config, share, since)
            self._read_micros, self._stamp, self._written_at = int(since * 1e6), None, None
        return course

    def _read(self, course: ShadowCourse) -> None:
        telemetry = self._director.telemetry
        self._looks += 1
        late = _LATE_MICROS if self._looks % _LOOKS_BACK == 1 else _SOON_MICROS
        rows = telemetry.exposures([AUTO_TRIAL], max(self._read_micros - late, 0))
        begun = int(course.since * 1e6)
        course.take([row for row in rows if row.ts_micros >= begun])
        self._read_micros = max([self._read_micros, *(row.ts_micros for row in rows)])
        course.judge(telemetry.judged(course.waiting()))

    def _switches(self, course: ShadowCourse) -> bool:
        book, objective = self._director.book, self.config.objective
        if not objective.switch or book.switches or not course.takeover.proven:
            return False
        summary = self._summary(course)
        why = f"{summary.sentences[0].removesuffix('.')}"
        lines = self._director.change(changes.switch, self._wall(), live=True, by="bound", why=why)
        return any(line["do"] == "switch" for line in lines)

    def _tell(self, course: ShadowCourse) -> None:
        """Write what is known to telemetry, now and then, and when the state changes."""
        now = self._wall()
        pause = _TELLS_SECONDS if self._counts.noted >= _FEW else _SOONER_SECONDS
        due = self._written_at is None or abs(now - self._written_at) >= pause
        if due:
            self._written_at = now
            self._foretell(course, now)
        report = self._summary(course).written()
        if due and report != self._written:
            event = Event(new_id(now), now, "shadow", AUTO_TRIAL, report["state"], report)
            self._journal.note(event)
        self._written = report

    def _foretell(self, course: ShadowCourse, now: float) -> None:
        until = dt.datetime.fromtimestamp(now, dt.UTC).replace(tzinfo=None)
        begun = dt.datetime.fromtimestamp(course.since, dt.UTC).replace(tzinfo=None)
        since = max(begun, until - dt.timedelta(days=_TELLS_DAYS))
        path = str(self.config.telemetry_folder / CATALOG_FILE)
        with duckdb.connect(path, read_only=True, config={"threads": 1}) as con:
            self._counts = shadow_counts(con, since, until)
            self._foretold = foretold(con, since, until)

    def _summary(self, course: ShadowCourse) -> ShadowSummary:
        book = self._director.book
        return ShadowSummary(
            book.switched,
            self.config.objective.switch,
            course.share,
            self._counts,
            MeasuredShadow.of(course),
            self._foretold,
            book.switches[-1] if book.switches else None,
        )
