"""Scores questions on rows against the answers of somebody who has not seen the code.

    python -m experiments.knowledge.rows FOLDER QUESTIONS.jsonl [--show] [--set C] [--learned]

`--set` keeps the figures in `rows.json` under a letter; `--learned` says that the rules were
written with a look at this set, so that its figures say nothing about new questions.

FOLDER holds CSV files, which are loaded together; a line of QUESTIONS holds a question, perhaps the
question before it, and every acceptable answer. An answer is right, wrong, or refused; a refusal
may come with an offer, which is right or wrong too. Without `--show` only figures are printed.
"""

import argparse
import json
import math
import re
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from router.knowledge.rows.answering import RowReader, answered_by
from router.knowledge.rows.loading import write_table
from router.knowledge.rows.offering import Offer, offer_of
from router.knowledge.rows.reading import tables_of
from router.knowledge.rows.safe import runner
from router.knowledge.rows.schema import NotUnderstood, RowAnswer, Run, TableSchema

_RESULTS = Path(__file__).parent / "rows.json"


def loaded(folder: Path, store: Path) -> tuple[list[TableSchema], Run]:
    """The tables of a folder of CSV files, in a new store, and what runs queries on them."""
    schemas = []
    connection = sqlite3.connect(store)
    with connection:
        for path in sorted(folder.glob("*.csv")):
            for table in tables_of(path):
                schemas.append(write_table(connection, table, f"rows_{table.name}"))
    connection.close()
    return schemas, runner(store, schemas)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def same_cell(given: Any, due: Any) -> bool:
    """Whether a cell says what is due: numbers to a hundredth, texts as they are."""
    a, b = _number(given), _number(due)
    if a is not None and b is not None:
        return math.isclose(a, b, abs_tol=0.0101) or math.isclose(a, b, rel_tol=1e-6)
    if given is None or due is None:
        return given is due
    if isinstance(due, bool):
        return bool(given) is due
    left, right = str(given).strip(), str(due).strip()
    month = re.fullmatch(r"\d{4}-(\d{2})", left)
    if month and re.fullmatch(r"\d{1,2}", right):
        return int(month[1]) == int(right)
    return left == right or left.removesuffix(" 00:00:00") == right


def same(answer: RowAnswer, due: Any) -> bool:
    """Whether an answer is the due value, list or table; more columns than asked are no fault."""
    rows = [list(row) for row in answer.rows]
    if not isinstance(due, list):
        if due in ("yes", "no"):
            return bool(rows and rows[0][0]) is (due == "yes")
        return len(rows) == 1 and any(same_cell(cell, due) for cell in (rows[0][0], rows[0][-1]))
    if due and isinstance(due[0], list):
        return _same_rows(rows, due)
    columns = len(rows[0]) if rows else 1
    return any(_same_list([row[i] for row in rows], due) for i in {0, columns - 1})


def _same_list(given: Sequence[Any], due: Sequence[Any]) -> bool:
    left = sorted(str(x) for x in given if x is not None)
    right = sorted(str(x) for x in due if x is not None)
    if left == right:
        return True
    return len(given) == len(due) and all(map(same_cell, given, due))


def _same_rows(rows: Sequence[Sequence[Any]], due: Sequence[Sequence[Any]]) -> bool:
    rows = [row for row in rows if row[0] is not None]
    due = [row for row in due if row[0] is not None]
    if len(rows) != len(due):
        return False
    rest = list(due)
    for row in rows:
        match = next((d for d in rest if len(d) <= len(row) and all(map(same_cell, row, d))), None)
        if match is None:
            return False
        rest.remove(match)
    return True


def judged(case: Mapping[str, Any], answer: RowAnswer | NotUnderstood) -> str:
    if isinstance(answer, NotUnderstood):
        return "refused"
    if not case["answerable"]:
        return "wrong"
    accepted = case.get("answers") or [case["answer"]]
    return "right" if any(same(answer, due) for due in [case["answer"], *accepted]) else "wrong"


def judged_offer(case: Mapping[str, Any], offer: Offer) -> str:
    """Right, if one of the readings is."""
    right = any(judged(case, answer) == "right" for answer in offer.answers)
    return "right" if right else "wrong"


def measured(folder: Path, questions: Path, *, show: bool) -> dict[str, Any]:
    cases = [json.loads(line) for line in questions.read_text().splitlines() if line.strip()]
    verdicts: Counter[tuple[str, bool]] = Counter()
    offers: Counter[str] = Counter()  # of refused questions
    seconds = []
    with tempfile.TemporaryDirectory() as scratch:
        schemas, run = loaded(folder, Path(scratch) / "store.sqlite")
        reader = RowReader(schemas, run)
        for case in cases:
            began = time.perf_counter()
            previous = (case["previous"],) if case.get("previous") else ()
            answer = answered_by(reader, case["question"], run, previous)
            seconds.append(time.perf_counter() - began)
            verdict = judged(case, answer)
            verdicts[verdict, case["answerable"]] += 1
            offer = (
                None if verdict != "refused" else offer_of(reader, case["question"], run, previous)
            )
            if offer is not None:
                offers[judged_offer(case, offer)] += 1
            if show and verdict != ("right" if case["answerable"] else "refused"):
                _show(case, answer, verdict)
            if show and offer is not None:
                print(f"   OFFER {judged_offer(case, offer)}: {case['question']}: {offer.text}")
    answerable = sum(n for (_, can), n in verdicts.items() if can)
    wrong = verdicts["wrong", True] + verdicts["wrong", False]
    return {
        "questions": len(cases),
        "answerable": answerable,
        "right": verdicts["right", True],
        "right_share": round(verdicts["right", True] / answerable, 4),
        "wrong": wrong,
        "wrong_share": round(wrong / len(cases), 4),
        "refused": verdicts["refused", True],
        "offers_right": offers["right"],
        "offers_wrong": offers["wrong"],
        "refused_rightly": verdicts["refused", False],
        "milliseconds_p50": round(1000 * sorted(seconds)[len(seconds) // 2], 1),
    }


def _show(case: Mapping[str, Any], answer: RowAnswer | NotUnderstood, verdict: str) -> None:
    print(f"{verdict.upper()}: {case.get('previous') or ''} > {case['question']}")
    print(f"   due {str(case['answer'])[:100]}  {str(case.get('sql'))[:160]}")
    if isinstance(answer, NotUnderstood):
        print(f"   {answer.reason}")
    else:
        print(f"   {answer.reading}\n   {answer.sql}\n   {str(answer.rows)[:120]}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--set", help="the letter under which rows.json keeps the figures")
    parser.add_argument("--learned", action="store_true")
    given = parser.parse_args()
    figures = measured(given.folder, given.questions, show=given.show)
    print(json.dumps(figures, indent=1))
    if given.set:
        results = json.loads(_RESULTS.read_text()) if _RESULTS.exists() else {}
        results[given.set] = {"learned_from": given.learned, **figures}
        _RESULTS.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n")


if __name__ == "__main__":
    main()
