"""What telemetry says of each pattern: its requests, and what each plan was worth on them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from math import sqrt

from learner.preference import Preference
from router.plans.made import MadePlan
from router.request.patterns import Patterns
from router.routing.steering import Believed
from router.trials.book import Book
from router.trials.logged import LoggedTelemetry
from router.trials.made_trials import in_doubt

WINDOW = 20_000  # the latest requests that are read
HALF_LIFE = 3000  # a request counts half after so many later ones, as the world may have changed
_SHRUNK = 5.0  # answers that the mean of all patterns counts for, beside those of a pattern
_AGAIN, _MORE = 3, 300  # what was tried comes again after 3 times the judged answers and 300
_SEEDED = 10.0  # answers of its parent with which a made plan begins, at most
_LEAST_VARIANCE = 0.02  # of a judgement, however few of them differed so far

_ROWS = f"""
SELECT coalesce(r.pattern, ''), r.plan, count(*), count(j.quality), sum(w),
       coalesce(sum(j.quality * w) / sum(w) FILTER (j.quality IS NOT NULL), 0),
       coalesce(sum(coalesce(r.cost_usd, r.rate_usd) * w) / sum(w), 0),
       coalesce(sum(r.latency_ms * w) / sum(w), 0) / 1000
FROM (SELECT request_id, ts, pattern, plan, cost_usd, rate_usd, latency_ms,
             pow(0.5, row_number() OVER (ORDER BY ts DESC) / {HALF_LIFE}) AS w FROM all_requests
      WHERE plan IS NOT NULL AND coalesce(status, 0) <> 499
            AND gen_ai_operation_name = 'chat' AND ts >= make_timestamp(?)) r
LEFT JOIN (FROM judged WHERE request_ts >= make_timestamp(?)) j
       ON j.request_id = r.request_id AND j.request_ts = r.ts
GROUP BY ALL
"""


_SINCE = f"""
SELECT coalesce(epoch_us(min(ts)), 0)
FROM (SELECT ts FROM all_requests ORDER BY ts DESC LIMIT {WINDOW})
"""


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """A plan's answers to the requests of one pattern."""

    n: int
    judged: int
    lately: float  # requests, of which later ones count more, as in the means
    quality: float
    usd: float
    seconds: float

    @property
    def judged_lately(self) -> float:
        """Its judged answers, of which later ones count more."""
        return self.lately * self.judged / max(self.n, 1)

    def price(self, preference: Preference) -> float:
        """What an answer costs, in utility."""
        return preference.price(self.usd, self.seconds)


def error_of(quality: float, answers: float) -> float:
    """The standard error of a quality that so many answers show."""
    return sqrt(max(quality * (1 - quality), _LEAST_VARIANCE) / answers)


def believed_of(book: Book, traffic: "Traffic") -> dict[str, Believed]:
    """What is expected of each made plan that answers requests of its pattern."""
    return {
        trial.name: traffic.patterns[trial.pattern].seeded(trial.name).rounded()
        for trial in (*book.grown, *book.live)
        if trial.pattern in traffic.patterns
        and trial.name in traffic.patterns[trial.pattern].parents
    }


def much_is_new(made: MadePlan, traffic: "PatternTraffic") -> bool:
    """Whether so much more is judged since the plan was made that another try may end otherwise."""
    return traffic.judged >= _AGAIN * made.alike + _MORE


_NOTHING = PlanRecord(0, 0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class PatternTraffic:
    """The requests of one pattern, and the mean quality of each plan over all patterns."""

    pattern: str
    share: float
    plans: Mapping[str, PlanRecord]
    usual: Mapping[str, float] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)  # of made plans
    gone: Collection[str] = ()  # made plans that answer no more, or are in doubt

    @property
    def judged(self) -> int:
        return sum(record.judged for record in self.plans.values())

    def quality(self, plan: str) -> float:
        """The quality of a plan here; where it answered little, most of it is the usual one. A made
        plan begins as its parent is here."""
        if plan in self.parents:
            return self.seeded(plan).quality
        record, usual = self.plans.get(plan, _NOTHING), self.usual.get(plan, 0.5)
        return (record.quality * record.judged + usual * _SHRUNK) / (record.judged + _SHRUNK)

    def seeded(self, made: str) -> Believed:
        """What is known of a made plan here: what was known of its parent counts as a few of its
        own answers, and its own answers soon count more."""
        parent = self.parents[made]
        own, before = self.plans.get(made, _NOTHING), self.plans.get(parent, _NOTHING)
        seed = min(before.judged_lately + _SHRUNK, _SEEDED)
        answers, paid = own.judged_lately + seed, min(before.lately, _SEEDED)
        quality = (own.quality * own.judged_lately + self.quality(parent) * seed) / answers
        total = max(own.lately + paid, 1e-9)
        return Believed(
            quality,
            error_of(quality, answers),
            (own.usd * own.lately + before.usd * paid) / total,
            (own.seconds * own.lately + before.seconds * paid) / total,
        )

    def utility(self, plan: str, preference: Preference) -> float:
        """The mean utility of the plan's answers here."""
        if plan in self.parents:
            return self.seeded(plan).utility(preference)
        return self.quality(plan) - self.plans[plan].price(preference)

    def utility_now(self, preference: Preference) -> float:
        """The mean utility of what answered lately and answers still. What a plan that turned bad
        was worth before would hide for long that its pattern needs another one."""
        lately = {plan: r.lately for plan, r in self.plans.items() if plan not in self.gone}
        return sum(
            weight * self.utility(plan, preference) for plan, weight in lately.items()
        ) / max(sum(lately.values()), 1e-9)


@dataclass(frozen=True, slots=True)
class Traffic:
    total: int
    patterns: Mapping[str, PatternTraffic]
    since_micros: int = 0  # the time of the first request that was read

    def of_living(self, patterns: Patterns, matched: Collection[str] = ()) -> "Traffic":
        """The traffic of these patterns alone, and of those that written matchers name, unless no
        pattern is known yet; rows remember others."""
        if not patterns.patterns:
            return self
        ids = {*matched, *(pattern.id for pattern in patterns.patterns)}
        return replace(self, patterns={id_: t for id_, t in self.patterns.items() if id_ in ids})

    def beside(self, book: Book) -> "Traffic":
        """The traffic, in which made plans begin as their parents are in each pattern. A trained
        model is like no other plan."""
        parents = {m.name: m.parent for m in book.made.values() if m.kind not in ("route", "model")}
        answering = {t.name for t in (*book.grown, *book.live) if not in_doubt(t)}
        gone = book.made.keys() - answering
        patterns = {id_: replace(t, parents=parents, gone=gone) for id_, t in self.patterns.items()}
        return replace(self, patterns=patterns)

    @classmethod
    def read(cls, telemetry: LoggedTelemetry) -> "Traffic":
        since = telemetry.rows(_SINCE)[0][0]
        return cls.of(telemetry.rows(_ROWS, since, since), since)

    @classmethod
    def of(
        cls,
        rows: list[tuple[str, str, int, int, float, float, float, float]],
        since_micros: int = 0,
    ) -> "Traffic":
        total = sum(n for _, _, n, *_ in rows)
        sums: dict[str, tuple[int, float]] = {}
        by_pattern: dict[str, dict[str, PlanRecord]] = {}
        for pattern, plan, n, judged, lately, quality, usd, seconds in rows:
            count, good = sums.get(plan, (0, 0.0))
            sums[plan] = count + judged, good + judged * quality
            if pattern:
                record = PlanRecord(n, judged, lately, quality, usd, seconds)
                by_pattern.setdefault(pattern, {})[plan] = record
        usual = {plan: good / count for plan, (count, good) in sums.items() if count}
        patterns = {
            pattern: PatternTraffic(pattern, sum(r.n for r in plans.values()) / total, plans, usual)
            for pattern, plans in by_pattern.items()
        }
        return cls(total, patterns, since_micros)
