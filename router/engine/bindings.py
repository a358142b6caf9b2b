"""The budgets that bind a request: of its key, of its tags, of the key's team and the teams above.

A request takes from its budgets in this fixed order, the narrow ones first, so that two requests
never wait for each other. A tag that has no budget in the configuration is recorded, and no more.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from router.config.server import KeyLimits, Keys, Tag
from router.keys import Denied, Key


class Binding(NamedTuple):
    """One budget that binds a request."""

    name: str  # at the hive; a key's is its id, which no team's or tag's can be
    owner: str  # in the words of errors
    place: str  # where its limits are set
    limits: KeyLimits
    order: tuple[int, str] = (0, "")  # its place among the budgets of a request


def bindings(keys: Keys, key: Key, tags: Iterable[str] = ()) -> list[Binding]:
    """The budgets of a key's request with these tags. Raises `Denied` if the key may not use a tag
    or names a team that is not there any more."""
    budgets = [_of_key(keys, key)]
    budgets += [_of_tag(keys, key, tag) for tag in sorted(tags) if tag in keys.tags]
    if key.team and key.team not in keys.teams:
        message = f"The team {key.team} of this key is not in the configuration: "
        message += f"add keys.teams.{key.team}, or give the key another team."
        raise Denied(403, "unknown_team", message)
    for above, team in enumerate(keys.line_of(key.team)):
        limits, place = _open(keys, keys.teams[team]), f"keys.teams.{team}"
        order = (2, f"{above:06}")
        budgets.append(Binding(team_budget(team), f"team {team}", place, limits, order))
    return budgets


def of_tags(keys: Keys, key: Key, tags: Iterable[str]) -> list[Binding]:
    """The budgets of some tags alone."""
    return [_of_tag(keys, key, tag) for tag in sorted(tags) if tag in keys.tags]


def count_apart(keys: Keys, key: Key, count: str) -> list[Binding]:
    """A count of requests of its own, with the bound of the key. It makes no calls, so it has no
    tokens and no dollars."""
    whole = _of_key(keys, key)
    limits = KeyLimits(requests_per_minute=whole.limits.requests_per_minute)
    return [whole._replace(name=f"{key.id} {count}", limits=limits)]


def team_budget(team: str) -> str:
    return f"team {team}"


def tag_budget(tag: str) -> str:
    return f"tag {tag}"


def budgets_of(keys: Keys, stored: Iterable[Key]) -> Iterator[Binding]:
    """Every budget there is: of each key that is not revoked, of each team and of each tag."""
    for key in stored:
        if not key.revoked:
            yield _of_key(keys, key)
    for team, limits in keys.teams.items():
        yield Binding(team_budget(team), f"team {team}", f"keys.teams.{team}", limits)
    for tag, tag_limits in keys.tags.items():
        yield Binding(tag_budget(tag), f"tag {tag}", f"keys.tags.{tag}", tag_limits)


def _of_key(keys: Keys, key: Key) -> Binding:
    owner = f"key {key.name}" if key.id else "callers without a key"
    if not key.limits.any:
        return Binding(key.id, owner, "keys.limits", keys.limits)
    return Binding(key.id, owner, f"key {key.name}", _open(keys, key.limits))


def _of_tag(keys: Keys, key: Key, tag: str) -> Binding:
    settings = keys.tags[tag]
    if key.id and not _may_use(keys, key, settings):
        owners = [*(f"key {name}" for name in settings.keys)]
        owners += [f"team {name}" for name in settings.teams]
        message = f"This key may not use the tag {tag}, which belongs to {', '.join(owners)}: "
        message += f"leave the tag out, or add the key to keys.tags.{tag}."
        raise Denied(403, "tag_not_allowed", message)
    place, limits = f"keys.tags.{tag}", _open(keys, settings)
    return Binding(tag_budget(tag), f"tag {tag}", place, limits, (1, tag))


def _may_use(keys: Keys, key: Key, tag: Tag) -> bool:
    if not tag.keys and not tag.teams:
        return True
    return bool({key.name, key.id} & {*tag.keys} or {*keys.line_of(key.team)} & {*tag.teams})


def _open(keys: Keys, limits: KeyLimits) -> KeyLimits:
    """The limits, with calls of unknown price allowed where all keys are."""
    if keys.limits.unpriced == "allow" and limits.unpriced != "allow":
        return limits.model_copy(update={"unpriced": "allow"})
    return limits
