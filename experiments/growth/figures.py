"""What the judge of a world says about a stream that was played.

Everything is counted on what the models were really sent, never on what growth says of itself.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10
from typing import Any

from experiments.growth.harness import Played

LAST = 100  # the requests of a kind that say how the kind is served at a time
SHARE = 0.8  # of them, for a kind to count as adopted
WITHIN = 600  # requests of a kind within which a plan is to be adopted
WINDOW = 1000  # requests of the whole stream for each point of a curve


def planted(world: Any, played: Sequence[Played], kinds: Sequence[str]) -> dict[str, Any]:
    """The six planted patterns and the six decoys of a world."""
    by_kind = _by_kind(played)
    patterns = {kind: _adoption(world, by_kind[kind]) for kind in kinds}
    decoys = {kind: _harm(world, of) for kind, of in by_kind.items() if kind not in kinds}
    harmed = {kind: _harm(world, by_kind[kind]) for kind in kinds}
    return {
        "patterns": patterns,
        "adopted": sum(each["adopted"] for each in patterns.values()),
        "adopted_within": sum(
            each["adopted"] and each["after"] <= WITHIN for each in patterns.values()
        ),
        "harmful_kept": sorted(k for k, share in (decoys | harmed).items() if share > 0.5),
        "harm_share": {k: round(share, 3) for k, share in (decoys | harmed).items() if share},
    }


def _adoption(world: Any, of: Sequence[Played]) -> dict[str, Any]:
    """Whether a kind is served with what lifts it at the end of the stream, and since when."""
    lifted = [_lifted(world, each) for each in of]
    recent = lifted[-LAST:]
    adopted = len(recent) == LAST and sum(recent) >= SHARE * LAST
    return {
        "requests": len(of),
        "adopted": adopted,
        "after": _since(lifted) if adopted else None,
        "share": round(sum(recent) / max(len(recent), 1), 3),
        "right_first": _mean([each.ok for each in of[:LAST]]),
        "right_last": _mean([each.ok for each in of[-LAST:]]),
        "calls": _calls(of[-LAST:]),
    }


def _since(lifted: Sequence[bool]) -> int:
    """The request of the kind from which on it is served with what lifts it."""
    for end in range(LAST, len(lifted) + 1):
        if sum(lifted[end - LAST : end]) >= SHARE * LAST:
            return end - LAST
    return len(lifted)


def _lifted(world: Any, each: Played) -> bool:
    made = each.last
    return bool(world.lifted(each.kind, made.instruct, made.examples, each.i))


def _harm(world: Any, of: Sequence[Played]) -> float:
    """The share of a kind's last requests that are answered with what harms the kind."""
    recent = [each for each in of[-LAST:] if each.calls]
    harmed = [
        world.harm(each.kind, each.last.instruct, each.last.examples, each.i) for each in recent
    ]
    return float(sum(harmed) / max(len(harmed), 1))


def _calls(of: Sequence[Played]) -> dict[str, int]:
    """How the last requests of a kind were asked: the model, and what stood beside the request."""
    counted = Counter(
        f"{each.last.model}"
        f"{' +instruction' if each.last.instruct else ''}"
        f"{f' +{len(each.last.examples)} examples' if each.last.examples else ''}"
        for each in of
    )
    return dict(counted.most_common(5))


def curve(world: Any, played: Sequence[Played], shares: Mapping[str, float]) -> list[float]:
    """The judge's efficiency of each window of the stream, 0 to 100, by the true rates."""
    windows = [played[at : at + WINDOW] for at in range(0, len(played), WINDOW)]
    return [efficiency(world, each, shares) for each in windows if len(each) == WINDOW]


def efficiency(world: Any, played: Sequence[Played], shares: Mapping[str, float]) -> float:
    """0: the cheapest plan for everything; 100: the best for each kind. Of what was served."""
    at = played[-1].i
    table, best = world.table(at), world.best(at)
    gained = floor = top = 0.0
    for kind, of in _by_kind(played).items():
        worth = [_worth(world, each) for each in of if each.calls]
        if not worth:
            continue
        p, usd, ms = table[kind]["tiny", "bare"]
        gained += shares[kind] * sum(worth) / len(worth)
        floor += shares[kind] * (p - 100 * usd - 0.005 * ms / 1000)
        top += shares[kind] * best[kind][2]
    return float(round(100 * (gained - floor) / (top - floor), 1))


def _worth(world: Any, each: Played) -> float:
    """An answer's true utility, by the weights of the world."""
    made = each.last
    # What is asked matters in the background only, where it is noise.
    at = None if each.kind == "background" else Place(each.i)
    p = world.p(each.kind, made.model, made.instruct, made.examples, at)
    return float(p) - 100 * each.usd - 0.005 * each.ms / 1000


@dataclass(frozen=True, slots=True)
class Place:
    """A place of the stream, which decides what is true there."""

    i: int


def grown(played: Sequence[Played], plans: Sequence[str]) -> dict[str, int]:
    """Plans that nobody configured: requests that each served outside a trial, -1 if it serves at
    the end. Marks in the call count as a made thing too, whatever its plan is called."""
    served: Counter[str] = Counter()
    for each in played:
        name = _made_name(each, plans)
        if name and not each.on_trial:
            served[name] += 1
    recent = Counter(_made_name(each, plans) for each in played[-LAST:])
    return {name: -1 if recent[name] > 5 else count for name, count in served.items()}


def doubles(world: Any, gone: Sequence[str], stands: Mapping[str, str]) -> dict[str, Any]:
    """Plans that went, beside the planted doubles. `stands` names who stands for whom, where the
    system says so; a double that simply went is stood for by the other, as both do the same."""
    merged = {(name, stands[name]) for name in gone if name in stands}
    for first, second in world.truth["doubles"]:
        for name, other in ((first, second), (second, first)):
            if name in gone and name not in stands and other not in gone:
                merged.add((name, other))
    judged = world.judge(merged)
    missed = sorted(set(gone) & best_plans(world))
    return {
        "gone": sorted(gone),
        "doubles": [sorted(pair) for pair in world.truth["doubles"]],
        "merged": judged["found"],
        "of": judged["of"],
        "dearer_kept": len(judged["wrong_keep"]),
        "wrong": [list(pair) for pair in judged["wrong"]],
        "useful_removed": missed,
    }


def named_doubles(world: Any, issues: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Which doubles the self-analysis names, and which pairs it names that are none."""
    planted_pairs = {frozenset(pair) for pair in world.truth["doubles"]}
    named = {frozenset((r["subject"], r["other"])) for r in issues if r["issue"] == "double"}
    return {
        "named": len(named & planted_pairs),
        "named_wrongly": sorted(sorted(pair) for pair in named - planted_pairs),
    }


def best_plans(world: Any) -> set[str]:
    """The plans that are worth most on a kind of request, by more than two points, without a
    double that does the same."""
    twin = {name: other for pair in world.truth["doubles"] for name, other in (pair, pair[::-1])}
    best = set()
    for kind in world.shares:
        worth = {
            name: world.p[name][kind]
            - 0.1 * log10(1 + 1000 * of["usd"])
            - 0.05 * log10(1 + of["ms"] / 100)
            for name, of in world.plans.items()
        }
        first = max(worth, key=lambda name: worth[name])
        others = [worth[name] for name in worth if name not in (first, twin.get(first))]
        if worth[first] > max(others) + 0.02 and first not in twin:
            best.add(first)
    return best


def _made_name(each: Played, plans: Sequence[str]) -> str:
    if each.plan not in plans:
        return each.plan
    marked = any(call.instruct or call.examples for call in each.calls)
    return f"{each.plan}, marked" if marked or len(each.calls) > 1 else ""


def _by_kind(played: Sequence[Played]) -> Mapping[str, list[Played]]:
    grouped: dict[str, list[Played]] = defaultdict(list)
    for each in played:
        grouped[each.kind].append(each)
    return grouped


def _mean(values: Sequence[bool]) -> float:
    return round(sum(values) / max(len(values), 1), 3)
