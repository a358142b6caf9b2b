"""The suites of blind cases: requests by strangers on a bare machine, and with a scripted author.

The cases lie in `tests/sandbox/blind`, named `a.seen.jsonl` and so on: `a`, `b`, `e` and `f` are
English, each with a Spanish twin (`a.es`); `c` and `d` bring programs for the author. The figures
of a README are those of the cases that nobody tuned to: the unseen halves of `e` and `f`, opened
once. All of `a` and `b` was looked at after it had been measured.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.readme import table
from experiments.statistics.blind import answers_by_rule, cases_in, counts
from experiments.statistics.grading import Graded
from experiments.statistics.scripted_author import answers_by_author

FOLDER = Path(__file__).parent.parent.parent / "tests" / "sandbox" / "blind"
HALVES = ("seen", "unseen")
_OPENED = ("a.seen", "a.unseen", "b.seen", "b.unseen", "e.seen", "f.seen")
BARE = {"seen": _OPENED, "unseen": ("e.unseen", "f.unseen")}
LANGUAGES = {"English": "", "Spanish": ".es"}
AUTHOR = {half: (f"c.{half}", f"d.{half}") for half in HALVES}
_SEEDS = {"seen": (1,), "unseen": (1, 2)}  # of the author's draws


async def suites() -> dict[str, Any]:
    """Right, wrong and refused of every suite whose files are there, by half."""
    result: dict[str, Any] = {}
    for half in HALVES:
        for name, mark in LANGUAGES.items():
            cases = _cases([file.replace(".", f"{mark}.") for file in BARE[half]])
            if cases:
                result.setdefault(name, {})[half] = counts(await answers_by_rule(cases))
        cases = _cases(AUTHOR[half])
        if cases:
            graded: list[Graded] = []
            for seed in _SEEDS[half]:
                graded += await answers_by_author(cases, seed=seed)
            result.setdefault("with a scripted author", {})[half] = counts(graded)
    return result


def _cases(names: Sequence[str]) -> list[dict[str, Any]]:
    files = [FOLDER / f"{name}.jsonl" for name in names]
    return cases_in(file for file in files if file.is_file())


def suites_table(result: Mapping[str, Any]) -> str:
    """The halves that nobody tuned to, as a table for a README."""
    rows = []
    for name, halves in result.items():
        figures = halves.get("unseen")
        if figures:
            keys = ("right", "wrong_certified", "refused")
            shares = [f"{figures[key] / figures['all']:.1%}" for key in keys]
            rows.append([name, str(figures["all"]), *shares])
    return table(
        ["requests of strangers", "asked", "right", "wrong, above `unverified`", "refused"], rows
    )
