"""Checks who may sit in a committee: pure, on the raw values of a file."""

from collections.abc import Iterator, Mapping
from typing import Any

from router.config.plan_names import Place, nested
from router.config.problems import Mistake

# The kinds of backends in which a model reads and writes words.
AUTHORS = ("openai", "anthropic", "gemini", "local", "llama")


def committee_checks(at: Place, plan: Any, kinds: Mapping[str, Any]) -> Iterator[Mistake]:
    """The mistakes in every committee of a plan. Names that do not exist are reported elsewhere."""
    if not isinstance(plan, Mapping):
        return
    committee = plan.get("committee")
    if isinstance(committee, Mapping):
        yield from _checks((*at, "committee"), committee, kinds)
    for place, inner in nested(plan, at):
        yield from committee_checks(place, inner, kinds)


def _checks(at: Place, committee: Mapping[str, Any], kinds: Mapping[str, Any]) -> Iterator[Mistake]:
    for key, does in (("chair", "writes the answer"), ("design", "designs a committee")):
        name = committee.get(key)
        kind = kinds.get(name) if isinstance(name, str) else None
        if kind is not None and kind not in AUTHORS:
            rule = f"only a model {does}, and {name} is of kind {kind}"
            mend = f"Name a backend of kind {' or '.join(AUTHORS)}."
            yield Mistake((*at, key), name, rule, mend)
    members = committee.get("members")
    if not isinstance(members, list) or len(members) < 2:
        return
    speaking = [member for member in members if not _validates(member, kinds)]
    if len(speaking) < 2:
        rule = f"at least 2 members must answer, and all but {len(speaking)} are validators"
        yield Mistake((*at, "members"), _named(members), rule, "Add a member that answers.")


def _validates(member: Any, kinds: Mapping[str, Any]) -> bool:
    name = member.get("ask") if isinstance(member, Mapping) else member
    return isinstance(name, str) and kinds.get(name) == "validator"


def _named(members: list[Any]) -> str:
    return ", ".join(str(m.get("ask", m)) if isinstance(m, Mapping) else str(m) for m in members)
