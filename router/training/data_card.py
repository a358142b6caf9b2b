"""The card of a data set: what it was made of, what was taken out and why, and what is in it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from router.training.data_rows import SPLITS, counted, labels_of
from router.training.data_sets import Rows, hash_of_files, hashes_of


def content_of(rows: Rows) -> dict[str, Any]:
    """The part of a card that the rows alone decide."""
    everything = [row for split in SPLITS for row in rows[split]]
    files = hashes_of(rows)
    times = [row.ts for row in everything]
    qualities = [row.quality for row in everything]
    return {
        "rows": {split: len(rows[split]) for split in SPLITS},
        "from": utc(min(times)) if times else None,
        "to": utc(max(times)) if times else None,
        "quality": round(sum(qualities) / len(qualities), 4) if qualities else None,
        "sources": counted(row.source for row in everything),
        "labels": labels_of(everything),
        "labels_by_split": {split: labels_of(rows[split]) for split in SPLITS},
        "tasks": counted(row.task for row in everything),
        "patterns": counted(row.pattern for row in everything),
        "languages": counted(row.language for row in everything),
        "plans": counted(row.plan for row in everything),
        "callers": len({row.key for row in everything}),
        "clusters": len({row.cluster for row in everything}),
        "files": files,
        "hash": hash_of_files(files),
    }


def utc(micros: int) -> str:
    return dt.datetime.fromtimestamp(micros / 1e6, dt.UTC).isoformat(timespec="seconds")


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The settings of the query that two versions do not share."""
    old, new = before["query"], after["query"]
    return {
        name: (old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    }
