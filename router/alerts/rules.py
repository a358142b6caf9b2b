"""Which events are alerts, and what an alert says. Pure."""

from dataclasses import dataclass

from router.alerts.alert import Alert
from router.config.alerts import Alerts
from router.domain import Event

CALM = 0.5  # an error rate is over once it falls below this part of the threshold


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """The requests of the last minutes, and those that failed with 500 or more."""

    requests: int
    failed: int

    @property
    def share(self) -> float:
        return self.failed / self.requests if self.requests else 0.0


def alert_of(event: Event, settings: Alerts) -> Alert | None:
    """The alert that an event is, if it is one and the configuration wants it."""
    alert = _alert_of(event)
    return alert if alert is not None and alert.kind in settings.on else None


def _alert_of(event: Event) -> Alert | None:
    subject, why = event.subject, str(event.detail.get("why") or event.detail.get("reason") or "")
    match event.kind, event.state:
        case "budget", state:
            return _of_budget(event, state)
        case "breaker", "open":
            text = f"Backend {subject} rests after its errors{_because(why)}."
            return Alert("breaker", subject, "open", text, event.at)
        case "breaker", "closed":
            text = f"Backend {subject} answers again."
            return Alert("breaker", subject, "closed", text, event.at, level="good")
        case "drift", state:
            text = f"The answers of plan {subject} became worse or better than they were: {state}."
            return Alert("drift", subject, state, text, event.at, level="warn")
        case "trial", "rolled back":
            text = f"The strategy of trial {subject} was rolled back{_because(why)}."
            state = f"rolled back {event.id}"
            return Alert("rollback", subject, state, text, event.at, once=True)
    return None


def _of_budget(event: Event, state: str) -> Alert:
    """`subject` is the budget with its limit and its day or month; `state` the share."""
    detail = event.detail
    used, limit = float(detail.get("used", 0.0)), float(detail.get("limit", 0.0))
    of = f"${used:,.2f} of {detail.get('rule', 'its dollars')} = ${limit:,.2f}"
    whole = state == "100%"
    much = "used up" if whole else f"{state} used"
    text = f"The budget of {detail.get('owner', event.subject)} is {much}: {of}."
    level = "bad" if whole else "warn"
    return Alert("budget", event.subject, state, text, event.at, level, once=True)


def error_alert(count: ErrorCount, settings: Alerts, *, high: bool, now: float) -> Alert | None:
    """The alert that an error rate is, if it began or ended. `high`: whether it was high before."""
    if "error_rate" not in settings.on:
        return None
    minutes = f"{settings.error_seconds / 60:g} min"
    figures = f"{count.share:.0%} of {count.requests:,} requests in {minutes}"
    if (
        not high
        and count.requests >= settings.error_requests
        and count.share >= settings.error_rate
    ):
        text = f"{figures} failed with a status of 500 or more."
        return Alert("error_rate", "service", "high", text, now)
    if high and count.share < CALM * settings.error_rate:
        text = f"Requests are answered again: {figures} failed."
        return Alert("error_rate", "service", "over", text, now, level="good")
    return None


def _because(why: str) -> str:
    return f": {why}" if why else ""
