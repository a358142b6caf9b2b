"""What is to be sent, what was sent, and how far telemetry was read. Pure; the watch keeps it.

The same news is not sent again within the quiet span. News that a later state replaces within that
span (a breaker that opens, closes and opens) waits until the span ends, and is sent if it still
stands then: so the last thing that a reader was told is never wrong for longer than that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from router.alerts.alert import Alert

MOST_WAITING = 100
_MOST_SENT = 2_000
_SENT_SECONDS = 40 * 86_400.0  # longer than a month: a budget is told once in its month


@dataclass(frozen=True, slots=True)
class Outbox:
    marks: Mapping[str, int] = field(default_factory=dict)  # the last event read of each writer
    waiting: tuple[Alert, ...] = ()  # to be sent, the oldest first
    later: Mapping[str, Alert] = field(default_factory=dict)  # by topic: news of a quiet span
    sent: Mapping[str, float] = field(default_factory=dict)  # when each key was queued last
    last_states: Mapping[str, str] = field(default_factory=dict)  # by topic: the state queued last
    dropped: int = 0  # alerts that found no room
    errors_high: bool = False

    def hears(self, alert: Alert, *, now: float, quiet: float) -> "Outbox":
        """The outbox after a piece of news."""
        if alert.once:
            return self if alert.key in self.sent else self._queued(alert, now)
        if alert.level == "good" and not {alert.topic} & {*self.last_states, *self.later}:
            return self  # nobody was told that it was bad
        later = {topic: each for topic, each in self.later.items() if topic != alert.topic}
        box = replace(self, later=later)
        if not self._is_quiet(alert, now, quiet):
            return box._queued(alert, now)
        if self.last_states.get(alert.topic) == alert.state:
            return box
        return replace(box, later=later | {alert.topic: alert})

    def turns(self, *, now: float, quiet: float) -> "Outbox":
        """The outbox after time has passed: what waited for the end of its quiet span is queued."""
        box = self
        for topic, alert in self.later.items():
            if not self._is_quiet(alert, now, quiet):
                rest = {other: each for other, each in box.later.items() if other != topic}
                box = replace(box, later=rest)._queued(alert, now)
        return box

    def without_first(self) -> "Outbox":
        """The outbox after its oldest alert was sent, or given up."""
        return replace(self, waiting=self.waiting[1:])

    def _is_quiet(self, alert: Alert, now: float, quiet: float) -> bool:
        at = self.sent.get(alert.key)
        return at is not None and abs(now - at) < quiet

    def _queued(self, alert: Alert, now: float) -> "Outbox":
        if len(self.waiting) >= MOST_WAITING:
            return replace(self, dropped=self.dropped + 1)
        sent = {key: at for key, at in self.sent.items() if abs(now - at) < _SENT_SECONDS}
        sent[alert.key] = now
        while len(sent) > _MOST_SENT:
            del sent[next(iter(sent))]
        last_states = {**self.last_states, alert.topic: alert.state}
        while len(last_states) > _MOST_SENT:
            del last_states[next(iter(last_states))]
        return replace(self, waiting=(*self.waiting, alert), sent=sent, last_states=last_states)

    def written(self) -> dict[str, Any]:
        return {
            "marks": dict(self.marks),
            "waiting": [alert.written() for alert in self.waiting],
            "later": [alert.written() for alert in self.later.values()],
            "sent": dict(self.sent),
            "last_states": dict(self.last_states),
            "dropped": self.dropped,
            "errors_high": self.errors_high,
        }

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> "Outbox":
        later = [Alert.read(each) for each in fields["later"]]
        return cls(
            {str(writer): int(n) for writer, n in fields["marks"].items()},
            tuple(Alert.read(each) for each in fields["waiting"]),
            {alert.topic: alert for alert in later},
            {str(key): float(at) for key, at in fields["sent"].items()},
            {str(topic): str(state) for topic, state in fields["last_states"].items()},
            int(fields["dropped"]),
            bool(fields["errors_high"]),
        )
