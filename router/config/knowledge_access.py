"""Settings of a store's rights: its owner, who sees it, what is granted, and by which rules."""

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from router.config.values import Name, Values

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_SPAN = re.compile(r"([1-9]\d{0,4})([mhdw])")
_WHO = re.compile(r"everybody|(?:key|locale):[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SPAN_RULE = "a time is a number with m, h, d or w, such as 30d"
UNTIL_RULE = "an end is a time such as 30d, or a date such as 2027-01-31"
WHO_RULE = "who is key:NAME, locale:TEAM or everybody"


def seconds_of(span: str) -> float:
    """The seconds of a time such as `30d`. Raises `ValueError`."""
    match = _SPAN.fullmatch(span)
    if match is None:
        raise ValueError(f"{span!r}: {SPAN_RULE}")
    return int(match[1]) * _UNITS[match[2]]


def until_of(text: str, now: float) -> float:
    """The moment that an end names: so long after `now`, or the end of a date (UTC). Raises
    `ValueError`."""
    if _SPAN.fullmatch(text):
        return now + seconds_of(text)
    try:
        day = dt.date.fromisoformat(text)
        return dt.datetime.combine(day, dt.time.max, dt.UTC).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r}: {UNTIL_RULE}") from None


def _checked_span(text: str) -> str:
    seconds_of(text)
    return text


def _checked_until(text: str) -> str:
    until_of(text, 0.0)
    return text


def checked_who(text: str) -> str:
    """The one or many that a grant is for. Raises `ValueError`."""
    if not _WHO.fullmatch(text):
        raise ValueError(f"{text!r}: {WHO_RULE}")
    return text


Span = Annotated[str, AfterValidator(_checked_span)]
Until = Annotated[str, AfterValidator(_checked_until)]
GrantedTo = Annotated[str, AfterValidator(checked_who)]
May = Literal["read", "write"]
Visible = Literal["private", "locale", "public"]


class GrantConditions(Values):
    """What binds whoever uses a grant."""

    rate: int | None = Field(
        None, ge=1, le=1_000_000, description="most uses in an hour, for each key"
    )
    idle_days: float | None = Field(
        None, gt=0, le=3650, description="days without a use after which the grant lapses"
    )
    must_cite: bool = Field(False, description="an answer that does not cite the store is withheld")


class StandingGrant(GrantConditions):
    """A grant that the configuration makes; taking the line out revokes the grant."""

    who: GrantedTo = Field(description="key:NAME, locale:TEAM or everybody")
    may: May = "read"
    until: Until | None = Field(
        None, description="30d after the line first took effect, or a date; null: no end"
    )


class AskRule(GrantConditions):
    """Answers an ask without its owner; the first rule that fits counts."""

    who: Literal["locale"] | GrantedTo = Field(
        "everybody", description="locale: the store's own; or key:NAME, locale:TEAM, everybody"
    )
    may: May = "read"
    most: Span | None = Field(None, description="longest time that the rule answers; null: any")
    answer: Literal["yes", "no"] = Field(
        "yes", description="no: the ask is closed, and only the owner sees that it is"
    )


class StoreAccess(Values):
    """Who owns a store, and who may read it without a grant."""

    owner: Name | None = Field(None, description="the name of a key; null: the admins")
    visible: Visible = Field(
        "private", description="locale: keys of the store's locale read it; public: every key does"
    )
    locale: Name | None = Field(None, description="a team; null: the owner's team")
    grants: tuple[StandingGrant, ...] = ()
    rules: tuple[AskRule, ...] = Field((), description="answers to asks, the first that fits")
    guidance: str = Field(
        "", max_length=2000, description="who should get access, in words for the adviser"
    )
    adviser: Name | None = Field(
        None, description="a backend that advises the owner; it sees the reason and the rules only"
    )

    @model_validator(mode="after")
    def _own_locale(self) -> "StoreAccess":
        if self.visible == "locale" and self.locale is None and self.owner is None:
            raise ValueError("visible: locale needs a `locale`, or an `owner` who has a team")
        return self
