"""Trials at work: reads what came of them, says what follows, and does what may be done alone.

One process does this for all routers, beside the learner. What it decides is a line in the book
before anything follows from it, so a kill between two steps repeats none and loses none.
"""

import contextlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from learner.verdict import TrialVerdict, verdict_of
from learner.watch import Turn
from router.config.config import Config
from router.domain import Event, PolicyInForce, TrialNews, new_id
from router.files import write_whole
from router.routing.steering import Steering
from router.routing.strategies import Strategy
from router.telemetry.feed import Feed
from router.telemetry.journal import Journal
from router.trials.book import STEPS, Book, Ledger, Line, Trial
from router.trials.course import Course, phase_of
from router.trials.logged import LoggedTelemetry

_log = logging.getLogger("waggle")
_LATE_MICROS = 900_000_000  # a request that took so long is still found, some time later
_SOON_MICROS = 30_000_000
_LOOKS_BACK = 30  # looks between two that go back so far
_WATCHES_BACK = 2 * 86_400.0  # seconds of an adopted strategy's past that a new start reads
_SAYS_EVERY = 60.0  # seconds between two rows on the numbers of one trial
_RARELY = 5  # times the requests of a step, where hardly any is decided apart
_TROUBLED = 0.05  # share of a function's calls that may fail in its shadow


class Director:
    def __init__(self, config: Config, journal: Journal, wall: Callable[[], float]) -> None:
        self._config, self._journal, self._wall = config, journal, wall
        self.ledger = Ledger(config.trials_folder, config)
        self.telemetry = LoggedTelemetry(config.telemetry_folder)
        self._courses: dict[str, Course] = {}
        self._told = _Told(config.trials_folder / "told")
        self._steering: Steering | None = None
        self._said: dict[str, tuple[float, int]] = {}
        self._looks = 0
        self._shown = b""
        self._feed = Feed(config.telemetry_folder)
        self._stamp: object = None
        self.wishes: list[Line] = []  # what operators asked for that takes the learner
        self._hear(self.ledger.follow())

    @property
    def book(self) -> Book:
        return self.ledger.book

    @property
    def steering(self) -> Steering | None:
        """What routers are to be told; nothing, where the configuration alone decides."""
        if not self.book.lines:
            return None
        if self._steering is None or self._steering.version != self.book.lines:
            self._steering = self.book.steering()
        return self._steering

    def reconfigure(self, config: Config) -> None:
        self._config = config
        self.ledger.reconfigure(config)
        self._steering = None
        self._courses.clear()

    def change(self, told: Callable[[Book], list[Line]]) -> list[Line]:
        """Decide and write down in one; `Rejected` where it cannot be."""
        lines = self.ledger.change(told)
        self._hear(lines)
        return lines

    def turn(self) -> bool:
        """One look at what came of the trials; whether anything is to be done otherwise now."""
        before = self.book.lines
        self._hear(self.ledger.follow())
        book, stamp = self.book, (self._feed.stamp, self.book.lines)
        if stamp == self._stamp:
            return False  # nothing was asked, said or decided since
        watched = book.watched
        wanted = {one.id: one for one in (*book.live, *((watched,) if watched else ()))}
        for gone in self._courses.keys() - wanted.keys():
            del self._courses[gone]
        if wanted:
            self._follow(wanted)
        for trial in wanted.values():
            if self.book.trials[trial.id].state == trial.state:
                self._conclude(trial, self._courses[trial.id])
        if wanted:
            self._show()
        self._stamp = stamp
        return self.book.lines != before

    def _follow(self, wanted: Mapping[str, Trial]) -> None:
        for id_, trial in wanted.items():
            course = self._courses.get(id_)
            # One that came out of the shadow, or is adopted now, begins anew.
            if course is None or course.phase != phase_of(trial):
                course = Course(trial, self._config, self._config.objective.preference)
                self._courses[id_] = course
            course.trial = trial
        self._looks += 1
        late = _LATE_MICROS if self._looks % _LOOKS_BACK == 1 else _SOON_MICROS
        recent = int((self._wall() - _WATCHES_BACK) * 1e6)
        low = min(self._courses[id_].asks_from(late, recent) for id_ in wanted)
        rows = self.telemetry.exposures(wanted, low)
        for id_ in wanted:
            course = self._courses[id_]
            # A shadow's rows are of no use once it is over, nor the trial's to its adoption.
            begun = int(course.trial.since * 1e6)
            course.take([r for r in rows if r.trial == id_ and r.ts_micros >= begun])
        waiting: dict[str, int] = {}
        for id_ in wanted:
            waiting |= self._courses[id_].waiting()
        judged = self.telemetry.judged(waiting)
        for id_ in wanted:
            self._judge(self._courses[id_], judged)

    def _judge(self, course: Course, judged: Mapping[str, float]) -> None:
        turned: list[Turn] = []
        adopted = course.trial.state == "adopted"
        course.judge(judged, turned.append if adopted else None)
        for one in turned:
            trial = self.book.trials[course.trial.id]
            if trial.state != "adopted":
                break
            if one == "alert":
                why = "its answers are worth less than they were: half go to the control for now"
                self._share(trial, course.watch.alert_share, why)
            elif one == "recovered":
                why = "the control would do no better"
                self._share(trial, course.watch.calm_share, why)
            elif one == "roll back":
                found = course.watch.lift.times(max(course.comparison.apart_share, 1e-9))
                self._roll_back(f"it turned bad: utility {found} a request beside the control")

    # -- what follows ---------------------------------------------------------------------------

    def _conclude(self, trial: Trial, course: Course) -> None:
        if trial.state == "shadow":
            self._out_of_shadow(trial, course)
        elif trial.state == "running":
            self._decide(trial, course)
        elif trial.state == "adopting":
            self._step(trial, course)
        self._say(trial, course)

    def _out_of_shadow(self, trial: Trial, course: Course) -> None:
        needed = self._config.trials.shadow_requests
        if course.shadowed < needed:
            return
        share = course.troubled / course.shadowed
        numbers = course.numbers()
        if share > _TROUBLED:
            why = f"in the shadow it had no answer for {share:.0%} of {course.shadowed:,} requests"
            self._state(trial, "vetoed", why, numbers)
            return
        why = (
            f"in the shadow of {course.shadowed:,} requests it answered all but "
            f"{course.troubled}, {course.disagreed} of them in another way"
        )
        self._state(trial, "running", why, numbers)

    def _decide(self, trial: Trial, course: Course) -> None:
        verdict = verdict_of(course.comparison)
        if verdict.word == "more data":
            return
        if verdict.word == "keep":
            self._state(trial, "kept", verdict.sentence, verdict.numbers)
        elif self._config.trials.adopt:
            self._adopt(trial, verdict)
        else:
            hint = f"{verdict.sentence} To do so: waggle trial adopt {trial.name}"
            self._state(trial, "decided", hint, verdict.numbers)

    def _adopt(self, trial: Trial, verdict: TrialVerdict) -> None:
        watched = self.book.watched
        if watched is not None and watched.state == "adopting":
            return  # one at a time: the other is on its way still
        keep = self._config.trials.control

        def told(book: Book) -> list[Line]:
            lines = book.adopt(trial.id, self._wall(), why=verdict.sentence, keep=keep)
            for line in lines:
                if line["do"] == "state" and line["trial"] == trial.id:
                    line["numbers"] = dict(verdict.numbers)
            return lines

        self.change(told)

    def _step(self, trial: Trial, course: Course) -> None:
        """The candidate's share grows while nothing speaks against it."""
        comparison = course.comparison
        lift, guards = comparison.lift(), comparison.guards()
        floor = 0.0 if trial.goal == "better" else -comparison.rules.margin
        breached = [str(one) for one in guards if one.state == "breached"]
        if lift.high < floor or breached:
            found = "; ".join(breached) or f"utility {lift} a request"
            self._roll_back(f"on its way to all requests it proved worse: {found}")
            return
        if comparison.compared < self._config.trials.step_requests and not (
            comparison.requests >= _RARELY * self._config.trials.step_requests
        ):
            return
        shares = [*STEPS, 1 - self._config.trials.control]
        after = [share for share in shares if share > trial.share + 1e-9]
        at = self._wall()
        if len(after) <= 1:
            why = f"adopted: all but {self._config.trials.control:.0%} of requests are its own"
            told = {"share": shares[-1], "why": why}
            self.change(lambda _: [_state_line(trial, "adopted", at) | told])
        else:
            why = f"nothing speaks against it at {trial.share:.0%}: on to {after[0]:.0%}"
            self._share(trial, after[0], why)
            course.restart()

    def _roll_back(self, why: str) -> None:
        self.change(lambda book: book.roll_back(self._wall(), why))

    def _share(self, trial: Trial, share: float, why: str) -> None:
        line = {"do": "share", "at": self._wall(), "trial": trial.id, "share": share, "why": why}
        self.change(lambda _: [line])

    def _state(self, trial: Trial, state: str, why: str, numbers: Mapping[str, Any]) -> None:
        line = _state_line(trial, state, self._wall()) | {"why": why, "numbers": dict(numbers)}
        self.change(lambda _: [line])

    # -- what is told ---------------------------------------------------------------------------

    def _hear(self, lines: list[Line]) -> None:
        """Each line once into telemetry, whoever wrote it and however often it is read."""
        for line in lines:
            if self._told.passed():
                continue
            self._tell(line)
            self._told.step()
            if line["do"] == "ask":
                self.wishes.append(line)
        if lines:
            self._told.keep()

    def _tell(self, line: Line) -> None:
        at = line["at"]
        match line["do"]:
            case "register":
                strategy = Strategy.read(line["strategy"])
                self._journal.policy(
                    PolicyInForce(strategy.key, strategy.kind, strategy.written(), at)
                )
            case "open":
                self._tell_trial(line["trial"]["id"], at, line["trial"]["state"], line)
            case "state":
                self._tell_trial(line["trial"], at, line["state"], line)
                if line["state"] in ("rolled back", "adopted", "adopting"):
                    self._event("trial", line["trial"], line["state"], at, why=line["why"])
            case "share":
                self._tell_trial(line["trial"], at, self.book.trials[line["trial"]].state, line)
                self._event("trial", line["trial"], f"share {line['share']:g}", at, why=line["why"])
            case "serve":
                self._event("strategy", line["strategy"], "serves", at, why=line["why"])
            case "note" | "prompt":
                told = ("do", "at", "subject", "what")
                detail = {name: value for name, value in line.items() if name not in told}
                self._event(
                    "proposal", str(line.get("subject", "prompt")), line["what"], at, **detail
                )

    def _tell_trial(self, id_: str, at: float, state: str, line: Line) -> None:
        trial = self.book.trials[id_]
        told = {
            "candidate": trial.candidate,
            "current": trial.current,
            "goal": trial.goal,
            "opened_by": trial.opened_by,
            "layer": trial.slot.layer,
            "split": trial.slot.share,
            "share": line.get("share", trial.share),
            "why": line.get("why") or trial.why or trial.effect,
            "numbers": line.get("numbers", {}),
        }
        self._journal.trial(TrialNews(id_, trial.name, state, told, at))

    def _event(self, kind: str, subject: str, state: str, at: float, **detail: Any) -> None:
        trial = self.book.trials.get(subject)
        named = trial.name if trial is not None else subject
        self._journal.note(Event(new_id(at), at, kind, named, state, detail))

    def _show(self) -> None:
        """How what runs stands, for `waggle trial list`: it is read from this file."""
        told = {}
        for id_, course in self._courses.items():
            trial = self.book.trials[id_]
            told[id_] = {"why": _why(trial, course), "numbers": course.numbers()}
        content = orjson.dumps(told)
        if content != self._shown:
            self._shown = content
            with contextlib.suppress(OSError):
                write_whole(self._config.trials_folder / "numbers.json", content)

    def _say(self, trial: Trial, course: Course) -> None:
        """How it stands, now and then: the curve that people watch."""
        now, compared = self._wall(), course.comparison.compared + course.shadowed
        at, known = self._said.get(trial.id, (0.0, -1))
        if compared == known or now - at < _SAYS_EVERY:
            return
        self._said[trial.id] = (now, compared)
        here = self.book.trials[trial.id]
        if here.state == trial.state:
            told = {"numbers": course.numbers(), "why": _why(here, course)}
            self._tell_trial(trial.id, now, here.state, told)

    def overview(self) -> dict[str, Any]:
        """Everything about trials, for people and programs."""
        book = self.book
        trials = []
        for trial in reversed(book.trials.values()):
            course = self._courses.get(trial.id)
            course = None if trial.ended else course
            numbers = course.numbers() if course is not None else dict(trial.numbers)
            trials.append(told_of(trial) | {"why": _why(trial, course), "numbers": numbers})
        return {
            "object": "trials",
            "serving": book.serving.key,
            "control": book.control.key if book.control is not None and book.watched else None,
            "trials": trials,
            "strategies": [one.written() | {"key": one.key} for one in book.strategies.values()],
            "history": [
                {"strategy": one.key, "at": one.at, "why": one.why} for one in book.history
            ],
        }


def _why(trial: Trial, course: Course | None) -> str:
    """What is to be said of it at this moment."""
    if course is not None and trial.state == "running":
        return verdict_of(course.comparison).sentence
    return trial.why or trial.effect


def told_of(trial: Trial) -> dict[str, Any]:
    return {
        "id": trial.id,
        "name": trial.name,
        "state": trial.state,
        "candidate": trial.candidate,
        "current": trial.current,
        "layer": trial.slot.layer,
        "traffic": round(trial.slot.high - trial.slot.low, 6),
        "split": trial.slot.share,
        "share": trial.share,
        "goal": trial.goal,
        "opened_by": trial.opened_by,
        "effect": trial.effect,
        "began": trial.began,
        "since": trial.since,
        "replay": dict(trial.replay),
    }


def _state_line(trial: Trial, state: str, at: float) -> Line:
    return {"do": "state", "at": at, "trial": trial.id, "state": state}


class _Told:
    """How many lines of the book are in telemetry already."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._count = int(path.read_text())
        except (OSError, ValueError):
            self._count = 0
        self._at = 0

    def passed(self) -> bool:
        self._at += 1
        return self._at <= self._count

    def step(self) -> None:
        self._count = self._at

    def keep(self) -> None:
        with contextlib.suppress(OSError):
            write_whole(self._path, orjson.dumps(self._count))
