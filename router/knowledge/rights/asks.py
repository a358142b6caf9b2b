"""Asks for access, and the rules that answer some of them. Pure functions of values."""

from collections.abc import Sequence
from typing import Any

from router.config.knowledge_access import AskRule, May, seconds_of
from router.knowledge.rights.grants import DAY, Ownership, Terms
from router.knowledge.rights.reader import Reader
from router.value import value

USUAL_SECONDS = 30 * DAY  # of an ask that names no time
LONGEST_REASON = 2_000  # characters
MOST_OPEN = 20  # asks of one key that wait at a time
WAITING, GRANTED, DENIED, CLOSED = "waiting", "granted", "denied", "closed"


@value
class AccessWish:
    """What somebody asks for, and for how long."""

    may: May = "read"
    seconds: float = USUAL_SECONDS


@value
class AccessAsk:
    """An ask as its store's owner sees it. `closed`: a rule said no, and the asker was not told."""

    number: int
    at: float
    store: str
    asker: Reader
    wish: AccessWish
    reason: str
    state: str = WAITING
    advice: str = ""  # of the adviser: yes, no or unsure
    decided_by: str = ""
    grant: int = 0

    def shown_to_asker(self) -> dict[str, Any]:
        """What the asker may know. A store that does not exist never answers, so a rule that says
        no must look like nobody's answer."""
        state = WAITING if self.state == CLOSED else self.state
        shown: dict[str, Any] = {
            "number": self.number,
            "at": self.at,
            "store": self.store,
            "may": self.wish.may,
            "seconds": self.wish.seconds,
            "state": state,
        }
        return shown | ({"grant": self.grant} if self.grant else {})

    def shown_to_owner(self) -> dict[str, Any]:
        who = {"key": self.asker.name, "locale": self.asker.locale, "reason": self.reason}
        advice = {"advice": self.advice} if self.advice else {}
        by = {"decided_by": self.decided_by} if self.decided_by else {}
        return self.shown_to_asker() | {"state": self.state} | who | advice | by


def rule_for(
    rules: Sequence[AskRule], ownership: Ownership, asker: Reader, wish: AccessWish
) -> int | None:
    """The place of the first rule that fits the ask; None: only the owner can answer."""
    for place, rule in enumerate(rules):
        longest = None if rule.most is None else seconds_of(rule.most)
        if (
            rule.may == wish.may
            and (longest is None or wish.seconds <= longest)
            and _fits(rule.who, ownership, asker)
        ):
            return place
    return None


def terms_by(rule: AskRule, wish: AccessWish, now: float) -> Terms:
    """What a rule that says yes grants."""
    until = now + wish.seconds
    return Terms(wish.may, rule.rate, until, rule.idle_days, rule.must_cite)


def _fits(who: str, ownership: Ownership, asker: Reader) -> bool:
    kind, _, name = who.partition(":")
    if kind == "locale":
        locale = name or ownership.locale
        return bool(locale) and asker.locale == locale
    return kind == "everybody" or asker.name == name
