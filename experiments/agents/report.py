"""The figures of simulated agents' sessions, with their intervals, and the table of the page."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.readme import table

_RESAMPLES = 4_000
Matrix = np.ndarray[Any, np.dtype[np.float64]]


def figures(runs: Sequence[dict[str, Any]], pair: str) -> dict[str, Any]:
    """The figures of one pair of models over all its worlds. Sessions are resampled whole, with
    what every player made of them, so that intervals are those of paired differences."""
    of_pair = [run for run in runs if run["pair"] == pair]
    if not of_pair:
        return {}
    names = list(of_pair[0]["runs"])
    columns = {
        name: {
            key: np.array([float(s[key]) for run in of_pair for s in run["runs"][name]])
            for key in ("solved", "dollars", "turns", "strong_turns", "moves")
        }
        for name in names
    }
    count = len(columns["Waggle"]["solved"])
    chosen = np.random.default_rng(1).integers(0, count, (_RESAMPLES, count))
    late = np.concatenate(
        [
            np.arange(len(run["runs"]["Waggle"])) >= len(run["runs"]["Waggle"]) // 2
            for run in of_pair
        ]
    )
    return {
        "sessions": count,
        "worlds": len(of_pair),
        "players": {name: _means(columns[name]) for name in names},
        "players_second_half": {
            name: _means({key: values[late] for key, values in columns[name].items()})
            for name in names
        },
        "dollars_ratio": _interval(lambda at: _ratio(columns, at), chosen),
        "dollars_ratio_second_half": _ratio(columns, np.flatnonzero(late)),
        "solved_minus_strong": _interval(lambda at: _less_strong(columns, at), chosen),
        "solved_minus_strong_second_half": _less_strong(columns, np.flatnonzero(late)),
        "solved_minus_mix": _interval(lambda at: _less_mix(columns, at), chosen),
        "rule_dollars_ratio": _interval(lambda at: _ratio(columns, at, "rule"), chosen),
        "strategies": {
            name: sum(run["strategies"].get(name, 0) for run in of_pair)
            for name in sorted({name for run in of_pair for name in run["strategies"]})
        },
    }


def _means(columns: dict[str, Any]) -> dict[str, float]:
    turns = float(columns["turns"].sum())
    return {
        "solved": float(columns["solved"].mean()),
        "dollars": float(columns["dollars"].mean()),
        "turns": turns / len(columns["turns"]),
        "strong_share": float(columns["strong_turns"].sum()) / turns,
        "moves": float(columns["moves"].mean()),
    }


def _ratio(columns: dict[str, Any], at: Any, name: str = "Waggle") -> float:
    return float(columns[name]["dollars"][at].sum() / columns["strong"]["dollars"][at].sum())


def _less_strong(columns: dict[str, Any], at: Any) -> float:
    return float(columns["Waggle"]["solved"][at].mean() - columns["strong"]["solved"][at].mean())


def _less_mix(columns: dict[str, Any], at: Any) -> float:
    """Waggle's share of solved sessions, less that of a coin that costs the same: it gives whole
    sessions to one of the two models, so it never loses a cache."""
    spent, solved = (
        {name: float(columns[name][key][at].mean()) for name in ("weak", "strong", "Waggle")}
        for key in ("dollars", "solved")
    )
    share = (spent["Waggle"] - spent["weak"]) / (spent["strong"] - spent["weak"])
    return solved["Waggle"] - (1 - share) * solved["weak"] - share * solved["strong"]


def _interval(value: Any, chosen: Any) -> dict[str, float]:
    values = np.array([value(at) for at in chosen])
    low, high = np.quantile(values, (0.025, 0.975))
    return {"value": float(value(np.arange(chosen.shape[1]))), "low": float(low),
            "high": float(high)}  # fmt: skip


def readme_table(result: dict[str, Any]) -> str:
    rows = []
    for pair, of_pair in result.items():
        if not of_pair:
            continue
        for name in ("strong", "weak", "rule", "Waggle"):
            means = of_pair["players"][name]
            rows.append(
                [
                    pair,
                    _NAMES[name],
                    f"{means['solved']:.1%}",
                    f"${means['dollars']:.3f}",
                    f"{means['dollars'] / of_pair['players']['strong']['dollars']:.0%}",
                    f"{means['strong_share']:.0%}",
                    f"{means['moves']:.1f}",
                ]
            )
    lines = [
        table(
            ["models", "player", "solved", "a session", "of strong", "turns by strong", "moves"],
            rows,
        )
    ]
    for pair, of_pair in result.items():
        if of_pair:
            lines.append(_sentence(pair, of_pair))
    return "\n\n".join(lines)


_NAMES = {
    "strong": "always strong",
    "weak": "always weak",
    "rule": "strong while stuck",
    "Waggle": "**Waggle**",
}


def _sentence(pair: str, of_pair: dict[str, Any]) -> str:
    ratio, strong, mix = (
        of_pair[name] for name in ("dollars_ratio", "solved_minus_strong", "solved_minus_mix")
    )
    return (
        f"{pair}, {of_pair['sessions']:,} sessions: Waggle pays {ratio['value']:.1%} "
        f"({ratio['low']:.1%} to {ratio['high']:.1%}) of what always the strong model costs, in "
        f"the second half {of_pair['dollars_ratio_second_half']:.1%}; it solves "
        f"{100 * strong['value']:+.2f} points ({100 * strong['low']:+.2f} to "
        f"{100 * strong['high']:+.2f}) against it, in the second half "
        f"{100 * of_pair['solved_minus_strong_second_half']:+.2f}, and "
        f"{100 * mix['value']:+.1f} points ({100 * mix['low']:+.1f} to {100 * mix['high']:+.1f}) "
        "against a coin that costs the same."
    )
