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
        runs = grouped.setdefault(job.stream, {}).setdefault(job.name, [])
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
        if name in _COMPARED:
            result[f"{name}_runs"] = [round(float(value), 6) for value in values]
    return result


_WITH_ERRORS = (
    *("last_fifth", "all", "first_200", "after", "mix_last_fifth", "mix_all"),
    *("used_after", "final_share"),
)
_COMPARED = ("last_fifth", "all")  # figures that are compared seed by seed
_FULL = "extra trees, full information"


def streams_by_harm(result: Mapping[str, Any]) -> list[str]:
    """The streams, those first where Waggle loses most in the last fifth."""
    main = result["main"]
    return sorted(main, key=lambda stream: main[stream].get("waggle", {}).get("last_fifth", 0.0))


def harm_table(result: Mapping[str, Any]) -> str:
    """Every player on every stream; the streams where Waggle does most harm come first."""
    rows = []
    for stream in streams_by_harm(result):
        for name, figures in _with_mix(result["main"][stream]).items():
            quality = f"{figures['quality']:.3f}" if "quality" in figures else ""
            dollars = f"{figures['usd_per_1k']:.3g}" if "usd_per_1k" in figures else ""
            gains = [_with_error(figures, part) for part in ("last_fifth", "all", "first_200")]
            rows.append([stream, name, *gains, quality, dollars])
    head = ["set", "player", "last fifth", "whole stream", "first 200", "quality", "$ per 1k"]
    return table(head, rows)


def learning_table(result: Mapping[str, Any]) -> str:
    """One line a stream: Waggle as the service runs it, harm first."""
    rows = []
    for stream in streams_by_harm(result):
        by_player = result["main"][stream]
        ours, described = by_player["waggle"], result["sets"][stream.removesuffix(", tags")]
        rows.append(
            [
                stream,
                f"{described['models']} × {described['prompts']:,}",
                *(_with_error(ours, part) for part in ("last_fifth", "all", "first_200")),
                f"{ours['quality']:.3f}",
                f"{ours['usd_per_1k']:.3g}",
                _with_error(by_player.get(_FULL, {}), "last_fifth"),
                "; ".join(described["notes"]),
            ]
        )
    head = [
        *("set", "models × prompts", "last fifth", "whole stream", "first 200", "quality"),
        *("$ per 1k", "last fifth with full information", "data"),
    ]
    return table(head, rows)


def sets_table(result: Mapping[str, Any]) -> str:
    """The shortest table: one line a stream, harm first."""
    rows = []
    for stream in streams_by_harm(result):
        by_player = result["main"][stream]
        ours, described = by_player["waggle"], result["sets"][stream.removesuffix(", tags")]
        size = f"{described['models']} × {described['prompts']:,}"
        gains = [_with_error(ours, part) for part in ("last_fifth", "all")]
        possible = f"{by_player[_FULL]['last_fifth']:+.3f}" if _FULL in by_player else ""
        rows.append([stream, size, *gains, possible])
    head = ["answers of", "models × prompts", "last fifth", "whole stream", "possible"]
    return table(head, rows)


def held_table(result: Mapping[str, Any]) -> str:
    """The same for the half that nothing was chosen on."""
    return sets_table(result["held"])


def readme_table(result: Mapping[str, Any]) -> str:
    """Players by streams: utility over the best single model in the last fifth, harm first."""
    streams = streams_by_harm(result)
    shown = {stream: _with_mix(result["main"][stream]) for stream in streams}
    names = dict.fromkeys(name for by_player in shown.values() for name in by_player)
    rows = [
        [
            f"**{name}**" if name == "waggle" else name,
            *(_with_error(shown[stream].get(name, {}), "last_fifth") for stream in streams),
        ]
        for name in names
    ]
    head = ["utility over the best single model, last fifth", *streams]
    return f"{table(head, rows)}\n\n{how_measured(result)}"


def conditions_table(result: Mapping[str, Any]) -> str:
    """Waggle, as the service runs it, under each condition."""
    rows = []
    for stream, cases in result.get("conditions", {}).items():
        for name, figures in cases.items():
            parts = ("last_fifth", "all", "first_200", "after")
            gains = [_with_error(figures, part) for part in parts]
            rows.append([stream, name, *gains, _told_of_change(figures)])
    head = ["set", "condition", "last fifth", "whole stream", "first 200", "second half"]
    return table([*head, "what was noticed"], rows)


def _told_of_change(figures: Mapping[str, Any]) -> str:
    if "noticed" in figures:
        return (
            f"noticed within 300 requests in {figures['noticed']:.0%} of runs; "
            f"{figures['false_alarms']:.1f} false alarms a run before"
        )
    if "used_after" in figures:
        return (
            f"half of its final share ({figures['final_share']:.2f}) after "
            f"{figures['used_after']:.0f} requests"
        )
    alarms = figures.get("false_alarms", 0.0)
    return f"{alarms:.1f} false alarms a run" if alarms else ""


def savings_table(result: Mapping[str, Any]) -> str:
    """Dollars saved at the strongest model's quality, at a weight chosen on other seeds."""
    rows = [
        [stream, *(cell for part in parts.values() for cell in _saved_cells(part))]
        for stream, parts in result.get("saved", {}).items()
    ]
    head = ["recorded answers of"]
    for part in ("whole stream", "last fifth"):
        head += [f"{part}: saved", "quality over the strongest", "a mix for the same money"]
    return table(head, rows)


def _saved_cells(saved: Mapping[str, float]) -> list[str]:
    return [
        f"{saved['saved']:.0%} ± {saved['saved_se']:.0%}",
        f"{saved['gap']:+.3f} ± {saved['gap_se']:.3f}",
        f"{saved['mix_gap']:+.3f}",
    ]


def how_measured(result: Mapping[str, Any]) -> str:
    """Which part of the data the figures are of."""
    bound = f", at most {result['most']:,} prompts of a set" if result["most"] else ""
    return (
        f"{result['seeds']} shuffled streams of the half `{result['half']}`{bound}; "
        "± one standard error."
    )


def _with_mix(by_player: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The players, and a mix of the cheapest and the strongest model that costs what Waggle did."""
    shown = dict(by_player)
    ours = by_player.get("waggle")
    if ours is not None:
        parts = ("last_fifth", "last_fifth_se", "all", "all_se")
        shown["mix of the same cost"] = {part: ours[f"mix_{part}"] for part in parts}
    return shown


def _with_error(figures: Mapping[str, Any], part: str) -> str:
    return f"{figures[part]:+.3f} ± {figures[f'{part}_se']:.3f}" if part in figures else ""


def plots(result: Mapping[str, Any], folder: Path) -> None:
    """Write the learning curves as PNG and HTML files."""
    folder.mkdir(parents=True, exist_ok=True)
    for stream, players in result.get("main", {}).items():
        name = stream.replace(", ", "-")
        figure = Figure(figsize=(9, 5))
        axes = figure.add_subplot()
        shown = go.Figure()
        for player, figures in players.items():
            if "curve" not in figures:
                continue
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
