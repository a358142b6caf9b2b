"""Strategies by name and version. A strategy may serve, run in shadow, compete and be adopted.

A strategy is a value that says how to decide, and any router can carry it out. Strategies of the
configuration have no version. A registered strategy gets a version number and never changes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

from learner.controls import Fixed, Ladder, Mix
from learner.policy import Arm, Policy
from router.config.config import Config
from router.config.plan_steps import LESS, simpler, stages, whole
from router.config.problems import unknown

Kind = Literal["bandit", "ladder", "fixed", "mix", "function", "same"]
_MOST_SOURCE = 20_000  # characters


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to decide. The kind `same` is the serving strategy with some plans left out or
    replaced, or with plans of its own within some patterns."""

    name: str
    kind: Kind
    version: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""  # the code of a routing function
    author: str = ""
    evidence: str = ""
    without: tuple[str, ...] = ()
    instead: Mapping[str, str] = field(default_factory=dict)  # plan: its simpler replacement
    within: Mapping[str, str] = field(default_factory=dict)  # pattern: the plan that growth made
    # pattern: the plans that growth made, by the plans whose requests they answer there
    stands: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    at: float = 0.0

    @property
    def key(self) -> str:
        return f"{self.name}@{self.version}" if self.version else self.name

    @property
    def entry(self) -> str:
        """The name of a routing function in its source."""
        return "route"

    def over(self, base: "Strategy") -> "Strategy":
        """This strategy as it decides while `base` serves."""
        if self.kind != "same":
            return self
        without = tuple(dict.fromkeys((*base.without, *self.without)))
        instead = {**base.instead, **self.instead}
        within = {**base.within, **self.within}
        stands = {
            pattern: {**base.stands.get(pattern, {}), **self.stands.get(pattern, {})}
            for pattern in {**base.stands, **self.stands}
        }
        name = f"{base.key} {self.key}"
        return replace(
            base,
            without=without,
            instead=instead,
            within=within,
            stands=stands,
            name=name,
            version=0,
        )

    def concerns(self, places: Collection[str]) -> bool:
        """Whether the strategy may decide a request of these places otherwise than what serves."""
        patterns = {**self.within, **self.stands}
        return not patterns or not patterns.keys().isdisjoint(places)

    @property
    def made(self) -> tuple[str, ...]:
        """The names of the made plans that it uses within patterns."""
        standing = [made for plans in self.stands.values() for made in plans.values()]
        return (*self.within.values(), *standing)

    def written(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value not in ("", {}, ())}

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> "Strategy":
        return cls(**{**fields, "without": tuple(fields.get("without", ()))})


def built_in(config: Config) -> dict[str, Strategy]:
    """The bandit, the ladder, and for each plan a strategy that always takes the plan."""
    strategies = [Strategy("bandit", "bandit"), Strategy("ladder", "ladder")]
    strategies += [_always(plan) for plan in config.asking]
    return {strategy.key: strategy for strategy in strategies}


def configured(config: Config) -> Strategy:
    """The strategy that decides until another is adopted."""
    objective = config.objective
    if objective.strategy == "fixed":
        return _always(str(objective.plan))
    return Strategy(objective.strategy, "bandit" if objective.strategy == "bandit" else "ladder")


def _always(plan: str) -> Strategy:
    return Strategy(f"always-{plan}", "fixed", settings={"plan": plan})


def policy_for(strategy: Strategy, ladder: Ladder) -> Policy:
    """The policy of a strategy: its own, or else the configured `ladder`."""
    settings = strategy.settings
    match strategy.kind:
        case "fixed":
            return Fixed(Arm(settings["plan"]))
        case "mix":
            return Mix({Arm(plan): float(share) for plan, share in settings["shares"].items()})
        case "ladder" if settings:
            rungs = tuple(Arm(plan) for plan in settings["rungs"])
            return Ladder(settings.get("feature", "complexity"), tuple(settings["cuts"]), rungs)
    return ladder


_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "bandit": ("floor", "safe_share", "margin", "curiosity", "settled", "patience"),
    "ladder": ("feature", "cuts", "rungs"),
    "fixed": ("plan",),
    "mix": ("shares",),
    "function": (),
    "same": (),
}


def check(strategy: Strategy, config: Config) -> None:
    """Raise `ValueError`, with the remedy, if a strategy cannot decide under this configuration."""
    where = f"strategy {strategy.name}"
    if strategy.kind not in get_args(Kind):
        rule, mend = unknown("kind", str(strategy.kind), get_args(Kind))
        raise ValueError(f"{where}: kind = {strategy.kind}: {rule}. {mend}")
    for name in strategy.settings:
        if name not in _SETTINGS[strategy.kind]:
            choices = ", ".join(_SETTINGS[strategy.kind]) or "no settings"
            value = strategy.settings[name]
            raise ValueError(f"{where}: {name} = {value!r}: kind {strategy.kind} takes {choices}")
    _check_plans(strategy, config, where)
    if strategy.kind == "function" and not 0 < len(strategy.source) <= _MOST_SOURCE:
        size = len(strategy.source)
        raise ValueError(f"{where}: a source of {size} characters: 1 to {_MOST_SOURCE} are taken")
    for plan, other in strategy.instead.items():
        if simpler(other, config.plans) is None or whole(other) != plan:
            choices = ", ".join(f"{plan}{LESS}{stage}" for stage in stages(plan, config.plans))
            raise ValueError(
                f"{where}: {other} cannot stand for {plan}; there are: {choices or 'none'}"
            )
    changes = strategy.without or strategy.instead or strategy.made
    if strategy.kind == "same" and not changes:
        raise ValueError(
            f"{where}: it would decide as what serves does: name plans it goes without"
        )
    if strategy.kind == "bandit":
        _check_bandit(strategy, where)
    if strategy.kind in ("fixed", "mix") or strategy.settings:
        try:
            policy_for(strategy, Ladder("complexity", (), (Arm(config.asking[0]),)))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{where}: {error}") from None


def _check_plans(strategy: Strategy, config: Config, where: str) -> None:
    for plan in (*_plans_in(strategy), *strategy.without, *strategy.instead):
        if plan not in config.plans:
            rule, mend = unknown("plan", plan, config.plans)
            raise ValueError(f"{where}: {plan}: {rule}. {mend}")
    if not set(config.asking) - set(strategy.without):
        raise ValueError(f"{where}: it goes without {', '.join(strategy.without)}: none are left")


def _check_bandit(strategy: Strategy, where: str) -> None:
    for name, value in strategy.settings.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e6:
            raise ValueError(f"{where}: {name} = {value!r}: it is a number from 0 up")


def _plans_in(strategy: Strategy) -> Sequence[str]:
    settings = strategy.settings
    if strategy.kind == "fixed":
        return (str(settings.get("plan", "")),)
    if strategy.kind == "mix":
        shares = settings.get("shares", {})
        return tuple(shares) if isinstance(shares, dict) else (str(shares),)
    return tuple(settings.get("rungs", ()))
