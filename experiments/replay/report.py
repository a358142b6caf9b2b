"""Tables of runs, the tables of the README, and pictures of learning curves."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure

from experiments.readme import table


def tables(results: Sequence[tuple[Any, Mapping[str, Any]]]) -> dict[str, Any]:
    """Mean results of each player over its seeds, with their standard errors, for each table."""
    grouped: dict[str, dict[str, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for job, figures in results:
        stream = f"{job.data_set}{', tagged' if job.tagged else ''}"
        grouped[f"{job.table}|{stream}"][job.name].append(figures)
    result: dict[str, Any] = {}
    for key, players in grouped.items():
        name, stream = key.split("|")
        result.setdefault(name, {})[stream] = {
            player: _summed(runs) for player, runs in players.items()
        }
    if "costs" in result:
        result["saved"] = {s: _saved(points) for s, points in result["costs"].items()}
    return result


def _summed(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    summed: dict[str, Any] = {"runs": len(runs)}
    for name in runs[0]:
        values = np.array([run[name] for run in runs], dtype=float)
        if values.ndim > 1:
            summed[name] = [round(float(v), 5) for v in values.mean(axis=0)]
            continue
        summed[name] = round(float(values.mean()), 6)
        if name in ("last_fifth", "all", "first_200", "after", "over_mix"):
            error = values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else 0.0
            summed[f"{name}_se"] = round(float(error), 6)
        if name == "worst_overshoot":
            summed["worst_seed"] = round(float(values.max()), 6)
    return summed


def _saved(points: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Dollars saved at the strongest model's quality, and APGR: the share of the quality gap that
    is closed, averaged over all shares of the dearer model."""
    rows = sorted(points.values(), key=lambda row: row["cost"])
    strong, dear = rows[0]["strong_quality"], rows[0]["strong_cost"]
    weak, low = rows[0]["cheap_quality"], rows[0]["cheap_cost"]
    # Find the cheapest mixture of two points of the sweep with the strongest model's quality.
    best = dear
    for row in rows:
        for other in rows:
            if row["quality"] >= strong > other["quality"]:
                share = (strong - other["quality"]) / (row["quality"] - other["quality"])
                best = min(best, share * row["cost"] + (1 - share) * other["cost"])
        if row["quality"] >= strong:
            best = min(best, row["cost"])
    mix = weak + (strong - weak) * (best - low) / (dear - low)
    shares = [min(max((row["cost"] - low) / (dear - low), 0.0), 1.0) for row in rows]
    closed = [(row["quality"] - weak) / (strong - weak) for row in rows]
    ends = sorted([(0.0, 0.0), *zip(shares, closed, strict=True), (1.0, 1.0)])
    at = np.linspace(0, 1, 101)
    curve = np.interp(at, [x for x, _ in ends], [y for _, y in ends])
    return {
        "strong_quality": strong,
        "strong_usd_per_1k": 1000 * dear,
        "usd_per_1k": 1000 * best,
        "saved": 1 - best / dear,
        "quality_of_mix": mix,
        "apgr": float(np.trapezoid(curve, at)),
    }


def plots(result: Mapping[str, Any], folder: Path) -> None:
    """Write the learning curves as PNG and HTML files."""
    folder.mkdir(parents=True, exist_ok=True)
    for stream, players in result.get("main", {}).items():
        name = stream.replace(", ", "-")
        figure = Figure(figsize=(9, 5))
        axes = figure.add_subplot()
        shown = go.Figure()
        for player, figures in players.items():
            curve = np.convolve(figures["curve"], np.ones(3) / 3, mode="valid")
            at = np.linspace(0, 100, len(curve))
            axes.plot(at, curve, label=player, lw=2.5 if player == "waggle" else 1)
            shown.add_scatter(x=at, y=curve, name=player)
        axes.axhline(0, color="black", lw=0.8)
        axes.set_xlabel("share of the stream, %")
        axes.set_ylabel("utility over the best single model")
        axes.set_title(stream)
        axes.legend(fontsize=7)
        figure.tight_layout()
        figure.savefig(folder / f"{name}.png", dpi=120)

        shown.update_layout(
            title=stream,
            xaxis_title="share of the stream, %",
            yaxis_title="utility over the best single model",
        )
        shown.write_html(folder / f"{name}.html", include_plotlyjs=True)


def readme_table(result: Mapping[str, Any]) -> str:
    main = result["main"]
    streams = {
        "llmrouter, tagged": "llmrouter, tags",
        "llmrouter": "llmrouter",
        "bfcl_july": "BFCL, 12 models",
        "near_equal": "near equals",
    }
    names = [
        *("waggle", "Thompson without context", "rule ladder", "random", "River LinUCBDisjoint"),
        *("Vowpal Wabbit squarecb", "Vowpal Wabbit regcb", "MABWiser LinTS"),
    ]
    rows = [
        [
            f"**{name}**" if name == "waggle" else name,
            *(
                f"{main[s][name]['last_fifth']:+.3f} ± {main[s][name]['last_fifth_se']:.3f}"
                for s in streams
            ),
        ]
        for name in names
    ]
    bounds = result["bounds"]
    rows.append(
        [
            "ridge regression on the outcomes of all arms",
            *(f"{bounds[s]['full_information']:+.3f}" if s in bounds else "" for s in streams),
        ]
    )
    return table(["utility over the best single model, last fifth", *streams.values()], rows)


def savings_table(result: Mapping[str, Any]) -> str:
    """A table for a README: dollars saved at the strongest model's quality, beside a random mix."""
    streams = {
        "llmrouter, tagged": "llmrouter, 9 models",
        "routellm_mmlu": "MMLU, 2 models",
        "bfcl_july": "BFCL, 12 models",
    }
    rows = [
        [
            name,
            f"{saved['strong_quality']:.3f}",
            f"{saved['saved']:.0%}",
            f"{saved['quality_of_mix']:.3f}",
        ]
        for stream, name in streams.items()
        for saved in (result["saved"][stream],)
    ]
    head = [
        "recorded answers of",
        "quality of the strongest model",
        "dollars saved at that quality",
        "quality of a random mix for the same money",
    ]
    return table(head, rows)
