"""Scores the finders of personal data and of forbidden words on cases with known answers. Pure."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from router.guardrails.personal import PERSONAL_KINDS, personal_spans
from router.guardrails.words import WordList

Case = Mapping[str, Any]


def cases_in(path: Path) -> list[Case]:
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def personal_scores(cases: Sequence[Case]) -> dict[str, dict[str, int]]:
    """For each kind, how many places are right, missed and wrong. A place counts only whole."""
    scores: dict[str, dict[str, int]] = {
        kind: {"right": 0, "missed": 0, "wrong": 0} for kind in PERSONAL_KINDS
    }
    for case in cases:
        text = case["text"]
        places = Counter((text[s.start : s.end], s.kind) for s in personal_spans(text))
        wanted = Counter((span["text"], span["kind"]) for span in case["spans"])
        sides = (
            ("right", places & wanted),
            ("missed", wanted - places),
            ("wrong", places - wanted),
        )
        for name, side in sides:
            for (_, kind), count in side.items():
                scores[kind][name] += count
    return scores


def word_scores(cases: Sequence[Case]) -> dict[str, int]:
    """How many texts are rightly blocked, wrongly let pass, and wrongly blocked."""
    scores = {"right": 0, "missed": 0, "wrong": 0}
    for case in cases:
        patterns = [entry for entry in case["list"] if _is_pattern(entry)]
        words = tuple(entry for entry in case["list"] if entry not in patterns)
        blocks = bool(WordList(words, tuple(p[1:-1] for p in patterns)).spans(case["text"]))
        if case["blocked"]:
            scores["right" if blocks else "missed"] += 1
        elif blocks:
            scores["wrong"] += 1
    return scores


def _is_pattern(entry: str) -> bool:
    return len(entry) > 2 and entry[0] == entry[-1] == "/"
