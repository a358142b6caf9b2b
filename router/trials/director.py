"""Runs the trials: reads the outcomes of each trial, and acts on them.

One process does this for all routers, beside the learner. Each decision becomes a line in the book
before anything acts on it, so a kill neither repeats nor loses a decision. A trial that cannot be
judged is an event of that trial, and stops no other trial; an error of telemetry or of the disk
concerns no single trial and is raised.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Concatenate, ParamSpec
from zlib import crc32

import duckdb
import orjson

from router.config.config import Config
from router.files import write_whole
from router.plans.made import with_words
from router.routing.steering import Believed, Steering
from router.telemetry.feed import Feed
from router.telemetry.journal import Journal
from router.trials.announcing import Announcer
from router.trials.book import Book, Line, Trial
from router.trials.conclusions import conclude, follow_trouble, follow_turn
from router.trials.course import Course, phase_of
from router.trials.ledger import Ledger
from router.trials.logged import LoggedTelemetry
from router.trials.overview import overview, standing

_log = logging.getLogger("waggle")
_LATE_MICROS = 900_000_000  # requests that took up to this long are counted, though later
_SOON_MICROS = 30_000_000
_LOOKS_BACK = 30  # every so many looks, late requests are read too
_WATCHES_BACK = 2 * 86_400.0  # seconds of an adopted strategy's past that a new process reads
_NEWS_EVERY = 60.0  # seconds between two rows about the numbers of a trial
P = ParamSpec("P")


def _with_words(steering: Steering, folder: Path) -> Steering:
    """The steering with the examples of made plans, less the plans whose examples are gone."""
    if not steering.made:
        return steering
    made = {each.name: with_words(folder, each) for each in steering.made}
    gone = {name for name, each in made.items() if each is None}
    lives = tuple(live for live in steering.lives if live.name not in gone)
    whole = tuple(each for each in made.values() if each is not None)
    return replace(steering, lives=lives, made=whole)


class Director:
    def __init__(self, config: Config, journal: Journal, wall: Callable[[], float]) -> None:
        self._config, self._wall = config, wall
        self.ledger = Ledger(config.trials_folder, config)
        self.telemetry = LoggedTelemetry(config.telemetry_folder)
        self.wishes: list[str] = []  # tasks that operators asked for, such as `distill`
        self._courses: dict[str, Course] = {}
        self._troubles: dict[str, str] = {}  # of the trials that could not be judged in this look
        self._troubled_looks: dict[str, int] = {}  # so many looks in a row
        self._announcer = Announcer(self.ledger.book, journal, config.trials_folder)
        self._steering: Steering | None = None
        self.believed: Mapping[str, Believed] = {}  # what is expected of made plans
        self._latest_news: dict[str, tuple[float, int]] = {}
        self._looks = 0
        self._written_numbers = b""
        self._feed = Feed(config.telemetry_folder)
        self._stamp: object = None
        self._take_in(self.ledger.follow())

    @property
    def book(self) -> Book:
        return self.ledger.book

    @property
    def steering(self) -> Steering | None:
        """What routers follow; None while only the configuration decides."""
        if not self.book.lines:
            return None
        version = self.book.lines + (crc32(repr(self.believed).encode()) << 32)
        if self._steering is None or self._steering.version != version:
            steering = replace(self.book.steering(), believed=self.believed, version=version)
            self._steering = _with_words(steering, self._config.growth_folder)
        return self._steering

    def reconfigure(self, config: Config) -> None:
        self._config = config
        self.ledger.reconfigure(config)
        self._steering = None
        self._courses.clear()

    def change(
        self, decide: Callable[Concatenate[Book, P], list[Line]], *args: P.args, **kwargs: P.kwargs
    ) -> list[Line]:
        """Decide and write the lines to the book in one step. Raises `Rejected`."""
        lines = self.ledger.change(decide, *args, **kwargs)
        self._take_in(lines)
        return lines

    def turn(self) -> bool:
        """Read the outcomes of all trials once, and act on them; True if the book changed."""
        before = self.book.lines
        self._take_in(self.ledger.follow())
        stamp = (self._feed.stamp, self.book.lines)
        if stamp == self._stamp:
            return False  # telemetry and book are unchanged
        watched = self.book.watched
        adopted = (*((watched,) if watched else ()), *self.book.grown, *self.book.adopted_nodes)
        trials = {t.id: t for t in (*self.book.live, *adopted)}
        for ended in self._courses.keys() - trials.keys():
            del self._courses[ended]
            self._troubled_looks.pop(ended, None)
        if trials:
            self._troubles.clear()
            self._follow(trials)
            for id_ in trials.keys() & self._courses.keys() - self._troubles.keys():
                with self._alone(id_):
                    self._conclude(self._courses[id_])
            self._follow_troubles(trials)
            self._write_numbers()
        self._stamp = stamp
        return self.book.lines != before

    def overview(self) -> dict[str, Any]:
        """The state of all trials, for people and programs."""
        return overview(self.book, self._courses)

    def standings(self) -> dict[str, dict[str, Any]]:
        """The standing of each trial that is followed, by its id."""
        return {id_: self._standing(course) for id_, course in self._courses.items()}

    def _standing(self, course: Course) -> dict[str, Any]:
        trial = self.book.trials[course.trial.id]
        believed = self.believed.get(trial.name)
        more = {"believed": asdict(believed)} if believed is not None else {}
        return standing(trial, course) | more

    def _take_in(self, lines: list[Line]) -> None:
        new = self._announcer.announce(lines)
        self.wishes += [line["what"] for line in new if line["do"] == "ask"]

    def _follow(self, trials: Mapping[str, Trial]) -> None:
        """Bring the courses of these trials up to date, and act when their watches change."""
        for id_, trial in trials.items():
            course = self._courses.get(id_)
            # A new course begins when a trial leaves its shadow and when its candidate is adopted.
            if course is None or course.phase != phase_of(trial):
                self._courses.pop(id_, None)
                with self._alone(id_):
                    made = self.book.made.get(trial.name) if trial.pattern else None
                    parent = made.parent if made is not None and made.kind == "spawn" else ""
                    self._courses[id_] = Course(trial, self._config, parent)
            else:
                course.follow(trial)
        self._looks += 1
        late = _LATE_MICROS if self._looks % _LOOKS_BACK == 1 else _SOON_MICROS
        now = int(self._wall() * 1e6)
        recent = now - int(_WATCHES_BACK * 1e6)
        courses = self._courses.values()
        low = min((course.reads_from(late, recent, now) for course in courses), default=now)
        rows = self.telemetry.exposures(self._courses, low)
        waiting: dict[str, int] = {}
        for course in courses:
            # Rows from before the trial's present state, such as its shadow, do not count.
            begun, id_ = course.began_micros, course.trial.id
            with self._alone(id_):
                course.take([row for row in rows if row.trial == id_ and row.ts_micros >= begun])
            waiting |= course.waiting()
        qualities = self.telemetry.judged(waiting)
        for course in courses:
            with self._alone(course.trial.id):
                for turn in course.judge(qualities):
                    self.change(follow_turn, course, turn, self._wall())

    @contextlib.contextmanager
    def _alone(self, id_: str) -> Iterator[None]:
        """Keep an error in the numbers of one trial from all other trials."""
        try:
            yield
        except (duckdb.Error, OSError):
            raise
        except Exception as error:
            _log.exception("trial %s cannot be judged", self.book.trials[id_].name)
            self._troubles[id_] = f"{type(error).__name__}: {error}"

    def _follow_troubles(self, trials: Mapping[str, Trial]) -> None:
        """Note which of these trials could not be judged, and which can be judged again."""
        for id_ in trials:
            why = self._troubles.get(id_, "")
            looks = self._troubled_looks.get(id_, 0) + 1 if why else 0
            self._troubled_looks[id_] = looks
            if why or self.book.trials[id_].trouble:
                self.change(follow_trouble, id_, why, looks, self._wall())

    def _conclude(self, course: Course) -> None:
        trial = course.trial
        if self.book.trials[trial.id].state != trial.state:
            return
        lines = self.change(conclude, course, self._config, self._wall())
        if any(line["do"] == "share" and line["trial"] == trial.id for line in lines):
            course.restart()
        self._report(course)

    def _write_numbers(self) -> None:
        """Write the state of running trials to the file that `waggle trial list` reads."""
        numbers: dict[str, Any] = {}
        for id_, course in self._courses.items():
            with self._alone(id_):
                numbers[id_] = self._standing(course)
        content = orjson.dumps(numbers)
        if content != self._written_numbers:
            self._written_numbers = content
            with contextlib.suppress(OSError):
                write_whole(self._config.trials_folder / "numbers.json", content)

    def _report(self, course: Course) -> None:
        """Write a row about the trial from time to time, for the curve that people watch."""
        now, judged = self._wall(), course.comparison.compared + course.answered
        at, before = self._latest_news.get(course.trial.id, (0.0, -1))
        if judged == before or abs(now - at) < _NEWS_EVERY:
            return
        self._latest_news[course.trial.id] = (now, judged)
        trial = self.book.trials[course.trial.id]
        if trial.state == course.trial.state:
            self._announcer.trial(trial.id, now, trial.state, standing(trial, course))
