"""Feeds all stores of a configuration: watches folders, runs queries, makes vectors, builds graphs.

One thread waits for the file system and says what changed; another does everything else, and looks
at each folder whole now and then, since a notice may be lost. A change comes before everything that
waits: folders are read, vectors made and removed words erased in short parts, and between two parts
the changes are taken in. While the machine is busy with other work, the feeder rests between the
parts, but not before a change.
"""

import logging
import os
import queue
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from router.config.knowledge import StoreSettings
from router.encoding.encodes import Encodes
from router.knowledge.encoders import EncoderFor
from router.knowledge.feeding.folder import FolderFeed
from router.knowledge.feeding.schedule import run_due
from router.knowledge.graph import build_graph
from router.knowledge.merged import prefix_of, take_out, target_of
from router.knowledge.opening import StoreShelf
from router.knowledge.store import KnowledgeStore
from router.knowledge.store_tables import FILE
from router.knowledge.vectors import StoreVectors

_log = logging.getLogger("waggle")
_WHOLE_LOOK_SECONDS = 60.0
_SOON_SECONDS = 0.5  # until files that were half written are read again
_IDLE_SECONDS = 0.05
_SCHEDULE_SECONDS = 1.0
_GRAPH_SECONDS = 30.0
_FILES_A_TURN = 16
_NICENESS = 10  # of the building of graphs
_REST_SHARE, _LONGEST_REST_SECONDS = 1.0, 1.0  # of the time of a part of work, on a busy machine
_STEP_MS, _DEBOUNCE_MS = 50, 200  # changes within a step are told together


class StoreFeeding:
    """One store and what feeds it."""

    def __init__(
        self,
        name: str,
        into: str,
        store: KnowledgeStore,
        settings: StoreSettings,
        encoder_for: EncoderFor,
    ) -> None:
        """`into`: the name of the store that is fed; another name if `name` was merged into it, and
        then the folder alone goes on, and the other store's own feeding does the rest."""
        self.name, self.into, self.store = name, into, store
        self._settings, self._encoder_for = settings, encoder_for
        self._encoder: Encodes | None = None
        self._chosen_at = -1  # the number of the newest event when the encoder was chosen
        self._vectors = StoreVectors(store)
        folder, prefix = settings.folder, "" if name == into else prefix_of(name)
        self.feed = None
        if folder is not None:
            self.feed = FolderFeed(store, Path(folder), keep=settings.versions, prefix=prefix)
        self._unread: list[str] = []  # files that the last look at everything left to be read
        self._look_at = self._schedule_at = self._graph_at = self._erase_at = 0.0
        self._erasing_since: float | None = None
        self._graph: threading.Thread | None = None

    def turn(self, changed: set[str], now: float) -> bool:
        """Take in what changed, and do a part of the other work; whether there is more at once."""
        reading = False
        if self.feed is not None:
            try:
                reading = self._read(self.feed, changed, now)
            except OSError as error:  # it is missing, or cannot be listed
                _log.warning("the store %s is not fed: %s", self.name, error)
        if self.name != self.into:
            return reading
        if now >= self._schedule_at:
            self._schedule_at = now + _SCHEDULE_SECONDS
            run_due(self.store, self._settings.queries, self.store.wall())
        filled = 0
        encoder = self._chosen()
        if encoder is not None:
            self._vectors.use(encoder)
            filled = self._vectors.fill(encoder)
        if reading or filled:
            return True
        if now >= self._graph_at:
            self._graph_at = now + _GRAPH_SECONDS
            self._build_graph()
        return now >= self._erase_at and self._erase(now)

    def _chosen(self) -> Encodes | None:
        """The encoder of the store, chosen anew when the store has seen twice as many changes."""
        newest = self.store.newest
        if not self._chosen_at <= newest <= 2 * self._chosen_at:
            self._chosen_at = newest
            try:
                self._encoder = self._encoder_for(self.store)
            except Exception:  # the words of the store are still found
                self._encoder = None
                _log.exception(
                    "the store %s has no encoder, and is searched by words alone", self.name
                )
        return self._encoder

    def _read(self, feed: FolderFeed, changed: set[str], now: float) -> bool:
        """Read the files that changed, or else a few of those that wait; whether others wait."""
        if not self._unread and now >= self._look_at:
            self._look_at = now + _WHOLE_LOOK_SECONDS
            difference = feed.difference()
            feed.forget(difference.gone)
            self._unread = list(reversed(difference.fresh))
        if changed:
            report = feed.take(changed)
        else:
            report = feed.read(self._unread[: -_FILES_A_TURN - 1 : -1])
            del self._unread[-_FILES_A_TURN:]
        if report.unsettled:
            self._look_at = now + _SOON_SECONDS
        return bool(self._unread)

    def _erase(self, now: float) -> bool:
        """Erase a part of what was removed; whether there is more. In a large store that is much
        work, so the next time comes after ten times as long."""
        if self._erasing_since is None:
            self._erasing_since = now
        if self.store.erase_part():
            return True
        self._erase_at = now + 10 * (now - self._erasing_since)
        self._erasing_since = None
        return False

    def _build_graph(self) -> None:
        """Build the graph in a thread of low priority: it may take minutes, without Python."""
        if self._graph is None or not self._graph.is_alive():
            self._graph = threading.Thread(
                target=_build_graph, args=(self.name, self.store.folder), name="graph", daemon=True
            )
            self._graph.start()


class Feeder:
    def __init__(
        self,
        folder: Path,
        stores: Mapping[str, StoreSettings],
        encoder_for: Callable[[str | None, KnowledgeStore], Encodes],
    ) -> None:
        """`encoder_for`: the encoder of a store, by the name that is configured."""
        self._shelf = StoreShelf(folder)
        self._changed: queue.Queue[set[str]] = queue.Queue()
        self._stop = threading.Event()
        self._stores, self._encoder_for = stores, encoder_for
        self._feedings: dict[str, StoreFeeding] = {}
        self._follow_archive()

    def _follow_archive(self) -> None:
        """Feed the stores that are not archived now, and those that others were merged into."""
        feedings: dict[str, StoreFeeding] = {}
        for name, settings in self._stores.items():
            into = target_of(self._shelf, name)
            if into is None or into not in self._stores:
                continue
            before = self._feedings.get(name)
            if before is not None and before.into == into:
                feedings[name] = before
                continue
            if before is not None and before.into != name:  # it came back meanwhile
                take_out(before.store, name)
            encoder_for = partial(self._encoder_for, settings.encoder)
            feedings[name] = StoreFeeding(name, into, self._shelf.kept(into), settings, encoder_for)
        self._feedings = feedings

    def run(self, alive: Callable[[], bool]) -> None:
        """Feed the stores until `alive` says no."""
        watching = threading.Thread(target=self._watch, name="watching", daemon=True)
        watching.start()
        try:
            wait_seconds = 0.0
            while alive():
                begun = time.monotonic()
                busy = self.turn(wait_seconds)
                worked = max(time.monotonic() - begun - wait_seconds, 0.0)
                wait_seconds = _rest(worked, os.getloadavg()[0]) if busy else _IDLE_SECONDS
        finally:
            self._stop.set()
            watching.join(5)
            self._shelf.close()

    def turn(self, wait_seconds: float = 0.0) -> bool:
        """Take in what changed, and do a part of the work; whether there may be more at once."""
        paths = self._paths(wait_seconds)
        busy = False
        self._follow_archive()
        for feeding in self._feedings.values():
            names = set()
            if feeding.feed is not None:
                root = feeding.feed.folder
                inside = (Path(path) for path in paths)
                names = {p.relative_to(root).as_posix() for p in inside if root in p.parents}
            try:
                busy = feeding.turn(names, time.monotonic()) or busy
            except (
                Exception
            ):  # such as a full disk; the other stores go on, and the next look tries
                _log.exception("the store %s could not be fed", feeding.name)
        return busy

    def _paths(self, wait_seconds: float) -> set[str]:
        paths: set[str] = set()
        try:
            paths |= self._changed.get(timeout=wait_seconds) if wait_seconds else set()
            while True:
                paths |= self._changed.get_nowait()
        except queue.Empty:
            return paths

    def _watch(self) -> None:
        from watchfiles import watch

        while not self._stop.is_set():
            folders = [f.feed.folder for f in self._feedings.values() if f.feed is not None]
            present = [folder for folder in folders if folder.is_dir()]
            if not present:
                self._stop.wait(_SOON_SECONDS)
                continue
            try:
                for changes in watch(
                    *present,
                    watch_filter=None,
                    stop_event=self._stop,
                    step=_STEP_MS,
                    debounce=_DEBOUNCE_MS,
                    rust_timeout=1_000,
                    yield_on_timeout=True,
                    raise_interrupt=False,
                ):
                    if changes:
                        self._changed.put({path for _, path in changes})
                    if [folder for folder in folders if folder.is_dir()] != present:
                        break  # a folder came or went
            except (OSError, RuntimeError) as error:
                _log.warning("folders are not watched, and looked at each minute: %s", error)
                self._stop.wait(_WHOLE_LOOK_SECONDS)


def _rest(worked: float, load: float) -> float:
    """How long to rest after a part of work, by the load of the machine: the feeder itself may
    keep each processor busy, and more than that is the load of others."""
    others = load - (os.cpu_count() or 1)
    return min(_REST_SHARE * worked, _LONGEST_REST_SECONDS) if others > (os.cpu_count() or 1) else 0


def _build_graph(name: str, folder: Path) -> None:
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
    if not (folder / FILE).is_file():  # it was archived meanwhile
        return
    store = KnowledgeStore(folder, make=False)  # its connection ends with this thread
    try:
        build_graph(store)
    except (OSError, sqlite3.Error):  # such as a full disk; the next look tries again
        _log.exception("the graph of the store %s could not be built", name)
    finally:
        store.close()
