"""The keeper makes every change to the store: it seals, merges, prunes and publishes.

The keeper holds the folder's lock during a change and reads the manifest first, so the keeper of a
service and a command of an operator take turns. A keeper may be killed at any instant: the manifest
does not name an unfinished change, and the next keeper makes the change again.
"""

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from router.clock import ClockWatch
from router.files import alone, held, write_durably
from router.telemetry.journal_search import REMOVED
from router.telemetry.log import NOBODY, SUFFIX
from router.telemetry.store import catalog, compact, manifest, remove, seal, segments
from router.telemetry.store.compact import Tiers
from router.telemetry.store.manifest import Damage, Manifest, merged
from router.telemetry.tables import TABLES

_DAY = 86_400
_log = logging.getLogger("waggle")


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """For how long rows are stored, and how many bytes of them. None means without limit."""

    keep_seconds: float | None = None
    keep_bytes: int | None = None
    grace_seconds: float = 600.0
    tiers: Tiers = field(default_factory=Tiers)


@dataclass
class Keeper:
    folder: Path
    rules: RetentionRules = field(default_factory=RetentionRules)
    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._watch = ClockWatch(self.wall, self.steady)
        self.folder = self.folder.resolve()
        for name in ("segments", "work", "damaged", *(f"journal/{table}" for table in TABLES)):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for table in TABLES:
            (self.folder / "journal" / table / NOBODY).touch()
        self._con = segments.connect(self.folder / "work")

    @contextmanager
    def turn(self) -> Iterator[tuple[duckdb.DuckDBPyConnection, Manifest]]:
        """Hold the lock, and yield a database to work with and the current manifest."""
        with alone(self.folder / "keeper.lock"):
            now, wrong = manifest.load_and_judge(self.folder)
            yield self._con, self._mended(now, wrong) if wrong else now

    def _mended(self, copy: Manifest, wrong: str) -> Manifest:
        """Put the manifest's copy into its place, and the unreadable bytes aside."""
        _log.error("telemetry: %s: its copy was put into its place, and no row is lost", wrong)
        path = self.folder / "manifest.json"
        damage = copy.damage
        if path.exists():
            content = path.read_bytes()
            kept = f"damaged/manifest.json.{int(self.wall())}"
            write_durably(self.folder / kept, content)
            record = Damage(path.name, wrong, 0, len(content), kept, self.wall())
            damage = (*damage, record)
        mended = copy.after(damage=damage)
        manifest.store(self.folder, mended)
        catalog.publish(self._con, self.folder, mended)
        return mended

    def recover(self) -> None:
        """Clean up after a crash, seal the journals that are left, and publish the catalog."""
        with self.turn() as (_, now):
            if now.generation == 0:
                # From now on, segments without a manifest mean that the manifest was lost.
                manifest.store(self.folder, now)
            for path in (self.folder / "work").rglob("*"):
                if path.is_file():
                    path.unlink()
            for path in (self.folder / "segments").glob("*.new"):
                path.unlink()
            self._report_missing(now)
            # An operator may have moved or copied the folder, whose path the catalog contains.
            if catalog.published(self.folder) != (now.generation, str(self.folder)):
                catalog.publish(self._con, self.folder, now)
        self.seal()

    def _report_missing(self, now: Manifest) -> None:
        """Log segments that are missing or too short. Only `verify` reads every byte."""
        for segment in now.segments:
            if not segment.whole_in(self.folder):
                _log.error(
                    "telemetry: %s is gone or cut, and its %d rows are in no answer: restore it "
                    "from a copy, and run `waggle telemetry verify`",
                    segment.file,
                    segment.rows,
                )

    def tend(self) -> None:
        """Seal the closed journals and merge the segments that are due, and publish once."""
        with self.turn() as (con, now):
            changed, _ = self._sealed(con, now)
            try:
                changed, _ = self._compacted(con, changed)
            except duckdb.Error:  # a damaged segment stops the merging, not the sealing
                _log.exception("segments could not be merged; run `waggle telemetry verify`")
            if changed is not now:
                self._commit(now, changed)

    def seal(self) -> int:
        """Seal the closed journals and return how many rows they had."""
        with self.turn() as (con, now):
            changed, rows = self._sealed(con, now)
            if changed is not now:
                self._commit(now, changed)
        return rows

    def _sealed(self, con: duckdb.DuckDBPyConnection, now: Manifest) -> tuple[Manifest, int]:
        """The manifest after sealing, and how many rows were sealed."""
        done = seal.seal(con, self.folder, now.legible(self.folder))
        if not done.journals:
            return now, 0
        at = self.wall()
        changed = now.after(
            adding=done.segments,
            sealed={**now.sealed, **dict.fromkeys(done.journals, at)},
            damage=(*now.damage, *done.damage),
            gone={
                **now.gone,
                **{t: merged(now.gone.get(t, {}), c) for t, c in done.aside.items()},
            },
        )
        return changed, sum(s.rows for s in done.segments if s.table in TABLES)

    def compact(self, *, everything: bool = False) -> int:
        """Merge a group of segments and return how many segments the group had."""
        with self.turn() as (con, now):
            changed, count = self._compacted(con, now, everything=everything)
            if changed is not now:
                self._commit(now, changed)
        return count

    def _compacted(
        self, con: duckdb.DuckDBPyConnection, now: Manifest, *, everything: bool = False
    ) -> tuple[Manifest, int]:
        """The manifest after merging a group of segments, and how many segments the group had."""
        whole = now.legible(self.folder).segments
        group = compact.due(whole, self._tiers(), everything=everything)
        if not group:
            return now, 0
        made = compact.merge(con, self.folder, group)
        return now.after(without=group, adding=[made]), len(group)

    def prune(self, *, exact: bool = False) -> remove.Removed:
        """Remove the rows that are older, or more, than the rules allow.

        After a step of the clock, what is old waits for a day, unless an operator wants the rows
        `exact`.
        """
        total = remove.Removed()
        with self.turn() as (con, now):
            newest = remove.newest(now, before=int(self.wall() * 1e6))
            believed = exact or self._watch.believed(newest)
            if self.rules.keep_seconds is not None and believed:
                before = int((self.wall() - self.rules.keep_seconds) * 1e6)
                slack = 0 if exact else int(min(self.rules.keep_seconds / 20, _DAY) * 1e6)
                whole = now.legible(self.folder)
                old = remove.older(con, self.folder, whole, before=before, slack=slack)
                now = self._apply(now, old, total)
            if self.rules.keep_bytes is not None:
                self._apply(now, remove.beyond(now, most_bytes=self.rules.keep_bytes), total)
        return total

    def forget(
        self, *, keys: tuple[str, ...] = (), sessions: tuple[str, ...] = (), patience: float = 30.0
    ) -> remove.Removed:
        """Remove a caller's rows for good: no file that holds such a row is left."""
        self._seal_what_is_open(patience)
        total = remove.Removed()
        with self.turn() as (con, now):
            whole = now.legible(self.folder)
            gone = remove.of_caller(con, self.folder, whole, keys=keys, sessions=sessions)
            now = self._apply(now, gone, total)
            total.request_ids = gone.request_ids
            if total.rows:
                (self.folder / REMOVED).touch()
                self._sweep(now, before=float("inf"))
            names = [name.encode() for name in (*keys, *sessions)]
            for path in (self.folder / "damaged").iterdir():
                # A damaged segment cannot be read, so it may hold rows of anybody.
                unreadable = path.suffix == ".parquet"
                content = b"" if unreadable else path.read_bytes()
                if unreadable or any(name in content for name in names):
                    path.unlink()
                    total.damaged += 1
        return total

    def free(self) -> None:
        """Publish a new catalog if somebody opened the current one for writing and so locked it."""
        if catalog.taken(self.folder):
            with self.turn() as (_, now):
                catalog.publish(self._con, self.folder, now)

    def sweep(self) -> None:
        """Remove files that only outdated catalogs name: those replaced before the grace period."""
        wall, grace = self.wall(), self.rules.grace_seconds
        quiet = self._watch.look()
        if self._watch.stepped and quiet < grace:
            return  # nobody knows how long ago the files were replaced
        with self.turn() as (_, now):
            # Files that were replaced later than now were replaced before the clock was set back.
            self._sweep(now, before=wall - grace, after=wall if quiet >= grace else float("inf"))

    def _apply(self, now: Manifest, removed: remove.Removed, total: remove.Removed) -> Manifest:
        if not (removed.whole or removed.rewritten):
            return now
        total.rows, total.bytes = total.rows + removed.rows, total.bytes + removed.bytes
        changed = removed.applied_to(now)
        self._commit(now, changed)
        return changed

    def _commit(self, now: Manifest, changed: Manifest) -> None:
        kept = {segment.file for segment in changed.segments}
        for segment in now.segments:
            if segment.file not in kept:  # older catalogs name it: the grace period begins
                with contextlib.suppress(FileNotFoundError):
                    os.utime(segment.path(self.folder))
        manifest.store(self.folder, changed)
        catalog.publish(self._con, self.folder, changed)

    def _sweep(self, now: Manifest, *, before: float, after: float = float("inf")) -> None:
        """Remove what was replaced before one moment, or after another."""
        catalog.expire(self.folder, before=before, after=after)
        expired = [path for path, at in now.sealed.items() if not before <= at <= after]
        for path in expired:
            (self.folder / path).unlink(missing_ok=True)
        if expired:
            sealed = {path: at for path, at in now.sealed.items() if path not in expired}
            # The catalog excludes these journals still, which does no harm: do not publish another.
            manifest.store(self.folder, replace(now, sealed=sealed))
        named = {segment.file for segment in now.segments}
        for file in (self.folder / "segments").glob("*.parquet"):
            if file.name not in named and not before <= file.stat().st_ctime <= after:
                file.unlink()

    def _seal_what_is_open(self, patience: float) -> None:
        """Wait until all current journals are closed, and seal them."""
        here = [p for t in TABLES for p in (self.folder / "journal" / t).glob("*" + SUFFIX)]
        until = time.monotonic() + patience
        while any(held(path) for path in here):
            if time.monotonic() > until:
                raise TimeoutError(
                    f"a journal is still being written after {patience:g} s: try again, or stop "
                    "the service first"
                )
            time.sleep(0.1)
        self.seal()

    def _tiers(self) -> Tiers:
        tiers, most = self.rules.tiers, self.rules.keep_bytes
        if most is None:
            return tiers
        return replace(tiers, largest_bytes=min(tiers.largest_bytes, max(most // 10, 2**20)))
