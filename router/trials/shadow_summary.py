"""What is known of `auto` in the shadow: measured where a draw decided, else foretold; in words.

Measured figures have intervals that hold at every look. A foretold figure is called foretold, and
never switches anything on.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import floor, isfinite, log10
from typing import Any

from learner.sequence import Interval
from learner.takeover import Takeover
from router.trials.book import Switched
from router.trials.shadow_course import ShadowCourse
from router.trials.shadow_foretelling import ForetoldShadow, ShadowCounts


@dataclass(frozen=True, slots=True)
class MeasuredShadow:
    """The comparison of `auto` with what callers named."""

    requests: int
    judged: int
    unpriced: int
    enough: bool  # whether enough answers of both sides are judged to tell the quality
    takeover: Takeover

    @classmethod
    def of(cls, course: ShadowCourse) -> "MeasuredShadow":
        sides = course.comparison
        figures = sides.requests, sides.compared, sides.unpriced, sides.enough
        return cls(*figures, course.takeover)


@dataclass(frozen=True, slots=True)
class ShadowSummary:
    live: bool
    may_switch: bool
    share: float  # of the requests that `auto` answers
    counts: ShadowCounts
    measured: MeasuredShadow
    foretold: ForetoldShadow
    switched: Switched | None = None

    @property
    def proven(self) -> bool:
        return self.measured.takeover.proven

    @property
    def sentences(self) -> tuple[str, ...]:
        """What `auto` would have saved, what is not known, and what follows."""
        parts = (_since_the_switch(self), _result(self), _left_out(self), _what_follows(self))
        return tuple(part for part in parts if part)

    def written(self) -> dict[str, Any]:
        """The figures and the sentences as JSON."""
        measured, takeover = self.measured, self.measured.takeover
        return {
            "state": "live" if self.live else "shadow",
            "words": " ".join(self.sentences),
            "may_switch": self.may_switch,
            "share": self.share,
            "noted": self.counts.noted,
            "apart": round(self.counts.apart, 4),
            "paid_usd": round(self.counts.paid_usd, 6),
            "measured": {
                "requests": measured.requests,
                "judged": measured.judged,
                "unpriced": measured.unpriced,
                "enough": measured.enough,
                "saving_usd": _plain(takeover.saving.times(measured.requests)),
                "saving_usd_per_request": _plain(takeover.saving),
                "quality": _plain(takeover.quality),
                "margin": takeover.margin,
                "equal": takeover.equal,
                "obstacle": takeover.obstacle,
            },
            "foretold": asdict(self.foretold),
            "switched": None if self.switched is None else asdict(self.switched),
        }


def _since_the_switch(summary: ShadowSummary) -> str:
    switched = summary.switched
    if switched is None:
        return ""
    at = dt.datetime.fromtimestamp(switched.at, dt.UTC)
    who = "by itself" if switched.by == "bound" else "by an operator"
    if switched.live:
        return (
            f"`auto` answers since {at:%Y-%m-%d %H:%M} UTC, switched on {who}: {switched.why}. "
            f"A control group of {1 - summary.share:.0%} still gets what it names."
        )
    return f"`auto` is in the shadow again since {at:%Y-%m-%d %H:%M} UTC: {switched.why}."


def _result(summary: ShadowSummary) -> str:
    if summary.measured.requests:
        return _measured(summary)
    if not summary.counts.noted:
        return (
            "Nothing can be told yet: no request was noted that named a plan, a backend or a model "
            "and that `auto` could decide."
        )
    return f"{_foretold_money(summary)} {_foretold_quality(summary)}"


def _measured(summary: ShadowSummary) -> str:
    measured, takeover = summary.measured, summary.measured.takeover
    if takeover.obstacle == "alike":
        return f"`auto` would have chosen what was named for all {measured.requests:,} requests."
    saves, costs = ("saves", "costs") if summary.live else ("would have saved", "would have cost")
    saving, over = takeover.saving.times(measured.requests), f"over {measured.requests:,} requests"
    quality = _measured_quality(measured)
    if not isfinite(saving.high):
        return f"Too few requests are measured to say what `auto` {saves}, {over}; {quality}."
    amount = _dollars(abs(saving.mean), _half(saving))
    clear = saving.low > 0 or saving.high < 0
    if not clear:
        sign = "" if saving.mean >= 0 else "-"
        return f"Whether `auto` {saves} money cannot be told yet: {sign}{amount} {over}; {quality}."
    money = f"`auto` {saves} {amount}" if saving.low > 0 else f"`auto` {costs} {amount} more"
    if quality.startswith("at "):
        return f"{money} {quality}, {over}."
    return f"{money} {over}; {quality}."


def _measured_quality(measured: MeasuredShadow) -> str:
    quality, margin = measured.takeover.quality, measured.takeover.margin
    if not measured.enough:
        return (
            f"whether at equal quality cannot be told yet, with {measured.judged:,} judged answers"
        )
    figures = f"{quality.mean:+.3f} ± {_half(quality):.3f} on {measured.judged:,} judged answers"
    match measured.takeover.equal:
        case True:
            return f"at equal quality ({figures})"
        case False:
            return f"at worse quality ({figures})"
    return (
        f"whether at equal quality cannot be told yet ({figures}; a loss of {margin:g} must be "
        "ruled out)"
    )


def _foretold_money(summary: ShadowSummary) -> str:
    foretold = summary.foretold
    if foretold.saving_usd is None:
        return "Nobody knows the price of enough plans to foretell what `auto` would have saved."
    saved = "saved" if foretold.saving_usd >= 0 else "cost"
    more = "" if foretold.saving_usd >= 0 else " more"
    by = []
    if foretold.cost_off_by is not None:
        by.append(f"such forecasts were off by {foretold.cost_off_by:.0%} of what was really paid")
    if foretold.untried:
        by.append(f"of {_names(foretold.untried)} only the price is known")
    why = f" ({'; '.join(by)})" if by else ""
    return (
        f"Foretold, not measured: `auto` would have {saved} about "
        f"{_dollars(abs(foretold.saving_usd))}{more} over {foretold.requests:,.0f} requests, by "
        f"prices and by what like requests cost{why}."
    )


def _foretold_quality(summary: ShadowSummary) -> str:
    foretold, named = summary.foretold, summary.counts.named
    if foretold.quality is not None and foretold.judged:
        return (
            f"Its quality is foretold as {foretold.quality:+.3f} ± {foretold.quality_half:.3f}, by "
            f"{foretold.judged:,} judged answers to like requests; callers chose who answered "
            "which, so this proves nothing."
        )
    if foretold.quality is not None:
        return "It would have chosen what was named."
    always = f"callers always name {_names(named)}, and " if len(named) == 1 else ""
    return (
        f"Whether at equal quality cannot be told: {always}too few answers of "
        f"{_names(foretold.unjudged)} to like requests were judged."
    )


def _left_out(summary: ShadowSummary) -> str:
    counts, parts = summary.counts, []
    if summary.measured.requests and counts.undrawn:
        later = "later requests of conversations, or from before the share was set"
        parts.append(f"{counts.undrawn:,} without a draw ({later})")
    if counts.unpriced:
        parts.append(f"{counts.unpriced:,} whose cost nobody knows: give their backends a price")
    return f"Left out: {'; '.join(parts)}." if parts else ""


def _what_follows(summary: ShadowSummary) -> str:
    """What an operator can do, or what happens by itself."""
    if summary.live:
        return "To undo it: waggle policy shadow"
    if not summary.share:
        return (
            "To measure it, let `auto` answer a small share of the requests: "
            "objective.shadow_explore: 0.05, and have answers judged (POST /v1/feedback)."
        )
    undone = summary.switched is not None
    by_hand = not summary.may_switch or undone
    if summary.proven and by_hand:
        return "It may be switched on: waggle policy live"
    trouble = _TROUBLES.get(summary.measured.takeover.obstacle, "")
    if by_hand:
        only = " (an operator put it back)" if undone else " (objective.switch is false)"
        return f"{trouble}It does not switch on by itself{only}."
    margin = summary.measured.takeover.margin
    return (
        f"{trouble}It switches on by itself once a saving is certain and a loss of quality of more "
        f"than {margin:g} is ruled out."
    )


_TROUBLES = {
    "few": "More answers of both sides must be judged. ",
    "split": "Something removes requests from one side, so nothing here can be trusted. ",
    "judged apart": (
        "Answers of one side are judged more often than those of the other, so it may only seem "
        "as good. "
    ),
    "unpriced": "Of too many requests nobody knows the cost: give their backends a price. ",
}


def _names(plans: Sequence[str]) -> str:
    return ", ".join(f"`{plan}`" for plan in plans)


def _half(interval: Interval) -> float:
    return (interval.high - interval.low) / 2


def _dollars(amount: float, half: float | None = None) -> str:
    """Dollars, with half of an interval to the same place: two digits of the half are shown."""
    least = half or amount
    places = 2 if least >= 1 or not least else min(max(1 - floor(log10(least)), 2), 9)
    return f"${amount:,.{places}f}" + ("" if half is None else f" ± ${half:,.{places}f}")


def _plain(interval: Interval) -> dict[str, float | None]:
    named = {"low": interval.low, "mean": interval.mean, "high": interval.high}
    return {
        name: float(f"{value:.6g}") if isfinite(value) else None for name, value in named.items()
    }
