"""An alert: one piece of news for an operator, and the JSON in which a webhook gets it.

The JSON is what Slack's incoming webhooks take, `{"text", "blocks"}`; the field `waggle` holds the
same for programs. An alert holds names, figures and reasons from Waggle's own events: no prompt, no
answer and no secret.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from router.config.alerts import AlertKind

_MOST_TEXT = 600
_SIGNS: Mapping[str, str] = {
    "bad": ":red_circle:",
    "warn": ":warning:",
    "good": ":white_check_mark:",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """`subject` is what the news is about, and `state` the news; a later state replaces it.

    `once`: the news is told once and never again, because its subject cannot be in this state anew.
    """

    kind: AlertKind
    subject: str
    state: str
    text: str
    at: float
    level: str = "bad"  # or `warn` or `good`
    once: bool = False

    @property
    def topic(self) -> str:
        """What a later alert of the same topic replaces."""
        return f"{self.kind} {self.subject}"

    @property
    def key(self) -> str:
        """Alerts of the same key are the same news."""
        return f"{self.topic} {self.state}"

    def written(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> "Alert":
        return cls(**fields)


def payload(alert: Alert, service: str) -> bytes:
    """The body that the webhook gets; `service` says which Waggle it comes from."""
    sign = _SIGNS.get(alert.level, "")
    text = _escaped(alert.text[:_MOST_TEXT])
    title = f"Waggle: {alert.kind.replace('_', ' ')}"
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:150]}},
        {"type": "section", "text": {"type": "mrkdwn", "text": f"{sign} {text}"}},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": _escaped(service[:200])}]},
    ]
    own = {
        "kind": alert.kind,
        "subject": alert.subject[:200],
        "state": alert.state[:200],
        "at": alert.at,
    }
    return orjson.dumps({"text": f"{title}: {text}", "blocks": blocks, "waggle": own})


def _escaped(text: str) -> str:
    """Text that Slack takes for text: a backend's name cannot mention anybody or make a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
