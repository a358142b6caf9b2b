"""Takes the rows of a forgotten caller out of every version of every data set."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from router.training.data_card import content_of, utc
from router.training.data_query import DataRefused
from router.training.data_rows import DataRow
from router.training.data_sets import DataSet, DataSets, without


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Whose rows are to be forgotten: by requests, by keys, or by hashes of sessions."""

    request_ids: Collection[str]
    keys: Collection[str] = ()
    sessions: Collection[str] = ()

    def owns(self, row: DataRow) -> bool:
        return (
            row.id in self.request_ids
            or row.rejected_id in self.request_ids
            or (row.key != "" and row.key in self.keys)
            or (row.by != "" and row.by in self.keys)
            or (row.session != "" and row.session in self.sessions)
        )


@dataclass(frozen=True, slots=True)
class LostRows:
    rows: Mapping[str, int]  # by the version that lost them
    damaged: tuple[str, ...]  # versions that could not be read, and were removed whole


def forget_rows(sets: DataSets, caller: Forgotten, now_micros: int) -> LostRows:
    lost: dict[str, int] = {}
    damaged: list[str] = []
    if not sets.folder.is_dir():
        return LostRows({}, ())
    with sets.locked():
        sets.remove_unfinished()
        for name in sets.names():
            for version in sets.versions(name):
                try:
                    data_set = sets.load(name, version)
                    report = sets.report(data_set)
                except (DataRefused, OSError, ValueError):
                    sets.remove(name, version)
                    damaged.append(f"{name}@v{version}")
                    continue
                gone = {row.id for row in data_set.everything if caller.owns(row)}
                cleared = _cleared(report, {*gone, *caller.request_ids})
                if gone:
                    lost[data_set.reference] = len(gone)
                    data_set = _without(data_set, gone, now_micros)
                if gone or cleared != report:
                    sets.write(data_set, cleared)
    return LostRows(lost, tuple(damaged))


def _without(data_set: DataSet, ids: Collection[str], now_micros: int) -> DataSet:
    rows = without(data_set.rows, ids)
    note = {"at": utc(now_micros), "rows": len(ids), "hash_before": data_set.card["hash"]}
    forgotten = [*data_set.card.get("forgotten", ()), note]
    card = {**data_set.card, **content_of(rows), "forgotten": forgotten}
    return replace(data_set, rows=rows, card=card)


def _cleared(report: Mapping[str, Any], ids: Collection[str]) -> dict[str, Any]:
    """The report without these requests."""
    return {
        part: [
            entry
            for entry in entries
            if entry["id"] not in ids and entry.get("of", "").rpartition(":")[2] not in ids
        ]
        for part, entries in report.items()
    }
