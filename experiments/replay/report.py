"""Tables of runs, the tables of the README, and pictures of learning curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure

from experiments.readme import table


def summed(results: Sequence[tuple[Any, Mapping[str, Any]]]) -> dict[str, Any]:
    """Each player's mean figures over its seeds with their standard errors, by stream."""
    grouped: dict[str, dict[str, list[tuple[int, Mapping[str, Any]]]]] = {}
    for job, figures in results:
        stream = f"{Path(job.data_set).stem}{', tags' if job.tagged else ''}"
        runs = grouped.setdefault(stream, {}).setdefault(job.name, [])
        runs.append((job.seed, figures))
    return {
        stream: {name: _over_seeds(runs) for name, runs in by_player.items()}
        for stream, by_player in grouped.items()
    }


def _over_seeds(runs: Sequence[tuple[int, Mapping[str, Any]]]) -> dict[str, Any]:
    ordered = [figures for _, figures in sorted(runs, key=lambda run: run[0])]
    result: dict[str, Any] = {"runs": len(ordered)}
    for name in ordered[0]:
        values = np.array([figures[name] for figures in ordered], dtype=float)
        if values.ndim > 1:
            result[name] = [round(float(value), 5) for value in values.mean(axis=0)]
            continue
        result[name] = round(float(values.mean()), 6)
        if name in _WITH_ERRORS:
            error = values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else 0.0
            result[f"{name}_se"] = round(float(error), 6)
            result[f"{name}_runs"] = [round(float(value), 6) for value in values]
    return result


def harm_table(result: Mapping[str, Any]) -> str:
    """Every player on every stream; the streams where Waggle does most harm come first."""
    main = result["main"]
    streams = sorted(main, key=lambda stream: main[stream].get("waggle", _NONE)["last_fifth"])
    rows = []
    for stream in streams:
        described = result["sets"][stream.removesuffix(", tags")]
        size = f"{described['models']} models, {described['prompts']:,} prompts"
        for name, figures in _with_mix(main[stream]).items():
            rows.append([f"{stream}: {size}", name, *_cells(figures)])
    head = ["set", "player", "last fifth", "whole stream", "first 200", "quality", "$ per 1k"]
    return table(head, rows)


_NONE = {"last_fifth": 0.0}
_WITH_ERRORS = ("last_fifth", "all", "first_200", "mix_last_fifth", "mix_all")


def _with_mix(by_player: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The players, and a mix of the cheapest and the strongest model that costs what Waggle did."""
    shown = dict(by_player)
    ours = by_player.get("waggle")
    if ours is not None:
        shown["mix of the same cost"] = {
            part: ours[f"mix_{part}"] for part in ("last_fifth", "last_fifth_se", "all", "all_se")
        }
    return shown


def _cells(figures: Mapping[str, Any]) -> list[str]:
    def error(name: str) -> str:
        return f"{figures[name]:+.3f} ± {figures[f'{name}_se']:.3f}" if name in figures else ""

    quality = f"{figures['quality']:.3f}" if "quality" in figures else ""
    dollars = f"{figures['usd_per_1k']:.3g}" if "usd_per_1k" in figures else ""
    return [error("last_fifth"), error("all"), error("first_200"), quality, dollars]


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
