"""Makes a version of a data set: reads, cleans, thins out, parts and checks rows, then writes them.

A caller may be forgotten while a version is made. So the rows are read again before they are
written, under the lock that forgetting takes too, and only rows that are still there are written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from router.training.alike import Distinct, distinct
from router.training.benchmark_files import HeldOut, held_out_texts
from router.training.data_card import content_of, utc
from router.training.data_query import DataQuery, DataRefused, checked_name
from router.training.data_rows import DataRow, counted
from router.training.data_sets import DataSet, DataSets, Rows, without
from router.training.labels import in_usual_forms, labels_in, softened
from router.training.leaks import Leak, leaks
from router.training.logged_rows import LoggedRows
from router.training.meaning import Meaning
from router.training.scrubbing import scrubbed
from router.training.splitting import Parted, parted

if TYPE_CHECKING:
    from router.training.meaning import Vectors

Read = Callable[[DataQuery], LoggedRows]
_NOT_SEARCHED = "paraphrases were not looked for"


@dataclass(frozen=True, slots=True)
class Made:
    data_set: DataSet
    fresh: bool  # false: the latest version has the same rows, and no version was written


@dataclass
class DataMaker:
    """Makes data sets from what `read` gives. Without a `meaning`, no paraphrase is looked for."""

    sets: DataSets
    read: Read
    meaning: Meaning | None
    progress: Callable[[str], None] = field(default=lambda _: None)

    def make(self, name: str, query: DataQuery, now_micros: int) -> Made:
        checked_name(name)
        query = replace(query, until=query.until or now_micros)
        held_out = [text for given in query.against for text in self._held_out(given)]
        self.progress("reading telemetry")
        logged = self.read(query)
        if not logged.rows:
            raise DataRefused(_nothing(logged.left_out))
        clean, personal = scrubbed(logged.rows)
        labels = labels_in(clean)
        clean, rewritten = in_usual_forms(softened(clean, labels), labels)
        rows = distinct(clean, self.meaning, self.progress, labels)
        parts = parted(rows.rows, rows.vectors, query.validation_share, query.test_share)
        self.progress("looking for leaks")
        leaked = self._leaks(rows, parts, held_out)
        kept = without(parts.rows, {leak.id for leak in leaked})
        with self.sets.locked():
            kept, gone = _still_there(kept, self.read(query).rows)
            parent = self.sets.latest(name)
            content = content_of(kept)
            if parent is not None and _same(parent, content, query):
                return Made(parent, fresh=False)
            card = {
                "name": name,
                "version": self._next(name),
                "parent": None if parent is None else parent.version,
                "made_at": utc(now_micros),
                "query": query.as_json(),
                **content,
                "left_out": dict(logged.left_out) | ({"forgotten meanwhile": gone} if gone else {}),
                "duplicates": self._duplicates(rows),
                "personal": personal,
                "usual_forms": rewritten,
                "leaks": counted(leak.place.partition(":")[0] for leak in leaked),
                "compared_with": counted(text.place.partition(":")[0] for text in held_out),
                "split": _split(parts),
                "forgotten": [],
            }
            data_set = DataSet(name, card["version"], card, kept)
            self.sets.remove_unfinished()
            self.sets.write(data_set, _report(rows, parts, leaked))
        return Made(data_set, fresh=True)

    def _next(self, name: str) -> int:
        return max(self.sets.versions(name), default=0) + 1

    def _held_out(self, given: str) -> Iterable[HeldOut]:
        """The texts of a file, or the requests of a data set that are not for training."""
        if given.partition("@")[0] not in self.sets.names():
            return held_out_texts(given)
        other = self.sets.named(given)
        return _texts(other.reference, (*other.rows["validation"], *other.rows["test"]))

    def _leaks(self, rows: Distinct, parts: Parted, held_out: Sequence[HeldOut]) -> list[Leak]:
        """Rows for training or validation that hold a text which is held out from them."""
        train, validation = parts.rows["train"], parts.rows["validation"]
        test = _texts("test", parts.rows["test"])
        places = {row.id: place for place, row in enumerate(rows.rows)}

        def search(among: Sequence[DataRow], texts: Sequence[HeldOut]) -> list[Leak]:
            vectors: Vectors | None = None
            if rows.vectors is not None:
                vectors = rows.vectors[[places[row.id] for row in among]]
            return leaks(among, vectors, texts, self.meaning)

        leaked = search((*train, *validation), [*held_out, *test])
        gone = {leak.id for leak in leaked}
        left = [row for row in validation if row.id not in gone]
        return leaked + search(
            [row for row in train if row.id not in gone], _texts("validation", left)
        )

    def _duplicates(self, rows: Distinct) -> dict[str, Any]:
        models: dict[str, Any] = {"paraphrases": _NOT_SEARCHED}
        if self.meaning is not None:
            verifier = "the pair verifier" if self.meaning.verifier else "no verifier, so fewer"
            models = {"paraphrases": f"by {self.meaning.encoder.name} and {verifier}"}
        return {
            **rows.by_kind,
            "contradictions": rows.contradictions,
            "unjudged_pairs": rows.unjudged_pairs,
            **models,
        }


def _texts(place: str, rows: Iterable[DataRow]) -> list[HeldOut]:
    return [HeldOut(f"{place}:{row.id}", row.text) for row in rows]


def _nothing(left_out: Mapping[str, int]) -> str:
    if not left_out:
        return (
            "no request fits the query: look for its task with `waggle scores`, for its pattern "
            "with `waggle patterns`, or take a longer time"
        )
    reasons = ", ".join(f"{count:,} {why}" for why, count in left_out.items())
    return (
        f"no row fits the query: {reasons}. Ask for a lower --least-quality, or let callers "
        "rate answers (POST /v1/feedback)"
    )


def _still_there(rows: Rows, logged: Iterable[DataRow]) -> tuple[Rows, int]:
    """The rows that telemetry still holds, and how many it does not hold any more."""
    there = {(row.id, row.rejected_id, row.by) for row in logged}
    gone = {
        row.id
        for split in rows.values()
        for row in split
        if (row.id, row.rejected_id, row.by) not in there
    }
    return without(rows, gone), len(gone)


def _same(parent: DataSet, content: Mapping[str, Any], query: DataQuery) -> bool:
    asked_before = {**parent.card["query"], "until": query.until}
    return bool(parent.card["hash"] == content["hash"] and asked_before == query.as_json())


def _split(parts: Parted) -> dict[str, Any]:
    validation, test = parts.boundaries
    return {
        "validation_from": utc(validation),
        "test_from": utc(test),
        "clusters": parts.clusters,
        "clusters_alike_by": parts.alike_by,
        "clusters_less_alike_than": parts.least_alike,
        "left_out": len(parts.left_out),
    }


def _report(rows: Distinct, parts: Parted, leaked: Iterable[Leak]) -> dict[str, Any]:
    """Which rows were taken out and why, by their ids alone."""
    return {
        "duplicates": [{"id": r.id, "of": r.of, "kind": r.kind} for r in rows.removed],
        "leaks": [{"id": leak.id, "of": leak.place, "kind": leak.kind} for leak in leaked],
        "left_out": [{"id": id_} for id_ in parts.left_out],
    }
