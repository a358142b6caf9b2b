"""Shows the card of a data set, and what changed between two versions."""

from collections.abc import Mapping
from typing import Any

from router.cli.terminal import facts, out
from router.training.data_card import differences
from router.training.data_rows import SPLITS
from router.training.data_sets import DataSet


def show_card(data_set: DataSet) -> None:
    card = data_set.card
    rows = ", ".join(f"{card['rows'][split]:,} {split}" for split in SPLITS)
    split, asked_for = card["split"], card["query"]
    query = {n: v for n, v in asked_for.items() if v not in ("", [], 0, False)}
    shown = {
        "rows": rows,
        "quality": f"{card['quality']}, from {card['from']} to {card['to']}",
        "query": _listed(query),
        "sources": _listed(card["sources"]),
        "labels": _listed(card["labels"]) or "answers in free words",
        "languages": _listed(card["languages"]),
        "callers": str(card["callers"]),
        "not taken": _listed(card["left_out"]),
        "duplicates": _listed(card["duplicates"]),
        "personal": _listed(card["personal"]) or "nothing was found",
        "usual forms": f"{card.get('usual_forms', 0):,} answers were written in another form",
        "leaks": _listed(card["leaks"]) or "none",
        "compared with": _listed(card["compared_with"]) or "its own test and validation rows",
        "split": _listed(split),
        "forgotten": "; ".join(f"{note['rows']} rows, {note['at']}" for note in card["forgotten"])
        or "nobody",
        "hash": card["hash"][:16],
    }
    out.print(f"[bold]{data_set.reference}[/], made {card['made_at']}")
    out.print(facts(shown))


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def changes(old: DataSet, new: DataSet) -> dict[str, Any]:
    before = {row.id: (row, split) for split in SPLITS for row in old.rows[split]}
    after = {row.id: (row, split) for split in SPLITS for row in new.rows[split]}
    both = before.keys() & after.keys()
    return {
        "query": differences(old.card, new.card),
        "rows before": len(before),
        "rows now": len(after),
        "came": len(after.keys() - before.keys()),
        "went": len(before.keys() - after.keys()),
        "moved to another split": sum(before[id_][1] != after[id_][1] for id_ in both),
        "with another answer": sum(before[id_][0].answers != after[id_][0].answers for id_ in both),
    }
