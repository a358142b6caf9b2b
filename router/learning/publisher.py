"""Runs the learner: reads telemetry, writes snapshots, and publishes policies to routers.

One process learns for all routers. Routers ask it for news twice a second and decide by their
latest policy, so no request waits for the learner, and routing goes on when the learner dies.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import duckdb

from router.config.config import Config
from router.domain import Event, PolicyInForce, new_id
from router.growth import growth_requests
from router.growth.dividing import Divider
from router.growth.finding import Finding
from router.growth.spawner import Spawner
from router.growth.withdrawing import Withdrawal
from router.knowledge.house.keeping import Housekeeping
from router.learning.fold import Fold
from router.learning.report import noted_kinds, report_of
from router.learning.state import kind_in
from router.request.lens import ENOUGH, Lens, fitted, keep, kept
from router.routing.messages import Errand, NewsRequest, Published, SeenPrompt
from router.telemetry.journal import Journal
from router.telemetry.store.catalog import CATALOG_FILE
from router.training.lessons.teaching import Teaching
from router.trials import node_requests
from router.trials.director import Director
from router.trials.made_trials import parents_of
from router.trials.proposals import LearnerView
from router.trials.proposing import Proposer
from router.trials.shadow_watch import ShadowWatch
from router.trials.trial_requests import act

_log = logging.getLogger("waggle")
_ERRAND_SECONDS = 300.0
_MOST_BATCHES = 20  # batches to read in a turn, before publishing
_EARLY = 500  # judged answers, up to which each turn publishes what it learned
_PUBLISH_SECONDS = 4.0  # the time between two publications afterwards
_OUTLOOK_SECONDS = 600.0  # an outlook that reads the same is written anew after this long


class Publisher:
    def __init__(
        self, config: Config, journal: Journal, wall: Callable[[], float] = time.time
    ) -> None:
        self.director = Director(config, journal, wall)
        self.proposer = Proposer(self.director, config, wall)
        self.finding = Finding(config, self._note, wall)
        divider = Divider(self.finding, self.director.telemetry)
        self.spawner = Spawner(self.director, config, wall, lambda: self.finding.patterns, divider)
        self.withdrawal = Withdrawal(config, wall)
        self.teaching = Teaching(self.director, config, wall, self._note)
        self.house = Housekeeping(config, wall)
        self.shadow = ShadowWatch(self.director, config, journal, wall)
        self._journal, self._wall = journal, wall
        self._config = config
        self._lens = kept(config.learner_folder)
        self._fold = Fold(config, self._lens_number, self._note, wall)
        self._begun = False
        self._lock = threading.Lock()  # protects the fold and the publications
        self._directing = threading.Lock()
        self._prompts: list[SeenPrompt] = []
        self._prompt_keys: set[int] = set()
        self._changed = False
        self._kept_at = wall()
        self._published = Published("", None)
        self._published_at, self._behind = 0.0, False  # whether more was learned since then
        self._notable_before: object = None
        self._judged_before = 0  # judged answers in the last publication
        self._run = secrets.token_hex(2)
        self._publications = 0
        self._pinned = ""
        self._trouble = ""
        self._done: tuple[str, str] | None = None
        self._lent: tuple[str, float] = "", 0.0
        self._outlooks: tuple[float, dict[str, str]] = 0.0, {}  # when they were written

    def turn(self) -> bool:
        """Read telemetry and look at trials once; True if the learner learned something."""
        moved = self._learn()
        with self._directing:
            self._direct()
        return moved

    def news(self, request: NewsRequest) -> Published:
        """The parts of the latest publication that this router does not have yet."""
        published = self._published
        for prompt in request.prompts:
            key = hash(frozenset(prompt.terms.items()))
            if key not in self._prompt_keys and len(self._prompts) < ENOUGH:
                self._prompt_keys.add(key)
                self._prompts.append(prompt)
                self._changed = self._changed or len(self._prompts) >= ENOUGH
        lens = self._lens
        self._done = request.done or self._done
        self.finding.hear(request.words)
        patterns = self.finding.patterns
        steering = self.director.steering
        if steering is not None and steering.version == request.steering:
            steering = None
        return Published(
            published.version,
            None if request.version == published.version else published.policy,
            published.lens,
            lens.written() if lens is not None and request.lens != lens.number else b"",
            lens is None,
            steering,
            self._errand(),
            None if request.patterns == patterns.version else patterns,
        )

    def report(self) -> Mapping[str, Any]:
        """The learner's report, with the version and the trouble of the publisher."""
        if not self._begun:
            return {"object": "learner", "state": "starting"}
        with self._lock:
            report = report_of(self._fold, self._published.policy, self._config, now=self._wall())
        shadow = {"shadow": self.shadow.report} if self.shadow.report else {}
        return {
            **report,
            **shadow,
            "version": self._published.version,
            "trouble": self._trouble,
        }

    def trials(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Carry out an operator's command about trials."""
        with self._directing:
            return act(self.director, command, self._wall())

    def growth(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Carry out an operator's command about made plans."""
        with self._directing:
            return growth_requests.act(self.director, command, self._wall())

    def routes(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Carry out an operator's command about written functions and nodes."""
        with self._directing:
            return node_requests.act(self.director, command, self._wall())

    def reconfigure(self, config: Config) -> None:
        with self._lock:
            self._config = self.proposer.config = self.spawner.config = config
            self.house.config = self.withdrawal.config = config
            self.teaching.reconfigure(config)
            self.director.reconfigure(config)
            self.shadow.reconfigure(config)
            if self._begun:
                self._fold.reconfigure(config)
                self._publish()
            else:
                self._fold = Fold(config, self._lens_number, self._note, self._wall)

    def close(self) -> None:
        with self._directing:
            self.teaching.close()
        with self._lock:
            if self._begun:
                self._keep(self._wall())

    def _learn(self) -> bool:
        with self._lock:
            if not self._begun:
                self._fold.begin()
                self._begun = True
                self._publish()
            self._adopt_lens()
            self._fold.inherit(parents_of(self.director.book))
            try:
                moved = self._read()
                self._trouble = ""
            except duckdb.Error as error:  # the catalog is missing or is just being replaced
                self._trouble = str(error)
                return False
            pinned = self._fold.registry.pinned != self._pinned
            self._behind = self._behind or moved
            if not (self._behind or pinned or self._changed):
                return False
            now = self._wall()
            if not (pinned or self._changed or self._is_due(now)):
                return moved
            self._changed = False
            self._fit_lens()
            self._publish()
            if abs(now - self._kept_at) >= self._config.objective.learning.snapshot_seconds:
                self._keep(now)
        return moved

    def _is_due(self, now: float) -> bool:
        """Whether routers should have what was learned since the last publication at once.

        Once much is learned, a second's answers move little, and a policy costs every router time.
        """
        learned, judged = self._fold.state.bandit.learned, self._judged_before
        early = learned != judged and learned < _EARLY
        paced = self._config.objective.budget is not None
        notable = self._notable() != self._notable_before
        return early or paced or notable or abs(now - self._published_at) >= _PUBLISH_SECONDS

    def _notable(self) -> object:
        """What changes how requests are decided from one moment to the next."""
        state = self._fold.state
        return state.bandit.grown_at, tuple(state.bandit.bursts), state.arrivals.silent

    def _read(self) -> bool:
        moved = False
        for _ in range(_MOST_BATCHES):
            if not self._fold.turn():
                break
            moved = True
        return moved

    def _direct(self) -> None:
        """Judge trials and make proposals. An error in trials does not stop the learner."""
        try:
            self.director.turn()
            self.shadow.turn()
        except (duckdb.Error, OSError) as error:
            _log.warning("trials are looked at again later: %s", error)
            return
        done, self._done = self._done, None
        if done is not None:
            self.proposer.hear(done, self._view)
            self.spawner.hear(done)
        if not (self._config.telemetry_folder / CATALOG_FILE).exists():
            return  # the keeper has just begun: there is nothing to look at yet
        self.proposer.turn(self._view)
        self.finding.turn(self._lens_number)
        self.spawner.turn()
        self.withdrawal.turn(self.director.book)
        self.teaching.turn()
        self.house.turn()
        plans, self.proposer.curious = self.proposer.curious, ()
        if plans:
            with self._lock:
                self._fold.try_more(plans)
                self._changed = True

    def _view(self) -> LearnerView | None:
        """The learner's state for the proposer; None until a policy is published."""
        policy = self._published.policy
        if policy is None:
            return None
        judged = {plan: n for (kind, plan), n in self._fold.state.judged.items() if not kind}
        report = report_of(self._fold, policy, self._config, now=self._wall())
        rows = [{**row, "kind": kind["kind"]} for kind in report["kinds"] for row in kind["plans"]]
        counts = {key: n for key, n in self._fold.state.judged.items() if key[0]}
        return LearnerView(policy, self._lens_number, judged, rows, counts, kind_in)

    def _errand(self) -> Errand | None:
        """The errand of proposals or of growth, for one router; after a while, for another one."""
        errand, now = self.proposer.errand or self.spawner.errand, self._wall()
        if errand is None or (
            self._lent[0] == errand.id and abs(now - self._lent[1]) < _ERRAND_SECONDS
        ):
            return None
        self._lent = errand.id, now
        return errand

    def _publish(self) -> None:
        policy = self._fold.policy(self._wall())
        self._publications += 1
        pinned = self._pinned = self._fold.registry.pinned
        name = f"{policy.seen:.0f}-{self._run}{self._publications:x}"
        version = f"pinned-{pinned}" if pinned else name
        self._published = Published(version, policy, self._lens_number)
        self._published_at, self._behind = self._wall(), False
        self._notable_before = self._notable()
        self._judged_before = self._fold.state.bandit.learned

    def _keep(self, now: float) -> None:
        self._kept_at = now
        version = self._fold.keep(now)
        bandit = self._fold.state.bandit
        settings = {
            "snapshot": version.name,
            "learned": bandit.learned,
            "features": bandit.features,
            "published": self._published.version,
        }
        self._journal.policy(PolicyInForce(self._published.version, "bandit", settings, now))
        self._note_outlooks(now)

    def _note_outlooks(self, now: float) -> None:
        """Write what there is to learn on each kind. The dashboard sees telemetry only."""
        report = report_of(self._fold, self._published.policy, self._config, now=now)
        kinds, behaviours = noted_kinds(report), report["behaviours"]
        outlooks = {kind["kind"]: kind["outlook"] for kind in kinds}
        noted_at, last = self._outlooks
        if outlooks and (outlooks != last or abs(now - noted_at) >= _OUTLOOK_SECONDS):
            self._outlooks = now, outlooks
            version = self._published.version
            self._note("outlook", version, "worked out", kinds=kinds, behaviours=behaviours)

    @property
    def _lens_number(self) -> int:
        return self._lens.number if self._lens is not None else 0

    def _adopt_lens(self) -> None:
        """If `waggle warm` has fitted a lens, use that lens."""
        if self._lens is None and (lens := kept(self._config.learner_folder)) is not None:
            self._use(lens)

    def _fit_lens(self) -> None:
        """Fit a lens once there are enough prompts. Older rows are read without a lens."""
        if self._lens is None and len(self._prompts) >= ENOUGH:
            prompts = self._prompts
            lens = fitted(
                [prompt.terms for prompt in prompts],
                [prompt.vector for prompt in prompts],
                [prompt.kinds for prompt in prompts],
            )
            keep(lens, self._config.learner_folder)
            self._use(lens)
            self._note("learner", f"{lens.number:012x}", "lens fitted", prompts=len(prompts))
            self._prompts = []

    def _use(self, lens: Lens) -> None:
        self._lens = lens
        self._fold.state.use_lens(lens.number)

    def _note(self, kind: str, subject: str, state: str, **detail: Any) -> None:
        now = self._wall()
        self._journal.note(Event(new_id(now), now, kind, subject, state, detail))
