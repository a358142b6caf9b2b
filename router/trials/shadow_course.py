"""Compares `auto` with what callers named, on the requests of a shadow that a draw gave to either.

It is a trial that no operator opened: the same course, the same comparison, the same bounds. Rows
that were drawn with another share than the present one do not count, since a change of the share
begins a new comparison.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from learner.assignment import Slot
from learner.comparison import Comparison
from learner.takeover import Takeover, takeover_of
from router.config.config import Config
from router.routing.shadow import AUTO_TRIAL
from router.trials.book import Trial
from router.trials.course import Course
from router.trials.logged import LoggedExposure

_SAME = 1e-9


def share_in_force(config: Config, *, switched: bool) -> float:
    """The share of requests that `auto` answers."""
    return 1 - config.trials.control if switched else config.objective.explored_in_shadow


@dataclass
class ShadowCourse:
    """The comparison of one period: the shadow, or the time after the switch."""

    config: Config
    share: float
    since: float = 0.0
    course: Course = field(init=False)

    def __post_init__(self) -> None:
        self.course = Course(
            Trial(
                AUTO_TRIAL,
                AUTO_TRIAL,
                AUTO_TRIAL,
                "named",
                Slot(AUTO_TRIAL, AUTO_TRIAL, 0.0, 1.0, self.share),
                "running",
                "objective.start",
                self.since,
                self.since,
            ),
            self.config,
        )

    def take(self, rows: Sequence[LoggedExposure]) -> None:
        self.course.take([row for row in rows if self._counts(row)])

    def judge(self, qualities: Mapping[str, float]) -> None:
        self.course.judge(qualities)

    def waiting(self) -> Mapping[str, int]:
        return self.course.waiting()

    @property
    def comparison(self) -> Comparison:
        return self.course.comparison

    @property
    def takeover(self) -> Takeover:
        return takeover_of(self.comparison, self.config.objective.shadow_margin)

    def _counts(self, row: LoggedExposure) -> bool:
        chance = self.share if row.side == "candidate" else 1 - self.share
        return row.side != "shadow" and abs(row.chance - chance) < _SAME
