"""The last result as a table for a README."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table

_NAMES = {
    "kind": "kind",
    "near": "closest neighbourhood",
    "rung": "rung",
    "choice": "likeliest plan",
}


def readme_table(result: Mapping[str, Any]) -> str:
    """What stays the same, on the half that was not looked at before, then and now."""
    now, before = result["held"]["sets"], result["held before"]["sets"]
    rows = [
        (name, *(_shares(before[of], now[of], "all", measure) for of in now))
        for measure, name in _NAMES.items()
    ]
    cells = (_shares(before[of], now[of], "all", "commonest plan") for of in now)
    rows.append(("prompts whose plan is the commonest", *cells))
    for rule in ("typos", "marks", "casing", "synonyms", "filler"):
        cells = (_shares(before[of], now[of], rule, "choice") for of in now)
        rows.append((f"likeliest plan, {rule}", *cells))
    return table(("the same for prompt and paraphrase", *now), rows)


def _shares(before: Mapping[str, Any], now: Mapping[str, Any], rule: str, measure: str) -> str:
    return f"{before[rule][measure]:.1%} → {now[rule][measure]:.1%}"


def score_table(result: Mapping[str, Any]) -> str:
    """How well the ladder's score tells where the strongest model beats the cheapest."""
    scores = result["held"]["score"]
    rows = [
        ("the ladder's score", *(f"{scores[of]['ladder']:.2f}" for of in scores)),
        ("trees on the vector and the score", *(f"{scores[of]['trees']:.2f}" for of in scores)),
    ]
    return table(("area under the curve", *scores), rows)
