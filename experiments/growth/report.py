"""The last result as a table for a README, the seen half beside the unseen half."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from experiments.readme import table

_HALVES = ("seen", "unseen")
Runs = Sequence[Mapping[str, Any]]


def readme_table(result: Mapping[str, Any]) -> str:
    rows = []
    for world, label, figure, target in _FIGURES:
        cells = [_cell(result, world, half, figure) for half in _HALVES]
        if any(cells):
            rows.append([label, *(cell or "not measured" for cell in cells), target])
    return table(("", "seen half", "unseen half", "target"), rows)


def _cell(result: Mapping[str, Any], world: str, half: str, figure: Callable[[Runs], str]) -> str:
    runs = result.get(world, {}).get(half, {}).get("runs", ())
    return figure(runs) if runs else ""


def _each(runs: Runs, name: str) -> str:
    return ", ".join(str(run[name]) for run in runs)


def _committee(runs: Runs, form: str) -> str:
    cases, calculated = runs[0][form]["cases"], runs[0][form]["calculated"]
    right = [
        f"{cases[case]['right']} ({calculated[case]['right']})"
        for case in ("rounds_1", "rounds_2", "rounds_3")
    ]
    return f"{', '.join(right)} of {runs[0][form]['questions']}"


def _early(runs: Runs, form: str) -> str:
    row = runs[0][form]
    return f"{row['saves_calls']:.0%} at {row['costs_points']:.1f} points"


def _harmful(runs: Runs) -> str:
    return f"{sum(len(run['harmful_kept']) for run in runs)} in {len(runs)} seeds"


def _rise(runs: Runs) -> str:
    return ", ".join(f"{run['efficiency'][0]:.0f} → {run['efficiency'][-1]:.0f}" for run in runs)


def _own(runs: Runs) -> str:
    return ", ".join(f"{run['own_course'][0]:.0f} → {run['own_course'][-1]:.0f}" for run in runs)


def _recovery(runs: Runs, whose: str) -> str:
    """Before the change, in the 1,000 requests after, and 2,000 requests after."""
    parts = []
    for run in runs:
        at = run["change_at"] // 1000
        scores = [run[whose][place] for place in (at - 1, at, at + 2)]
        parts.append(", ".join(_score(score) for score in scores))
    return "; ".join(parts)


def _score(score: float | str | None) -> str:
    if score is None:
        return "not known"
    return score.removesuffix(" of 100") if isinstance(score, str) else f"{score:.0f}"


def _merged(runs: Runs) -> str:
    found_pairs, of = (sum(run[name] for run in runs) for name in ("merged", "of"))
    useful = sum(len(run["useful_removed"]) for run in runs)
    return f"{found_pairs} of {of}; {useful}"


def _named(runs: Runs) -> str:
    wrong = sum(len(run["named_wrongly"]) for run in runs)
    return f"{sum(run['named'] for run in runs)} of {sum(run['of'] for run in runs)}; {wrong}"


def _stages(runs: Runs) -> str:
    found_stages, stages = (sum(run[name] for run in runs) for name in ("found", "useless"))
    useful = sum(run["useful_removed"] for run in runs)
    after = max((run["after"] or 0 for run in runs), default=0)
    return f"{found_stages} of {stages}; {useful}; {after:,.0f}"


def _false(runs: Runs) -> str:
    return f"{sum(run['false'] for run in runs)} of {sum(run['streams'] for run in runs)}"


def _right(runs: Runs) -> str:
    parts = []
    for gap in runs[0]["divided"]:
        each = [run["divided"][gap] for run in runs]
        right, streams = (sum(row[name] for row in each) for name in ("right", "streams"))
        parts.append(f"{right} of {streams} ({max(row['judged'] or 0 for row in each)})")
    return ", ".join(parts)


def _bad(runs: Runs) -> str:
    return f"{sum(run['bad'] for run in runs)} of {len(runs)}"


def _kinds(runs: Runs, name: str) -> str:
    """The kinds that are one pattern, then mean completeness and purity, over all seeds."""
    rows = [run[name] for run in runs]
    good = ", ".join(str(row["good"]) for row in rows)
    whole = sum(row["completeness"] for row in rows) / len(rows)
    pure = sum(row["purity"] for row in rows) / len(rows)
    return f"{good} ({whole:.0%}, {pure:.0%})"


def _soon(runs: Runs, name: str) -> str:
    counts = sorted(
        kind["requests_before"]
        for run in runs
        for kind in run[name]["kinds"].values()
        if kind["requests_before"] is not None
    )
    return f"{counts[len(counts) // 2]} ({counts[-1]})"


_FIGURES: tuple[tuple[str, str, Callable[[Runs], str], str], ...] = (
    (
        "patterns",
        "kinds of twelve that are one pattern to 90%, by seed (mean completeness, purity)",
        lambda runs: _kinds(runs, "planted_meant"),
        "12 (≥ 90%, ≥ 90%)",
    ),
    ("patterns", "the same by words alone", lambda runs: _kinds(runs, "planted"), ""),
    ("patterns", "the same in the stationary stream", lambda runs: _kinds(runs, "stationary"), ""),
    (
        "patterns",
        "requests of a kind before its pattern is there: median (most)",
        lambda runs: _soon(runs, "planted_meant"),
        "few",
    ),
    (
        "planted",
        "planted patterns adopted within 600 requests each, of 6, by seed",
        lambda runs: _each(runs, "adopted_within"),
        "≥ 5",
    ),
    ("planted", "the same at the end of the stream", lambda runs: _each(runs, "adopted"), ""),
    (
        "meant",
        "the same with vectors of sentences: within 600 requests, by seed",
        lambda runs: _each(runs, "adopted_within"),
        "≥ 5",
    ),
    ("meant", "the same at the end of the stream", lambda runs: _each(runs, "adopted"), ""),
    ("meant", "harmful plans kept, with vectors", _harmful, "0"),
    ("meant", "efficiency by the judge, with vectors", _rise, "+15"),
    (
        "chosen",
        "adopted with vectors and `growth.serve: bandit`, at the end of the stream",
        lambda runs: _each(runs, "adopted"),
        "",
    ),
    ("chosen", "efficiency by the judge, with vectors and `bandit`", _rise, ""),
    (
        "authored",
        "the same with a model that writes instructions, of which half are right",
        lambda runs: _each(runs, "adopted"),
        "",
    ),
    ("planted", "harmful plans kept", _harmful, "0"),
    ("planted", "efficiency by the judge, first and last 1,000 requests", _rise, "+15"),
    ("planted", "the same by `waggle report`, on what is known in the end", _own, "+15"),
    (
        "changing",
        "efficiency by the judge before the world changes, in the 1,000 requests after, and 2,000 "
        "after",
        lambda runs: _recovery(runs, "efficiency"),
        "falls, and is back in 2,000",
    ),
    (
        "changing",
        "the same by `waggle report`",
        lambda runs: _recovery(runs, "own_efficiency"),
        "falls, and is back in 2,000",
    ),
    (
        "doubles",
        "planted doubles of which one went; plans removed that are best somewhere",
        _merged,
        "all; 0",
    ),
    (
        "doubles",
        "doubles that `waggle report` names; pairs that it names and are none",
        _named,
        "",
    ),
    (
        "stages",
        "needless stages of 48 pipelines that go for 80% of requests, pattern by pattern; useful "
        "ones removed; requests of a pattern until then (median)",
        _stages,
        "≥ 90%; 0",
    ),
    (
        "whole_stages",
        "the same for a whole plan at once, which may lose less: `trials.epsilon`",
        _stages,
        "≥ 90%; 0",
    ),
    (
        "splits",
        "patterns of one piece that were split, as their answers came to 960",
        _false,
        "≤ 5%",
    ),
    (
        "splits",
        "patterns split rightly whose quality differs by .25, .35, .5; judged answers until then",
        _right,
        "",
    ),
    ("stationary", "stationary streams in which something grew", _bad, "≤ 5%"),
    (
        "committee",
        "a committee of five is right after 1, 2, 3 rounds (as calculated)",
        lambda runs: _committee(runs, "exact"),
        "as calculated",
    ),
    (
        "committee",
        "the same, if the members write as people do",
        lambda runs: _committee(runs, "loose"),
        "",
    ),
    (
        "committee",
        "an early stop at 4 of 5 saves calls",
        lambda runs: _early(runs, "exact"),
        "≥ 40% at ≤ 1 point",
    ),
    (
        "committee",
        "the same, if the members write as people do",
        lambda runs: _early(runs, "loose"),
        "",
    ),
)
