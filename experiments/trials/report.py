"""The last result as tables for a README, and the richest routing function of the demo's weeks."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table


def readme_table(result: Mapping[str, Any]) -> str:
    null, power, turned = result["null"], result["power"], result["turned"]
    gain, loss = power["gain"], power["loss"]
    cross = result["crosscheck"]["largest_relative_difference"]
    distilled, planted, hostile = result["distilled"], result["planted"], result["hostile"]
    rows = [
        (
            f"false verdicts in {null['trials']:,} trials of equal strategies",
            f"{null['false']:.1%}; of a t-test after each request: {null['naive']:.0%}",
        ),
        (
            "requests until a true gain of .04 is adopted (strategies differ on 30% of requests)",
            f"median {gain['requests']['median']:,.0f}; nine in ten within "
            f"{gain['requests']['p90']:,.0f}",
        ),
        (
            f"strategies with a true loss of .05 ({loss['runs']} trials)",
            f"adopted {loss['words'].get('adopt', 0)} times",
        ),
        *_turned_rows(turned),
        (
            "largest difference to the intervals of ville; of gbstats",
            f"{cross['ville']:.1%}; {cross['gbstats']:.1%}",
        ),
        (
            f"the bandit's gain on llmrouter that a distilled function keeps ({distilled['seeds']} "
            "seeds)",
            f"{distilled['share']:.0%} in at most {distilled['most_lines']} lines",
        ),
        (
            "planted useless plans that simplification removes within 32 rounds of 1,000 requests",
            _removed(planted),
        ),
        ("the same on four unseen seeds", _removed(result["planted_unseen"])),
        (
            f"{len(hostile['functions'])} hostile functions with a deadline of "
            f"{hostile['deadline_ms']:g} ms",
            f"plans changed: {hostile['changed']}; longest wait {hostile['most_ms']:.1f} ms",
        ),
    ]
    return table(("", "measured"), rows)


def _removed(planted: Mapping[str, Any]) -> str:
    return (
        f"{planted['found']} of {planted['planted']}; useful plans removed: "
        f"{planted['useful_removed']}; change of utility: at least {-planted['most_loss']:+.3f}"
    )


def _turned_rows(turned: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = []
    for fallen, runs in turned.items():
        if fallen == "stays good":
            what = f"{runs['rolled_back']} of {runs['runs']} were rolled back"
            rows.append(("adopted strategy that stays good", what))
            continue
        rows.append(
            (
                f"adopted strategy that turns bad (utility {float(fallen):+g} a request)",
                f"{runs['rolled_back']} of {runs['runs']} were rolled back, {runs['within_2000']} "
                f"within 2,000 requests; median {runs['requests']['median']:,.0f}",
            )
        )
    return rows


def weeks_table(result: Mapping[str, Any]) -> str:
    rows = [
        (
            str(week["week"]),
            week["serving"],
            str(week["paths"]),
            f"{week['quality']:.3f}",
            f"{week['utility']:.3f}",
            f"${week['usd_per_1k']:.2f}",
            f"{week['ms']:.1f}",
            "; ".join(week["events"]),
        )
        for week in result["weeks"]["weeks"]
    ]
    head = ("week", "served by", "paths", "quality", "utility", "per 1,000", "ms", "what happened")
    return table(head, rows)


def function_of(result: Mapping[str, Any]) -> str:
    """The routing function with the most `return` lines among the functions that served."""
    weeks, functions = result["weeks"]["weeks"], result["weeks"]["functions"]
    served = {week["serving"] for week in weeks}
    serving = [function["source"] for function in functions if function["key"] in served]
    richest = max(serving, key=lambda source: source.count("return "))
    return f"```python\n{richest.rstrip()}\n```"
