"""The learner at work: reads on, keeps snapshots, fits the lens, and hands out what it made of it.

One process does this for all routers. They ask it every half second and decide from what they were
given last, so nothing of theirs waits for it, and none of it is lost when it is killed.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import duckdb

from router.config.config import Config
from router.domain import Event, PolicyInForce, new_id
from router.learning.fold import Fold
from router.learning.report import report_of
from router.request.lens import ENOUGH, Lens, Terms, fitted, keep, kept
from router.routing.messages import Errand, NewsRequest, Published
from router.telemetry.journal import Journal
from router.trials.director import Director
from router.trials.proposals import LearnerView
from router.trials.proposing import Proposer
from router.trials.trial_requests import act

_log = logging.getLogger("waggle")
_ERRAND_SECONDS = 300.0
_FULL_BATCHES = 20  # read one after the other before anyone is told


class Publisher:
    def __init__(
        self, config: Config, journal: Journal, wall: Callable[[], float] = time.time
    ) -> None:
        self._journal, self._wall = journal, wall
        self._config = config
        self._lens = kept(config.learner_folder)
        self._prompts: list[tuple[Terms, Sequence[float] | None]] = []
        self._keys: set[int] = set()
        self._lock = threading.Lock()
        self._changed = False
        self._kept_at = wall()
        self._published = Published("", None)
        self._run = secrets.token_hex(2)
        self._turns = 0
        self._pinned = ""
        self.trouble = ""
        self._fold: Fold | None = None
        self.director = Director(config, journal, wall)
        self.proposer = Proposer(self.director, config, wall)
        self._done: tuple[str, str] | None = None
        self._directing = threading.Lock()
        self._lent: tuple[str, float] = "", 0.0

    def begin(self) -> None:
        """Read where reading stood, and all that came since. May take its time."""
        fold = Fold(self._config, self._number, self._tell)
        fold.begin()
        self._fold = fold
        self._publish()

    def turn(self) -> bool:
        """One look at telemetry; whether anything was learned."""
        moved = self._learn()
        if self._fold is not None:
            self._direct()
        return moved

    def _direct(self) -> None:
        """What came of trials, and what is proposed; beside learning, and never in its way."""
        with self._directing:
            self._directed()

    def _directed(self) -> None:
        try:
            self.director.turn()
        except (duckdb.Error, OSError) as error:
            _log.warning("trials are looked at again later: %s", error)
            return
        done, self._done = self._done, None
        if done is not None:
            self.proposer.hear(done, self._known)
        self.proposer.turn(self._known)
        curious, self.proposer.curious = self.proposer.curious, ()
        if curious and self._fold is not None:
            with self._lock:
                self._fold.be_curious(curious)
                self._changed = True

    def _known(self) -> LearnerView | None:
        policy = self._published.policy
        if policy is None or self._fold is None:
            return None
        state = self._fold.state
        judged = {plan: n for (kind, plan), n in state.judged.items() if not kind}
        told = report_of(self._fold, policy, self._config)
        rows = [
            {**row, "kind": kind["kind"]} for kind in told.get("kinds", ()) for row in kind["plans"]
        ]
        return LearnerView(policy, self._number, judged, rows)

    def trials(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """What somebody wants of the trials, over the wire."""
        with self._directing:
            return act(self.director, asked, self._wall())

    def _learn(self) -> bool:
        if self._fold is None:
            self.begin()
        assert self._fold is not None
        with self._lock:
            self._find_lens()
            try:
                moved = self._read()
                self.trouble = ""
            except duckdb.Error as error:  # the catalog is not there yet, or is being replaced
                self.trouble = str(error)
                return False
            pinned = self._fold.registry.pinned != self._pinned
            if not (moved or pinned or self._changed):
                return False
            self._changed = False
            self._fit()
            self._publish()
            now = self._wall()
            if now - self._kept_at >= self._config.objective.learning.snapshot_seconds:
                self._keep(now)
        return moved

    def _read(self) -> bool:
        assert self._fold is not None
        moved = False
        for _ in range(_FULL_BATCHES):
            if not self._fold.turn():
                break
            moved = True
        return moved

    def news(self, request: NewsRequest) -> Published:
        """What a router does not have yet. Cheap where it has all."""
        told = self._published
        for counted, vector in request.prompts:
            key = hash(frozenset(counted.items()))
            if key not in self._keys and len(self._prompts) < ENOUGH:
                self._keys.add(key)
                self._prompts.append((counted, vector))
                self._changed = self._changed or len(self._prompts) >= ENOUGH
        lens = self._lens
        content = lens.written() if lens is not None and request.lens != lens.number else b""
        wants = lens is None
        self._done = request.done or self._done
        steering = self.director.steering
        if steering is not None and steering.version == request.steering:
            steering = None
        policy = None if request.version == told.version else told.policy
        return Published(told.version, policy, told.lens, content, wants, steering, self._errand())

    def _errand(self) -> Errand | None:
        """To one router at a time; to another, where that one never came back."""
        errand, now = self.proposer.errand, self._wall()
        if errand is None or (self._lent[0] == errand.id and now - self._lent[1] < _ERRAND_SECONDS):
            return None
        self._lent = errand.id, now
        return errand

    def reconfigure(self, config: Config) -> None:
        with self._lock:
            self._config = self.proposer.config = config
            self.director.reconfigure(config)
            if self._fold is not None:
                self._fold.reconfigure(config)
                self._publish()

    def report(self) -> Mapping[str, Any]:
        """What is known, for people: see `report.py`."""
        if self._fold is None:
            return {"object": "learner", "state": "starting"}
        with self._lock:
            policy = self._published.policy
            told = report_of(self._fold, policy, self._config)
        return {**told, "version": self._published.version, "trouble": self.trouble}

    def close(self) -> None:
        with self._lock:
            if self._fold is not None:
                self._keep(self._wall())

    @property
    def _number(self) -> int:
        return self._lens.number if self._lens is not None else 0

    def _publish(self) -> None:
        assert self._fold is not None
        now = self._wall()
        policy = self._fold.policy(now)
        self._turns += 1
        pinned = self._pinned = self._fold.registry.pinned
        name = f"{policy.seen:.0f}-{self._run}{self._turns:x}"
        version = f"pinned-{pinned}" if pinned else name
        self._published = Published(version, policy, self._number)

    def _keep(self, now: float) -> None:
        assert self._fold is not None
        self._kept_at = now
        version = self._fold.keep(now)
        bandit = self._fold.state.bandit
        settings = {
            "snapshot": version.name,
            "learned": bandit.learned,
            "features": bandit.features,
            "published": self._published.version,
        }
        in_force = PolicyInForce(self._published.version, "bandit", settings, now)
        self._journal.policy(in_force)

    def _fit(self) -> None:
        """Once there are prompts enough; rows from before are then known by less than later."""
        assert self._fold is not None
        if self._lens is not None or len(self._prompts) < ENOUGH:
            return
        prompts, vectors = zip(*self._prompts, strict=True)
        self.take(fitted(prompts, vectors))
        self._prompts = []

    def _find_lens(self) -> None:
        """One that `waggle warm` fitted beside us."""
        if self._lens is None and (lens := kept(self._config.learner_folder)) is not None:
            self._lens = lens
            if self._fold is not None:
                self._fold.see_through(lens.number)

    def take(self, lens: Lens) -> None:
        keep(lens, self._config.learner_folder)
        self._lens = lens
        if self._fold is not None:
            self._fold.see_through(lens.number)
        self._tell("learner", f"{lens.number:012x}", "lens fitted", prompts=len(self._prompts))

    def _tell(self, kind: str, subject: str, state: str, **detail: Any) -> None:
        now = self._wall()
        self._journal.note(Event(new_id(now), now, kind, subject, state, detail))
