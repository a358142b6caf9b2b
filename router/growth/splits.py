"""Patterns that were split: which requests belong to which of the two. Pure."""

from collections.abc import Mapping, Sequence

from router.growth.clusters import LEAST_ALIKE, SeenRequest
from router.value import value


@value
class Split:
    """Why a pattern came out of another one: its requests hold a term, or the other's do."""

    out_of: str
    bucket: int
    holding: bool


def relabelled(
    labels: Sequence[str], requests: Sequence[SeenRequest], splits: Mapping[str, Split]
) -> list[str]:
    """The labels, in which each part of a split pattern has those requests that its term says."""
    parts = list(labels)
    for id_, split in splits.items():  # the oldest first: what was split off may be split again
        for at, label in enumerate(parts):
            if label in (id_, split.out_of):
                inside = (split.bucket in requests[at].terms) == split.holding
                parts[at] = id_ if inside else split.out_of
    return parts


def divided(
    groups: Sequence[Sequence[int]],
    labels: Sequence[str],
    requests: Sequence[SeenRequest],
    splits: Mapping[str, Split],
) -> list[list[int]]:
    """The groups, of which those of a split pattern fall into its two parts, if both are large
    enough."""
    whole = [list(group) for group in groups]
    for id_, split in splits.items():
        for group in [*whole]:
            both = sum(labels[at] in (id_, split.out_of) for at in group)
            inside = [at for at in group if (split.bucket in requests[at].terms) == split.holding]
            parts = [inside, sorted(set(group) - set(inside))]
            if 2 * both > len(group) and min(map(len, parts)) >= LEAST_ALIKE:
                whole.remove(group)
                whole += parts
    return sorted(whole, key=len)[::-1]
