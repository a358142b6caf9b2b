"""Plays the committee of `worlds/committee.json` through the executor of plans.

Five scripted members answer each question. In round r a member says its word of that round if it
was shown the last words of all the others; otherwise it repeats its first word. Figures that
arithmetic gives beforehand stand in the file.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from experiments.plans.scripted import played
from router.config.config import Config
from router.plans.compiled import Plans

FILE = Path(__file__).parent / "worlds" / "committee.json"
_CASES: Mapping[str, tuple[int, float | None]] = {
    "rounds_1": (1, None),
    "rounds_2": (2, None),
    "rounds_3": (3, None),
    "early_stop_0.8": (3, 0.8),
}
_HEARD = re.compile(r'<member number="\d+"[^>]*>\n(.*)\n</member>')


async def measured(half: str, *, loose: bool = False) -> dict[str, Any]:
    """Right answers and calls over the questions of a half, beside the calculated figures.

    `loose`: the members write as a person would, with full stops and "I think".
    """
    content = json.loads(FILE.read_text(encoding="utf-8"))
    members = content["members"]
    questions = [q for q in content["questions"] if q["split"] == half]
    plans = Plans(_config(members))
    rows: dict[str, Any] = {}
    for case in _CASES:
        right = calls = 0
        for question in questions:
            says = partial(_says, question, members, loose=loose)
            text, made = await played(plans, case, question["id"], question["question"], says)
            right += _plain(text) == _plain(question["right"])
            calls += made
        rows[case] = {"right": right, "calls": calls, "of": len(questions)}
    full, early = rows["rounds_3"], rows["early_stop_0.8"]
    return {
        "questions": len(questions),
        "cases": rows,
        "calculated": {
            case: {name: content["calculated"][half][case][name] for name in ("right", "calls")}
            for case in _CASES
        },
        "saves_calls": round(1 - early["calls"] / full["calls"], 4),
        "costs_points": round(100 * (full["right"] - early["right"]) / len(questions), 2),
    }


def _config(members: Sequence[str]) -> Config:
    price = {"input": 1.0, "output": 1.0}
    backend = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1", "price": price}
    plans = {}
    for case, (rounds, agreement) in _CASES.items():
        stop = {} if agreement is None else {"stop": {"agreement": agreement}}
        plans[case] = {"committee": {"members": list(members), "rounds": rounds, **stop}}
    return Config.model_validate({"backends": dict.fromkeys(members, backend), "plans": plans})


def _says(
    question: Mapping[str, Any],
    members: Sequence[str],
    member: str,
    turn: int,
    messages: Sequence[Mapping[str, Any]],
    *,
    loose: bool,
) -> str:
    rounds = question["says_loose" if loose else "opinions"]
    if turn == 0:
        return str(rounds[0][member])
    heard = Counter(_HEARD.findall(messages[-1]["content"]))
    others = Counter(str(rounds[turn - 1][name]) for name in members if name != member)
    return str(rounds[turn if heard == others else 0][member])


def _plain(text: str) -> str:
    """An answer without the marks of how a person says it."""
    words = re.sub(r"^(i think|it's|i'd say|my answer:)\s+", "", text.strip().lower())
    return words.rstrip(".!")
