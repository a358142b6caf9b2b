"""A learner's feed while it runs: the catalog until everything is read, and then the journals.

A learner that follows closely reads each row once, when it is new. It goes back to the catalog for
rows and judgements from before, and whenever the journals may not hold everything.
"""

from pathlib import Path

from router.telemetry.feed import AnsweredRequest, Batch, Feed, JudgedRequest, Watermark
from router.telemetry.recent_rows import RecentRows, changed_at


class LiveFeed:
    """The same rows in the same order as a `Feed`, for less."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._catalog = Feed(folder)
        self._recent: RecentRows | None = None

    @property
    def stamp(self) -> object:
        return self._catalog.stamp, changed_at(self._folder)

    def beyond(self, mark: Watermark, *, since_micros: int = 0) -> Batch:
        batch = None if self._recent is None else self._recent.beyond(mark)
        if batch is not None:
            return batch
        self._recent = None
        batch = self._catalog.beyond(mark, since_micros=since_micros)
        if batch:
            return batch
        self._recent = RecentRows(self._folder, mark)
        return self._recent.beyond(mark) or batch

    def rows(self, batch: Batch) -> list[AnsweredRequest]:
        rows = None if self._recent is None else self._recent.rows(batch)
        return self._catalog.rows(batch) if rows is None else rows

    def judged(self, batch: Batch, mark: Watermark) -> list[JudgedRequest]:
        recent = self._recent
        touched = None if recent is None else recent.touched(batch)
        if recent is None or touched is None:
            return self._catalog.judged(batch, mark)
        here = {id_: recent.judged(id_, at, batch, mark) for id_, at in touched.items()}
        earlier = {id_: at for id_, at in touched.items() if here[id_] is None}
        there = self._catalog.judged_among(earlier, batch, mark)
        here |= {judged.request.request_id: judged for judged in there}
        return [judged for judged in here.values() if judged is not None]
