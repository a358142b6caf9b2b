"""Writes a proposal as the text of a `waggle.yaml` that a person could have written. Pure.

Names come from servers, so a text that YAML would read otherwise is quoted, and none can hold a
reference to the environment. Of a secret, the file holds the variable's name.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import yaml

from router.catalog.price import Price, Rates
from router.dialects.claude_models import claude_model
from router.discovery.choosing import Candidate
from router.discovery.proposal import (
    LEAST,
    PROBABILITY,
    AskPlan,
    Backend,
    CascadePlan,
    Proposal,
)

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/:@+-]*")
_COLUMN, _WIDTH = 44, 110
USUAL_PORT = 8000


def text_of(proposal: Proposal, *, day: str, listed: Mapping[str, int]) -> str:
    """The file. `listed`: how many models each server has, by the server's title."""
    parts = [_head(day)]
    if proposal.port != USUAL_PORT:
        parts.append(_server(proposal.port))
    if proposal.dollars_per_day is not None:
        parts.append(_limits(proposal.dollars_per_day))
    heading = _line("backends:", "prices in dollars per million tokens")
    parts.append("\n".join([heading, *_backends(proposal.backends, listed)]))
    parts.append(_plans(proposal.plans))
    parts.append(_objective(proposal))
    return "\n".join(parts)


def _head(day: str) -> str:
    return (
        f"# Written by `waggle init` on {day}. Change what you like: `waggle check` finds\n"
        "# mistakes, and router/waggle.example.yaml shows every setting. Keys stay in the\n"
        "# environment.\n"
    )


def _server(port: int) -> str:
    return f"server:\n{_line('  port: ' + str(port), f'{USUAL_PORT} is taken by a model server')}\n"


def _limits(dollars: float) -> str:
    return (
        "keys:\n  limits:\n"
        + _line(f"    dollars_per_day: {dollars:g}", "a bound for each key; without keys, for all")
        + "\n"
    )


def _backends(backends: Sequence[Backend], listed: Mapping[str, int]) -> Iterator[str]:
    for title, group in groupby(backends, key=lambda each: each.candidate.title):
        here = list(group)
        count = f": {len(here)} of its {total} models" if (total := listed[title]) > 1 else ""
        yield f"  # {_comment(title)}{count}"
        for each in here:
            yield from _backend(each.name, each.candidate)
        yield ""


def _backend(name: str, model: Candidate) -> Iterator[str]:
    place = model.place
    azure = place.provider.dialect == "azure"
    base = f"{place.base_url}/openai/deployments/{model.model}" if azure else place.base_url
    yield f"  {scalar(name)}:"
    yield f"    kind: {place.provider.kind}"
    yield f"    base_url: {scalar(base)}"
    if place.key:
        yield f"    api_key: ${{{place.key}}}"
    if azure:
        yield "    auth: api-key"
        yield f"    query: {{api-version: {scalar(place.api_version)}}}"
    yield f"    model: {scalar(model.model)}"
    if place.provider.kind == "anthropic" and not claude_model(model.model).samples:
        yield _line("    leave_out: [temperature, top_p]", "apps often send them; this takes none")
    if model.price is not None:
        yield from _price(model.price, model.price_note)
    else:
        yield "    # price: unknown. Until it stands here, a limit in dollars refuses calls."
    if model.context_window is not None:
        yield _line(f"    context_window: {model.context_window}", model.window_note)
    yield f"    capabilities: [{', '.join(model.capabilities)}]"


def _price(price: Price, note: str) -> Iterator[str]:
    yield _line(f"    price: {{{rates(price)}}}" if not price.tiers else "    price:", note)
    if price.tiers:
        yield from (f"      {each}" for each in rates(price).split(", "))
        yield "      tiers:                                  # of calls with longer prompts"
        yield from (f"        - {{above: {tier.above}, {rates(tier)}}}" for tier in price.tiers)


def rates(price: Rates) -> str:
    values = {
        "input": price.input,
        "output": price.output,
        "cached_input": price.cached_input,
        "cache_write": price.cache_write,
    }
    return ", ".join(
        f"{name}: {_dollars(value)}" for name, value in values.items() if value is not None
    )


def _dollars(value: float) -> str:
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    whole, point, cents = text.partition(".")
    return f"{whole}.{cents.ljust(2, '0')}" if point else whole


def _plans(plans: Sequence[AskPlan | CascadePlan]) -> str:
    lines = ["plans:                                        # from cheap to strong"]
    width = max(len(scalar(plan.name)) for plan in plans) + 1
    for plan in plans:
        name = f"{scalar(plan.name)}:".ljust(width)
        match plan:
            case AskPlan():
                lines.append(f"  {name} {_ask(plan)}")
            case CascadePlan():
                lines += _cascade(plan)
    return "\n".join(lines) + "\n"


def _ask(plan: AskPlan) -> str:
    parts = [f"ask: {scalar(plan.ask)}"]
    if plan.effort:
        parts.append(f"set: {{reasoning_effort: {plan.effort}}}")
    if plan.fallback:
        parts.append(f"fallback: [{scalar(plan.fallback)}]")
    return "{" + ", ".join(parts) + "}"


def _cascade(plan: CascadePlan) -> Iterator[str]:
    yield f"  {plan.name}:"
    yield f"    cascade: [{scalar(plan.cheap)}, {scalar(plan.strong)}]"
    if plan.check == "probability":
        why = "the cheap answer stays if its tokens were likely"
        yield _line(f"    accept: {{probability: {PROBABILITY}}}", why)
    else:
        why = "the cheap answer stays if the judge grades it well"
        yield _line(f"    accept: {{judge: {scalar(plan.judge)}, least: {LEAST}}}", why)


def _objective(proposal: Proposal) -> str:
    lines = ["objective:", _line("  strategy: bandit", "`auto` learns which plan answers best")]
    if proposal.dollars_per_day is not None:
        paced = f"  budget: {{dollars_per_day: {proposal.dollars_per_day:g}}}"
        lines.append(_line(paced, "`auto` takes cheaper plans as it nears this"))
    return "\n".join(lines) + "\n"


def _line(text: str, note: str) -> str:
    """A line with a comment, which stands above the line if it would be too long beside it."""
    line = f"{text.ljust(_COLUMN)}  # {_comment(note)}"
    indent = " " * (len(text) - len(text.lstrip()))
    return (
        (line if len(line) <= _WIDTH else f"{indent}# {_comment(note)}\n{text}") if note else text
    )


def _comment(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:120]


def scalar(text: str) -> str:
    """A text as YAML reads it back: plain if that is safe, else quoted."""
    plain = _PLAIN.fullmatch(text) and not text.endswith(":") and yaml.safe_load(text) == text
    return text if plain else json.dumps(text)
