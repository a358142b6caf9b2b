"""Grants, and the decision whether a reader may act on a store. Pure functions of values."""

from collections.abc import Iterable
from typing import Any

from router.config.knowledge_access import May, Visible
from router.knowledge.rights.reader import Reader
from router.value import value

HOUR, DAY = 3600.0, 86_400.0
EVERYBODY = "everybody"


@value
class Terms:
    """What a grant allows, and under which conditions. `until` is a moment, in seconds by UTC."""

    may: May = "read"
    rate: int | None = None
    until: float | None = None
    idle_days: float | None = None
    must_cite: bool = False

    def shown(self) -> dict[str, Any]:
        """The conditions that are set."""
        named = {
            "rate": self.rate,
            "until": self.until,
            "idle_days": self.idle_days,
            "must_cite": self.must_cite or None,
        }
        return {"may": self.may} | {name: each for name, each in named.items() if each is not None}


@value
class Grant:
    """`since`: when the grant was made or last changed. `used`: when anybody last used it."""

    number: int
    store: str
    who: str  # key:NAME, locale:TEAM or everybody
    terms: Terms
    since: float
    used: float
    by: str
    source: str = "owner"  # or `rule`, or `configuration`
    revoked: float | None = None

    def shown(self, now: float) -> dict[str, Any]:
        """The grant as its owner sees it."""
        return {
            "number": self.number,
            "who": self.who,
            **self.terms.shown(),
            "state": self.state(now),
            "since": self.since,
            "used": self.used if self.used > self.since else None,
            "by": self.by,
            "source": self.source,
        }

    def state(self, now: float) -> str:
        if self.revoked is not None:
            return "revoked"
        if self.terms.until is not None and now >= self.terms.until:
            return "ended"
        idle = self.terms.idle_days
        if idle is not None and now - max(self.since, self.used) >= idle * DAY:
            return "lapsed"
        return "in force"

    def is_for(self, reader: Reader) -> bool:
        kind, _, name = self.who.partition(":")
        match kind:
            case "key":
                return bool(reader.name) and reader.name == name
            case "locale":
                return bool(reader.locale) and reader.locale == name
            case _:
                return bool(reader.key_id)


@value
class Ownership:
    """Who owns a store, and who sees it without a grant."""

    owner: str = ""  # the name of a key; empty: the admins
    visible: Visible = "private"
    locale: str = ""

    def is_owner(self, reader: Reader) -> bool:
        return reader.admin or (bool(reader.name) and self.owner == reader.name)

    def shows_to(self, reader: Reader) -> bool:
        """Whether the reader may read the store without a grant, by its visibility alone."""
        if not reader.key_id or self.visible == "private":
            return False
        return self.visible == "public" or (bool(self.locale) and self.locale == reader.locale)


@value
class Allowed:
    """The reader may act: by its own right, or by the grant with this number."""

    grant: int = 0
    must_cite: bool = False


@value
class Barred:
    """The reader may not act. `retry_after`: only the rate of a grant stands in the way; callers
    who get no such number must not learn whether the store exists."""

    retry_after: float | None = None


def way_in(
    reader: Reader, ownership: Ownership | None, grants: Iterable[Grant], act: May, now: float
) -> list[Grant] | Allowed:
    """`Allowed` if the reader needs no grant, else the grants that it may use, the best first.

    A grant without a condition on answers is better than a grant with one, then one without a rate.
    """
    if reader.admin:
        return Allowed()
    if ownership is None:
        return []
    if ownership.is_owner(reader) or (act == "read" and ownership.shows_to(reader)):
        return Allowed()
    usable = [
        grant
        for grant in grants
        if grant.terms.may == act and grant.is_for(reader) and grant.state(now) == "in force"
    ]
    return sorted(
        usable, key=lambda each: (each.terms.must_cite, each.terms.rate is not None, each.number)
    )
