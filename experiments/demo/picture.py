"""The learning curve of the last `waggle demo`, as the main README opens with it.

python -m experiments.demo.picture draws it anew from `result.json`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PICTURE = HERE / "curve.svg"
_POINTS = 25


def curve(lines: Sequence[bytes]) -> dict[str, Any]:
    """Utility by stretches of the stream: the learner's with its 95% interval, and what the rule
    ladder and the best single plan would have brought on the same requests."""
    from router.demo.answers import AUTO, DemoAnswer, by_request, compared, under_ladder

    answers = [DemoAnswer.read(line) for line in lines]
    by = by_request(answers)
    routed = {number: models[AUTO] for number, models in by.items() if AUTO in models}
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
        ruled = [under_ladder(by[n]).utility for n in part]
        points.append(
            {
                "requests": at + size,
                "waggle": round(mean, 4),
                "half": round(1.96 * spread / math.sqrt(len(own)), 4),
                "ladder": round(sum(ruled) / len(part), 4),
                "best": round(sum(by[n][best].utility for n in part) / len(part), 4),
            }
        )
    return {"best_plan": best, "points": points}


def draw(told: Mapping[str, Any], path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    given = {"svg.fonttype": "none", "svg.hashsalt": "waggle", "font.family": "sans-serif"}
    with mpl.rc_context(given):
        figure = Figure(figsize=(8.6, 3.7), layout="constrained")
        axes = figure.add_subplot()
        points = told["points"]
        x = [one["requests"] for one in points]
        mean = [one["waggle"] for one in points]
        low = [one["waggle"] - one["half"] for one in points]
        high = [one["waggle"] + one["half"] for one in points]
        axes.fill_between(x, low, high, color="#0072b2", alpha=0.15, linewidth=0)
        axes.plot(x, mean, color="#0072b2", linewidth=2.4, marker="o", markersize=4, label="Waggle")
        best = f"always {told['best_plan']}, the best single plan"
        axes.plot(x, [one["best"] for one in points], "--", color="#c25700", label=best)
        axes.plot(x, [one["ladder"] for one in points], ":", color="#00795a", label="rule ladder")
        axes.set_xlabel("requests")
        axes.set_ylabel("utility of a request")
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, loc="lower right", ncols=3, fontsize=9)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        figure.savefig(path, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    draw(json.loads((HERE / "result.json").read_text())["curve"], PICTURE)
