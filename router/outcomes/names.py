"""Which plans a model of a table means: the same model is written in many ways.

`claude-3-haiku-20240307`, `anthropic/claude-3-haiku` and `Claude 3 Haiku` are one model;
`claude-3.5-haiku` is another, and a `preview` may be another. Names match if their words match,
whatever the order, the marks between them, the provider, the date and words such as `instruct`. A
match is sure only if no other name of the table matches better or as well. What is not sure is
named, and left out.

Not covered: names that share no words with the plan, its backend or the backend's model.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from router.config.backends import LocalSettings
from router.config.config import Config
from router.config.network import NetworkSettings
from router.config.parameters import effort_in
from router.config.plans import Ask

_WORD = re.compile(r"[a-z]+|\d+[a-z]?(?![a-z])|\d+")
_PROVIDERS = frozenset(
    (
        *("anthropic", "openai", "google", "meta", "mistralai", "qwen", "deepseek", "nvidia"),
        *("microsoft", "cohere", "together", "openrouter", "azure", "bedrock", "vertex", "xai"),
        *("databricks", "snowflake", "nousresearch", "salesforce", "thudm", "ai", "hf", "models"),
    )
)
_DECORATION = frozenset(("instruct", "chat", "it", "fc", "hf", "latest", "v", "model"))
_DATE = re.compile(
    r"(?<!\d)(?:20\d{6}|20\d\d-?\d\d-?\d\d|(?:0[1-9]|1[0-2])[0-3]\d|2[3-9]\d\d)(?!\d)"
)


@dataclass(frozen=True, slots=True)
class NameMatches:
    """The plans of each matched model, why others are unsure, and those that nothing matches."""

    plans: Mapping[str, tuple[str, ...]]
    unsure: Mapping[str, str] = field(default_factory=dict)
    unmatched: tuple[str, ...] = ()

    def models_of(self, plan: str) -> list[str]:
        return [model for model, plans in self.plans.items() if plan in plans]


class BadMapping(ValueError):
    """A `model=plan` of the operator names something that does not exist."""


def names_of_plans(config: Config) -> dict[str, tuple[str, ...]]:
    """The names by which a table may mean each plan: its own, its backend's and its model's.

    Only a plan that asks one backend, and adds no prompt to the request, stands for a model. A plan
    that sets an effort stands for the model at that effort, `gpt-5-high`, and for no other.
    """
    names: dict[str, tuple[str, ...]] = {}
    for plan, tree in config.plans.items():
        names[plan] = (plan,)
        if isinstance(tree, Ask) and not (
            tree.equals or tree.fields or tree.instruct or tree.system
        ):
            models, effort = _models_of(tree, config), effort_in(tree.set_)
            if effort:
                names[plan] = tuple(dict.fromkeys((plan, *(f"{m}-{effort}" for m in models))))
            else:
                names[plan] = tuple(dict.fromkeys((plan, tree.ask, *models)))
    return names


def _models_of(plan: Ask, config: Config) -> tuple[str, ...]:
    settings = config.backends.get(plan.ask)
    if plan.model is not None:
        return (plan.model,)
    if isinstance(settings, LocalSettings):
        return tuple(settings.models)
    named = settings.model if isinstance(settings, NetworkSettings) else None
    return (named,) if named else ()


def match(
    models: Sequence[str], plans: Mapping[str, Sequence[str]], given: Mapping[str, str]
) -> NameMatches:
    """The plans that each model means. `given` are the operator's own pairs, which always win."""
    for model, plan in given.items():
        if plan not in plans:
            raise BadMapping(f"--map {model}={plan}: the plans are {', '.join(plans)}")
        if model not in models:
            raise BadMapping(f"--map {model}={plan}: the models are {_some(models)}")
    distances = {
        (model, plan): _distance(model, names)
        for model in models
        for plan, names in plans.items()
        if model not in given and plan not in given.values()
    }
    matched: dict[str, list[str]] = {model: [plan] for model, plan in given.items()}
    unsure: dict[str, str] = {}
    for plan in plans:
        near = {m: d for (m, p), d in distances.items() if p == plan and d is not None}
        best = min(near.values(), default=0)
        closest = [model for model, distance in near.items() if distance == best]
        if len(closest) == 1:
            matched.setdefault(closest[0], []).append(plan)
        for model in near:
            others = [other for other in closest if other != model]
            if model not in closest:
                unsure[model] = f"looks like {plan}, and {closest[0]} more so"
            elif others:
                unsure[model] = f"looks like {plan}, and so does {_some(others)}"
    for model in models:
        if model not in matched and model not in unsure:
            hint = _alike(model, {p: n for p, n in plans.items() if p not in given.values()})
            if hint:
                unsure[model] = f"may be {hint}"
    left = [model for model in models if model not in matched and model not in unsure]
    sure = {model: tuple(matched[model]) for model in models if model in matched}
    return NameMatches(sure, {m: w for m, w in unsure.items() if m not in sure}, tuple(left))


def _distance(model: str, names: Iterable[str]) -> int | None:
    """How many words must be dropped until a model has one of these names; None if it never has.

    Providers, dates and decoration may be dropped, on either side. An equal name has distance 0.
    """
    distances = []
    for name in names:
        if name == model:
            return 0
        ours, theirs = _words(model), _words(name)
        dates = set(_DATE.findall(model.lower())), set(_DATE.findall(name.lower()))
        if not ours or sorted(ours) != sorted(theirs) or (all(dates) and dates[0] != dates[1]):
            continue
        dropped = set(_all_words(model)) ^ set(_all_words(name))
        distances.append(1 + len(dropped))
    return min(distances, default=None)


def _words(name: str) -> list[str]:
    """The words and numbers that tell models apart."""
    plain = _DATE.sub(" ", name.lower())
    words = [word for word in _WORD.findall(plain) if word not in _DECORATION]
    essential = [word for word in words if word not in _PROVIDERS]
    # `qwen2.5` needs its `qwen`: a provider is dropped only if words besides numbers are left.
    kept = essential if any(word[0].isalpha() for word in essential) else words
    # A word that is written twice counts once; a number in a version counts as often as it stands.
    return [w for at, w in enumerate(kept) if w[0].isdigit() or w not in kept[:at]]


def _all_words(name: str) -> list[str]:
    dates = _DATE.findall(name.lower())
    return [*_WORD.findall(_DATE.sub(" ", name.lower())), *dates]


def _alike(model: str, plans: Mapping[str, Sequence[str]]) -> str:
    """A plan whose words are all in the model's name, or the other way round."""
    ours = set(_words(model))
    for plan, names in plans.items():
        for name in names:
            theirs = set(_words(name))
            shared = ours & theirs
            if len(shared) >= 2 and (ours <= theirs or theirs <= ours):
                return plan
    return ""


def _some(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")
