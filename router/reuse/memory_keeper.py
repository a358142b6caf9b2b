"""The thread that writes a router's solutions, and follows what other routers wrote.

Changes wait in a queue, so that no request waits for the disk. If a write fails, the thread logs
the failure and goes on with the next changes.
"""

import logging
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from router.clock import ClockWatch
from router.config.reuse import Reuse
from router.reuse.calibration import Calibration
from router.reuse.evidence import PairVerdict, ReuseCheck, UnjudgedCheck
from router.reuse.index.solution_index import SolutionIndex, lower_priority
from router.reuse.library import duplicates
from router.reuse.lifecycle import Rating, Use
from router.reuse.programs.lines import LibraryLine
from router.reuse.programs.standards import NO_STANDARDS
from router.reuse.solution import Solution
from router.reuse.solution_store import SolutionStore
from router.reuse.unproven_words import UnprovenWords

if TYPE_CHECKING:
    from router.encoding.encoding_thread import EncodingThread
    from router.reuse.verifier import PairVerifier

VECTORED_CHARACTERS = 2_000  # the vector of a request ignores all later characters
_log = logging.getLogger("waggle")
_FOLLOW_SECONDS = 0.2
_TIDY_SECONDS = 60.0
_PROGRAMS_MERGED = 50_000
_SNAPSHOT_GROWTH = 0.02  # the graphs are saved again when the index grew by this share
_SNAPSHOT_LEAST = 1_000  # and by at least this many solutions


@dataclass(frozen=True, slots=True)
class Addition:
    """A solution to write; the future `id` has a result once the solution is on disk."""

    solution: Solution
    id: "Future[int]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class ProgramReview:
    """The verdict on a solution's program after a run with other numbers."""

    solution: int
    verdict: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """A program that a better one stands for."""

    solution: int
    better: int


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A solution that was found wrong."""

    solution: int


@dataclass(frozen=True, slots=True)
class Marker:
    """Passed as soon as everything that was queued before it is written and in use."""

    passed: threading.Event = field(default_factory=threading.Event)


QueuedChange = (
    Addition
    | Superseded
    | Rating
    | ReuseCheck
    | UnjudgedCheck
    | PairVerdict
    | ProgramReview
    | LibraryLine
    | Quarantine
    | Marker
)


class MemoryKeeper:
    """The thread that owns the index and the encoder; both are loaded once `ready` is set."""

    def __init__(
        self,
        folder: Path,
        store: SolutionStore,
        settings: Reuse,
        calibration: Calibration,
        *,
        open_encoder: Callable[[], "EncodingThread"] | None,
        open_verifier: Callable[[], "PairVerifier"] | None = None,
        wall: Callable[[], float],
        steady: Callable[[], float] = time.monotonic,
        tell: Callable[..., None],
        changed: Callable[[int], None],
    ) -> None:
        self.settings = settings
        self.ready = threading.Event()
        self.standards = NO_STANDARDS  # of the latest line; renewed when the keeper tidies
        self.turns = 0  # finished rounds of writing and following
        self.encoder: EncodingThread | None = None
        self.verifier: PairVerifier | None = None
        self.index: SolutionIndex | None = None
        self._folder, self._store, self._calibration = folder, store, calibration
        self._open_encoder, self._open_verifier, self._wall = open_encoder, open_verifier, wall
        self._steady, self._clock = steady, ClockWatch(wall, steady)
        self._tell, self._changed = tell, changed
        self._queue: queue.SimpleQueue[QueuedChange | None] = queue.SimpleQueue()
        self._uses: deque[Use] = deque()
        self._words = UnprovenWords()
        self._closing = False
        self._checks_read = 0
        self._learned_within = settings.budget
        self._saved_size = 0
        self._saving: subprocess.Popen[bytes] | None = None
        self._builder: threading.Thread | None = None
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self._verifying: threading.Thread | None = None

    def start(self) -> None:
        self._thread.start()

    def add(self, change: QueuedChange) -> None:
        self._queue.put(change)

    def add_use(self, use: Use) -> None:
        """Note a use for the next round, which comes soon; a use wakes nobody."""
        self._uses.append(use)

    def want_verifier(self) -> "PairVerifier | None":
        """The pair verifier; None until it is open. The first call begins to open it, which takes
        seconds on a new machine; no request waits for that."""
        if self._verifying is None and self._open_verifier is not None:
            self._verifying = threading.Thread(target=self._verify, name="verifier", daemon=True)
            self._verifying.start()
        return self.verifier

    def close(self) -> None:
        """Write the queued changes, then stop."""
        if self._thread.is_alive():
            self._closing = True
            self._queue.put(None)
            self._thread.join(10)
        if self.encoder is not None:
            self.encoder.close()

    def _verify(self) -> None:
        assert self._open_verifier is not None
        lower_priority()
        try:
            self.verifier = self._open_verifier()
        except Exception:
            _log.exception("requests in other words are not recognised")

    # -- in the thread --------------------------------------------------------------------------

    def _run(self) -> None:
        self._open()
        tidied = time.monotonic()
        while not self._closing:
            try:
                changes = self._queued(_FOLLOW_SECONDS)
                self._write(changes)
                self._follow()
                self.turns += 1
                for change in changes:
                    if isinstance(change, Marker):
                        change.passed.set()
                if time.monotonic() - tidied > _TIDY_SECONDS:
                    tidied = time.monotonic()
                    self.retire()
                    self._merge_programs()
                    self.renew_standards()
                    self._save_graphs()
            except Exception:
                _log.exception("the memory of solutions could not be written; it tries again")
                time.sleep(1)
        self._write(self._queued(0))

    def retire(self) -> None:
        """Delete what is not worth keeping. Expired solutions are not used, and wait here for a day
        after a step of the clock: set right, it brings them back."""
        by_age = self._clock.believed(self._store.newest())
        self._store.retire(self._wall(), most=self.settings.most, by_age=by_age)

    def renew_standards(self) -> None:
        """Learn anew what separates programs that succeed; every router comes to the same."""
        self.standards = self._store.renew_standards(self._wall())

    def _open(self) -> None:
        try:
            self.standards = self._store.standards()
            if self._open_encoder is not None:
                self.encoder = self._open_encoder()
                encoder = self.encoder.encoder
                self.index, problems = SolutionIndex.open(
                    self._folder / "graphs",
                    self._store,
                    dimensions=encoder.dimensions,
                    encoder=encoder.name,
                )
                for problem in problems:
                    _log.warning("the index of solutions: %s", problem)
                    self._tell("solutions", "index", "made anew", problem=problem)
        except Exception:
            _log.exception("only the same requests are remembered")
        self.ready.set()

    def _queued(self, seconds: float) -> list[QueuedChange]:
        """All queued changes; wait at most `seconds` for the first change."""
        changes: list[QueuedChange] = []
        try:
            change = self._queue.get(timeout=seconds) if seconds else self._queue.get_nowait()
            while change is not None:
                changes.append(change)
                change = self._queue.get_nowait()
        except queue.Empty:
            pass
        return changes

    def _write(self, changes: Sequence[QueuedChange]) -> None:
        if additions := [change for change in changes if isinstance(change, Addition)]:
            self._add(additions)
        if self._uses:  # before the ratings, which find a solution by the request that used it
            self._store.add_uses([self._uses.popleft() for _ in range(len(self._uses))])
        if ratings := [change for change in changes if isinstance(change, Rating)]:
            expires = self._wall() + self.settings.ttl_seconds
            for id_ in self._store.judge(ratings, expires=expires):
                self._tell("solutions", str(id_), "quarantined")
        checks = [change for change in changes if isinstance(change, ReuseCheck)]
        unjudged = [change for change in changes if isinstance(change, UnjudgedCheck)]
        verdicts = [change for change in changes if isinstance(change, PairVerdict)]
        if checks or unjudged or verdicts:
            self._store.add_evidence(checks, unjudged, verdicts)
        if lines := [change for change in changes if isinstance(change, LibraryLine)]:
            self._store.add_lines(lines)
        for change in changes:
            if isinstance(change, Quarantine):
                for id_ in self._store.quarantine(change.solution):
                    self._tell("solutions", str(id_), "quarantined")
            if isinstance(change, ProgramReview):
                self._store.review(change.solution, change.verdict)
                self._changed(change.solution)
            elif isinstance(change, Superseded):
                self._supersede(change.solution, change.better)

    def _add(self, additions: Sequence[Addition]) -> None:
        solutions = [addition.solution for addition in additions]
        try:
            ids = self._store.add([_storable(solution) for solution in self._encoded(solutions)])
        except Exception as error:
            for addition in additions:
                addition.id.set_exception(error)
            raise
        for addition, id_ in zip(additions, ids, strict=True):
            if addition.solution.state == "unproven":
                self._words.hold(id_, addition.solution, self._steady())
            addition.id.set_result(id_)
            if parent := addition.solution.parent:
                kind = addition.solution.kind
                self._tell("solutions", str(id_), "adapted", parent=parent, sort=kind)

    def _encoded(self, solutions: Sequence[Solution]) -> list[Solution]:
        """The solutions, with a new vector for each request that was not encoded yet."""
        bare = [n for n, s in enumerate(solutions) if not s.vector and s.request]
        encoded = list(solutions)
        if self.encoder is not None and bare:
            encoder = self.encoder.encoder
            vectors = encoder.encode([solutions[n].request[:VECTORED_CHARACTERS] for n in bare])
            for n, vector in zip(bare, vectors, strict=True):
                encoded[n] = replace(encoded[n], vector=vector.tobytes(), encoder=encoder.name)
        return encoded

    def _write_proven_words(self) -> None:
        """Write the words of each solution that a rating proved, if this router holds them."""
        for id_ in self._store.rated() if self._words else ():
            words = self._words.take(id_)
            if words is not None:
                self._store.prove(id_, words.request, words.answer)

    def _follow(self) -> None:
        self._write_proven_words()
        if self.index is not None:
            before = self.index.position
            if self.index.follow(self._store):
                for change in self._store.changes(before):
                    self._changed(change.solution)
            # A thread of low priority may hold the interpreter's lock while a busy machine lets it
            # wait, and every request with it: so it starts only for work.
            idle = self._builder is None or not self._builder.is_alive()
            if idle and self.index.due:
                self._builder = threading.Thread(target=self._tend, name="graphs", daemon=True)
                self._builder.start()
        if self._learned_within != self.settings.budget:  # what stops depends on the budget
            self._learned_within, self._checks_read = self.settings.budget, 0
            self._calibration.restart()
        checks = self._store.checks(self._checks_read)
        if checks:
            self._checks_read = checks[-1].seq
            self._calibration.learn(checks)

    def _tend(self) -> None:
        assert self.index is not None
        lower_priority()
        try:
            self.index.tend()
        except Exception:
            _log.exception("a graph of solutions could not be built")

    def _merge_programs(self) -> None:
        """Deprecate every program that has a better duplicate."""
        programs = self._store.everything(
            "kind = 'program' and state = 'proven' limit ?", (_PROGRAMS_MERGED,)
        )
        for id_, best in list(duplicates(programs)):
            self._supersede(id_, best)

    def _supersede(self, id_: int, better: int) -> None:
        self._store.supersede(id_, better, self._wall())
        self._changed(id_)
        self._tell("solutions", str(id_), "merged", into=better)

    def _save_graphs(self) -> None:
        """Start a process that saves the graphs, if enough changed since the last time."""
        if self.index is None or not self.index.graphs:
            return
        size = len(self.index)
        if abs(size - self._saved_size) < max(_SNAPSHOT_LEAST, _SNAPSHOT_GROWTH * size):
            return
        if self._saving is not None and self._saving.poll() is None:
            return
        self._saved_size = size
        command = [
            sys.executable, "-m", "router.reuse.index.write_graphs", str(self._folder),
            self.index.encoder, str(self.index.dimensions),
        ]  # fmt: skip
        self._saving = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def _storable(solution: Solution) -> Solution:
    """The solution as it may be on disk: without its words, until somebody has proved it."""
    return replace(solution, request="", answer="") if solution.state == "unproven" else solution
