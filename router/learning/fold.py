"""Folds telemetry into the learner's state, so that a restarted learner has the same state.

Before reading rows, the fold writes the batch that names them to a log. From any snapshot, or from
no snapshot, replaying the log reads the same rows in the same order, and so leads to the same
posterior to the last bit. A snapshot only saves the time of the replay.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from learner import snapshot
from learner.bandit_learner import Bandit
from learner.deciding import BanditPolicy
from learner.pacing import Pacer
from learner.policy import Arm
from router.config.config import Config
from router.learning.registry import Registry, Version
from router.learning.state import LearnerState, moved_forward, settings_of
from router.plans.compiled import Plans
from router.plans.traits import traits_of
from router.request.context import lens_in
from router.routing.bandit import priced_usually
from router.routing.ladder import policy_of
from router.telemetry.feed import Batch, NewRows, Watermark
from router.telemetry.live_feed import LiveFeed

_log = logging.getLogger("waggle")
Note = Callable[..., None]  # writes an event, given its kind, subject, state and details


class Fold:
    def __init__(
        self,
        config: Config,
        lens: int,
        note: Note = lambda *_, **__: None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.config, self._wall = config, wall
        self._traits = traits_of(config)
        self._caught_up = False
        self.registry = Registry(config.learner_folder)
        self.feed: NewRows = LiveFeed(config.telemetry_folder)
        self.state = LearnerState.new(config, lens)
        self.version = ""  # the name of the latest snapshot
        self._note = note
        self._stamp: object = None

    def begin(self) -> None:
        """Read the latest readable snapshot, and replay the lines of the log after it."""
        self.state = LearnerState.new(self.config, self.state.lens)
        for version in reversed(self.registry.versions()):
            try:
                self.state = self._read(version)
                self.version = version.name
                break
            except (OSError, snapshot.UnreadableSnapshot) as error:
                _log.error("the snapshot %s is put aside: %s", version.name, error)
                self._note("learner", version.name, "set aside", reason=str(error))
                self.registry.put_aside(version)
        self.add_plans()
        for line in list(self.registry.logged())[self.state.batches :]:
            self.replay(line)

    def turn(self) -> bool:
        """Learn one new thing, such as a batch of rows; False if nothing is new."""
        wanted = self.registry.wanted_back()
        if wanted:
            self._go_back(wanted)
            return True
        for name in self.registry.lessons():
            if name not in self.state.taught:
                self._take_in({"warm": name, "prices": self._prices()})
                return True
        if self.state.bandit.trees_are_due:
            self._take_in({"grow": self._prices()})
            return True
        stamp = self.feed.stamp
        if stamp == self._stamp:
            return False
        batch = self.feed.beyond(self.state.mark, since_micros=self._since_micros())
        if not batch:
            self._stamp = stamp  # rows written since the query began change the stamp
            self._caught_up = True
            return False
        self._take_in({"batch": batch.state()})
        return True

    def _since_micros(self) -> int:
        """The time from which on rows may be new. The first look takes in every row, and no later
        look relies on rows that are dated later than now: the clock may have been set back."""
        return min(self.state.latest_micros, int(self._wall() * 1e6)) if self._caught_up else 0

    def try_more(self, plans: Sequence[str]) -> None:
        """Send more requests to these plans for a while, as if they were new."""
        self._take_in({"curious": list(plans)})

    def inherit(self, parents: Mapping[str, str]) -> None:
        """Make these the plans that growth made, each with its parent; others are forgotten."""
        if parents != self.state.bandit.heirs.parents:
            self._take_in({"heirs": dict(parents)})

    def keep(self, at: float) -> Version:
        """Write a snapshot of the state, and remove the oldest snapshots."""
        version = self.registry.keep(self.state.written(at))
        self.version = version.name
        self.registry.prune(self.config.objective.learning.snapshots)
        return version

    def reconfigure(self, config: Config) -> None:
        self.config, self._traits = config, traits_of(config)
        self.state.bandit.settings = settings_of(config)
        self.add_plans()

    def add_plans(self) -> None:
        for arm in self.state.add_plans(self.config):
            self._note("learner", arm, "new", burst=self.state.bandit.settings.burst_length)

    def policy(self, now: float) -> BanditPolicy:
        """The policy for routers to follow; the pinned snapshot's, if there is one."""
        pinned = self.registry.pinned
        if pinned:
            try:
                content = self.registry.find(pinned).path.read_bytes()
                bandit = snapshot.read(content, settings_of(self.config))
                if lens_in(bandit.features) is None:
                    moved_forward(bandit, self.state.lens)
                return self._policy_of(bandit, now)
            except (LookupError, OSError, snapshot.UnreadableSnapshot) as error:
                _log.error("the pinned snapshot %s is ignored: %s", pinned, error)
        return self._policy_of(self.state.bandit, now)

    def _policy_of(self, bandit: Bandit, now: float) -> BanditPolicy:
        return bandit.policy(
            fallback=policy_of(Plans(self.config)),
            pacer=self.pacer(now),
            hears=not self.state.arrivals.silent,
            traits=self._traits,
        )

    def pacer(self, now: float) -> Pacer | None:
        return self.state.pacer_at(now, self.config.objective.budget)

    def _prices(self) -> dict[str, float]:
        """What an answer of each plan costs in utility, by the present prices and weights."""
        policy = priced_usually(self.state.bandit.policy(), self.config)
        return dict(zip(policy.arms, policy.prices.tolist(), strict=True))

    def _take_in(self, line: dict[str, Any]) -> None:
        self.registry.log(line)
        self.replay(line)

    def replay(self, line: Mapping[str, Any]) -> None:
        """Apply a line of the log to the state."""
        state = self.state
        state.batches += 1
        match line:
            case {"warm": name, **more}:
                lesson = self.registry.lesson(name)
                rows = lesson["rows"] if lesson else ()
                state.teach(name, rows, self.config, more.get("prices"))
                self._note("learner", name, "warmed", prompts=len(rows))
            case {"curious": plans}:
                state.try_more(plans)
            case {"heirs": parents}:
                state.bandit.heirs.set_arms({Arm(made): Arm(of) for made, of in parents.items()})
            case {"grow": prices}:
                state.grow(prices)
            case {"back": _, "mark": mark, "latest_micros": latest_micros}:
                state.mark, state.latest_micros = Watermark(mark), latest_micros
            case {"batch": ranges}:
                self._replay_batch(Batch.of(ranges))
            case _:
                raise ValueError(
                    f"the learner's log has a line that this Waggle does not read, with "
                    f"{', '.join(line)}: use the Waggle that wrote it, or move "
                    f"{self.config.learner_folder} away to begin anew"
                )

    def _replay_batch(self, batch: Batch) -> None:
        state = self.state
        rows = self.feed.rows(batch)
        judged = self.feed.judged(batch, state.mark)
        state.mark = state.mark.after(batch)
        state.see(rows, self.config)
        for request in judged:
            drifted = state.learn(request, self.config)
            if drifted is not None:
                self._note(
                    "drift",
                    drifted.arm,
                    "detected",
                    residual=round(drifted.residual, 4),
                    judged=round(drifted.seen, 1),
                    kept=state.bandit.settings.kept,
                )

    def _go_back(self, name: str) -> None:
        """Return to a snapshot. Rows read since the snapshot are forgotten, and not read again."""
        try:
            version = self.registry.find(name)
            state = self._read(version)
        except (LookupError, OSError, snapshot.UnreadableSnapshot) as error:
            _log.error("cannot go back to %s: %s", name, error)
            self._note("learner", name, "not gone back", reason=str(error))
            self.registry.went_back()
            return
        line = {
            "back": version.name,
            "mark": self.state.mark.read,
            "latest_micros": self.state.latest_micros,
        }
        state.batches = self.state.batches
        state.arrivals = self.state.arrivals  # what came in stays true
        self.registry.log(line)
        self.state = state
        self.replay(line)
        self.add_plans()
        self.keep(self._wall())  # the latest snapshot still holds what is dropped here
        self.registry.went_back()  # if a kill comes before this, the learner goes back again
        self._note("learner", version.name, "gone back")

    def _read(self, version: Version) -> LearnerState:
        return LearnerState.read(version.path.read_bytes(), self.config, self.state.lens)
