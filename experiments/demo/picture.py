"""Draws the learning curve of the last `waggle demo` for the main README.

`python -m experiments.demo.picture` draws the picture again from `result.json`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from router.demo.answers import AUTO, DemoAnswer, by_request, compared, under_ladder

HERE = Path(__file__).parent
PICTURE = HERE / "curve.svg"
_POINTS = 25


def curve(lines: Sequence[bytes]) -> dict[str, Any]:
    """Mean utility of the learner, the rule ladder and the best single plan on the same requests,
    for each stretch of the stream; the learner's mean has a 95% interval."""
    answers = [DemoAnswer.read(line) for line in lines]
    requests = by_request(answers)
    routed = {number: models[AUTO] for number, models in requests.items() if AUTO in models}
    ranked = [row["strategy"] for row in compared(answers)]
    best = next(name for name in ranked if name.startswith("always ")).removeprefix("always ")
    size = max(len(routed) // _POINTS, 1)
    order = sorted(routed)
    points = []
    for at in range(0, len(order) - size + 1, size):
        part = order[at : at + size]
        own = [routed[n].utility for n in part]
        mean = sum(own) / len(own)
        spread = math.sqrt(sum((u - mean) ** 2 for u in own) / max(len(own) - 1, 1))
        ruled = [under_ladder(requests[n]).utility for n in part]
        points.append(
            {
                "requests": at + size,
                "waggle": round(mean, 4),
                "half": round(1.96 * spread / math.sqrt(len(own)), 4),
                "ladder": round(sum(ruled) / len(part), 4),
                "best": round(sum(requests[n][best].utility for n in part) / len(part), 4),
            }
        )
    return {"best_plan": best, "points": points}


def draw(figures: Mapping[str, Any], path: Path) -> None:
    # With a fixed salt, the same figures give the same file, byte for byte.
    style: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "waggle",
        "font.family": "sans-serif",
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(8.6, 3.7), layout="constrained")
        axes = figure.add_subplot()
        points = figures["points"]
        x = [point["requests"] for point in points]
        mean = [point["waggle"] for point in points]
        low = [point["waggle"] - point["half"] for point in points]
        high = [point["waggle"] + point["half"] for point in points]
        axes.fill_between(x, low, high, color="#0072b2", alpha=0.15, linewidth=0)
        axes.plot(x, mean, color="#0072b2", linewidth=2.4, marker="o", markersize=4, label="Waggle")
        best = f"always {figures['best_plan']}, the best single plan"
        axes.plot(x, [point["best"] for point in points], "--", color="#c25700", label=best)
        axes.plot(
            x, [point["ladder"] for point in points], ":", color="#00795a", label="rule ladder"
        )
        axes.set_xlabel("requests")
        axes.set_ylabel("utility of a request")
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, loc="lower right", ncols=3, fontsize=9)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        figure.savefig(path, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    draw(json.loads((HERE / "result.json").read_text())["curve"], PICTURE)
