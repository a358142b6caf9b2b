"""What a router remembers: looked up before anything is decided, written beside the loop.

Nothing here may fail a request or make it wait for a disk: on any error there is nothing
remembered, and the request takes its way. Writes are gathered by one thread, which follows the
journal of the store as well, so that what another router learned is known here a moment later.
"""

import logging
import queue
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router.config.reuse import Reuse
from router.domain import Recalled, Request, Signal
from router.request.context import language
from router.reuse.guards import GuardVerdict, compare
from router.reuse.library import duplicates
from router.reuse.memory_query import MemoryQuery, Mode, allowed_mode
from router.reuse.solution import Solution
from router.reuse.solution_store import ReuseCheck, SolutionStore, UnreadableStore
from router.reuse.tiers import Calibration, bucket_of

if TYPE_CHECKING:
    from router.encoding.batching import Batching
    from router.reuse.index import Matrix, Near, SolutionIndex

_log = logging.getLogger("waggle")
_LOOKED_AT = 8  # nearest solutions
_LEAST_SIMILAR = 0.6
_ADAPTS_FROM = 0.8
_KNOWN = 4_096  # solutions that were read lately
_FOLLOWS_SECONDS = 0.2
_TIDIES_SECONDS = 60.0
_LONGEST = 2_000  # characters that a vector is made of
_SNAPSHOT_EVERY = 0.02  # of a graph: so much more, and it is written again


@dataclass(frozen=True, slots=True)
class Recollection:
    """A solution for this request, and how it came to be chosen."""

    recalled: Recalled
    solution: Solution
    verdict: GuardVerdict


@dataclass(slots=True)
class _Work:
    add: list[tuple[Solution, "Future[int]"]] = field(default_factory=list)
    uses: list[tuple[str, int, float]] = field(default_factory=list)
    verdicts: list[tuple[str, float, float, str]] = field(default_factory=list)
    checks: list[ReuseCheck] = field(default_factory=list)
    reviews: list[tuple[int, str]] = field(default_factory=list)


class SolutionMemory:
    def __init__(
        self,
        folder: Path,
        settings: Reuse,
        *,
        encoder: Callable[[], "Batching"] | None = None,
        wall: Callable[[], float] = time.time,
        tell: Callable[..., None] = lambda *_, **__: None,
    ) -> None:
        self.settings, self.folder = settings, folder
        self.trouble = ""
        self.calibration = Calibration(settings.budget, least_checked=settings.checked)
        self._wall, self._tell = wall, tell
        self._encoder_of = encoder
        self.encoder: Batching | None = None
        self.index: SolutionIndex | None = None
        self._store: SolutionStore | None = None
        self._checks_read = self._turns = 0
        self._known: OrderedDict[int, Solution] = OrderedDict()
        self._queue: queue.SimpleQueue[tuple[str, Any] | None] = queue.SimpleQueue()
        self._ready = threading.Event()
        self._closing = False
        self._tended: threading.Thread | None = None
        self._written_at = (0, 0)
        self._thread = threading.Thread(target=self._keep, name="memory", daemon=True)

    def start(self) -> None:
        """Opens the store at once, and the index beside the loop: until that is there, only the
        same requests are answered from memory."""
        try:
            self._store = SolutionStore(self.folder)
        except (UnreadableStore, OSError) as error:
            self.trouble = str(error)
            _log.error("nothing is remembered: %s", error)
            self._ready.set()
            return
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Until the index is there."""
        return self._ready.wait(seconds)

    def reconfigure(self, settings: Reuse) -> None:
        self.settings = settings
        self.calibration.budget = settings.budget
        self.calibration.least_checked = settings.checked

    def close(self) -> None:
        if self._thread.is_alive():
            self._closing = True
            self._queue.put(None)
            self._thread.join(10)
        if self._store is not None:
            self._store.close()
        if self.encoder is not None:
            self.encoder.close()

    # -- looking up -----------------------------------------------------------------------------

    def mode(self, request: Request) -> Mode:
        return allowed_mode(request, self.settings.mode) if self._store is not None else "off"

    def exact(self, key: bytes) -> Solution | None:
        """The answer to this very request: one look into the store, before anything else."""
        assert self._store is not None
        try:
            return self._store.exact(key, self._wall())
        except Exception as error:  # a store that fails is a memory that has nothing
            self._trouble(error)
            return None

    async def vector(self, wish: MemoryQuery, space: bytes) -> "Matrix | None":
        """The vector of the request's last message, unless its space is empty."""
        if wish.mode != "similar" or self.encoder is None or self.index is None:
            return None
        try:
            if self.index.empty(space):
                return None
            return await self.encoder.encode(wish.text[:_LONGEST])
        except Exception as error:
            self._trouble(error)
            return None

    def similar(self, wish: MemoryQuery, vector: "Matrix", uniform: float) -> Recollection | None:
        """The best of what is near, if any is the same in all that matters."""
        try:
            candidates = list(self._candidates(wish, wish.space, vector))
        except Exception as error:
            self._trouble(error)
            return None
        same = [one for one in candidates if one[2].likeness == "same"]
        if same:
            # Of several that are right the one that proved itself most.
            near, solution, verdict = max(
                same, key=lambda one: (round(one[0].similarity, 2), one[1].rate, one[1].uses)
            )
            return self._weighed(wish, near, solution, verdict, uniform)
        for near, solution, verdict in candidates:
            if near.similarity >= _ADAPTS_FROM and verdict.likeness in ("minor", "parameters"):
                told = Recalled(
                    "adapt", solution.id, near.similarity, solution.rate, 1.0,
                    "close to a remembered answer, which a backend changes to fit",
                )  # fmt: skip
                return Recollection(told, solution, verdict)
        return None

    def _candidates(
        self, wish: MemoryQuery, space: bytes, vector: "Matrix"
    ) -> "Iterable[tuple[Near, Solution, GuardVerdict]]":
        if self.index is None:
            return
        spoken = language(wish.text)
        now = self._wall()
        for near in self.index.nearest(space, vector, _LOOKED_AT):
            solution = self._solution(near.solution) if near.similarity >= _LEAST_SIMILAR else None
            if solution is None or solution.expires <= now or solution.scope != wish.scope:
                continue
            if language(solution.request) == spoken:
                yield near, solution, compare(solution.request, wish.text)

    def _weighed(
        self,
        wish: MemoryQuery,
        near: "Near",
        solution: Solution,
        verdict: GuardVerdict,
        uniform: float,
    ) -> Recollection | None:
        bucket = bucket_of(verdict, near.similarity)
        standing = self.calibration.standing(bucket, wish.space)
        if not standing.serves:
            why = f"not trusted yet: of its like up to {standing.bound:.1%} may be wrong"
        else:
            share = f"of its like {standing.wrong:.2%} are wrong"
            why = f"means the same as a remembered request; {share}"
        anew = uniform < standing.checked
        told = Recalled(
            "novel" if anew else "reuse",
            solution.id,
            near.similarity,
            standing.chance,
            standing.checked if anew else 1 - standing.checked,
            f"{why}; answered anew, to see" if anew else why,
            bucket,
            checked=anew,
        )
        return Recollection(told, solution, verdict)

    def programs(
        self, wish: MemoryQuery, vector: "Matrix | None"
    ) -> "list[tuple[float, Solution]]":
        """Programs of this scope, nearest first."""
        space = program_space(wish.scope)
        try:
            if self.index is not None:
                wide = 2 * _LOOKED_AT
                near = [] if vector is None else self.index.nearest(space, vector, wide)
                found = [(one.similarity, self._solution(one.solution)) for one in near]
            elif self._store is not None:
                lately = self._store.everything(
                    "space = ? and state = 'proven' order by id desc limit 16", (space,)
                )
                found = [(_LEAST_SIMILAR, one) for one in lately]
            else:
                return []
        except Exception as error:
            self._trouble(error)
            return []
        now = self._wall()
        return [
            (similarity, one)
            for similarity, one in found
            if one is not None
            and one.kind == "program"
            and one.scope == wish.scope
            and one.expires > now
            and not one.reviewed.startswith("failed")
        ]

    def _solution(self, id_: int) -> Solution | None:
        known = self._known.get(id_)
        if known is None and self._store is not None:
            known = self._store.get(id_)
            if known is not None and known.state == "proven":
                self._known[id_] = known
                if len(self._known) > _KNOWN:
                    self._known.popitem(last=False)
        return known if known is not None and known.state == "proven" else None

    # -- writing --------------------------------------------------------------------------------

    def keep(self, solution: Solution) -> "Future[int]":
        """Remembered when the future has its id."""
        told: Future[int] = Future()
        if self._store is None:
            told.set_exception(RuntimeError(self.trouble or "nothing is remembered"))
        else:
            self._queue.put(("add", (solution, told)))
        return told

    def add_use(self, request_id: str, id_: int) -> None:
        self._queue.put(("uses", (request_id, id_, self._wall())))

    def judge(self, signals: Sequence[Signal]) -> None:
        """What was said of answers, by whoever: it proves what is remembered, or puts it away."""
        for signal in signals:
            if signal.score is not None:
                said = (signal.about.request_id, signal.score, signal.weight, _proof(signal))
                self._queue.put(("verdicts", said))

    def add_check(self, check: ReuseCheck) -> None:
        self._queue.put(("checks", check))

    def add_review(self, id_: int, told: str) -> None:
        self._queue.put(("reviews", (id_, told)))

    def _trouble(self, error: Exception) -> None:
        if str(error) != self.trouble:
            self.trouble = str(error)
            _log.error("the memory failed, and the request went on without: %r", error)

    # -- beside the loop ------------------------------------------------------------------------

    def _keep(self) -> None:
        assert self._store is not None
        self._open()
        tidied = time.monotonic()
        while not self._closing:
            try:
                self._write(self._gathered(_FOLLOWS_SECONDS))
                self._follow()
                self._turns += 1
                if time.monotonic() - tidied > _TIDIES_SECONDS:
                    tidied = time.monotonic()
                    self._store.retire(self._wall(), most=self.settings.most)
                    self._merge()
                    self._keep_snapshot()
            except Exception:
                _log.exception("the memory could not be kept, and tries again")
                time.sleep(1)
        self._write(self._gathered(0))

    def _open(self) -> None:
        from router.reuse.index import SolutionIndex

        assert self._store is not None
        try:
            if self._encoder_of is not None:
                self.encoder = self._encoder_of()
                told = self.encoder.encoder
                self.index, wrong = SolutionIndex.open(
                    self.folder / "graphs",
                    self._store,
                    dimensions=told.dimensions,
                    encoder=told.name,
                )
                for problem in wrong:
                    _log.warning("of the index of solutions: %s", problem)
                    self._tell("solutions", "index", "made anew", problem=problem)
        except Exception as error:
            self.trouble = f"only the same requests are remembered: {error}"
            _log.exception("only the same requests are remembered")
        self._ready.set()

    def _gathered(self, seconds: float) -> _Work:
        """What there is to write; the first of it is waited for."""
        work = _Work()
        try:
            given = self._queue.get(timeout=seconds) if seconds else self._queue.get_nowait()
            while given is not None:
                getattr(work, given[0]).append(given[1])
                given = self._queue.get_nowait()
        except queue.Empty:
            pass
        return work

    def _write(self, work: _Work) -> None:
        assert self._store is not None
        if work.add:
            try:
                ids = self._store.add(self._encoded([one for one, _ in work.add]))
            except Exception as error:
                for _, told in work.add:
                    told.set_exception(error)
                raise
            for (one, told), id_ in zip(work.add, ids, strict=True):
                told.set_result(id_)
                if one.parent:
                    self._tell("solutions", str(id_), "adapted", parent=one.parent, sort=one.kind)
        if work.uses:
            self._store.serve(work.uses)
        if work.verdicts:
            ttl = self.settings.ttl_seconds
            for id_ in self._store.judge(work.verdicts, ttl_seconds=ttl):
                self._tell("solutions", str(id_), "quarantined")
        if work.checks:
            self._store.check(work.checks)
        for id_, verdict in work.reviews:
            self._store.review(id_, verdict)
            self._known.pop(id_, None)

    def _merge(self) -> None:
        """Programs that compute the same are one: the best of them."""
        assert self._store is not None
        programs = self._store.everything("kind = 'program' and state = 'proven' limit 50000")
        for id_, best in list(duplicates(programs)):
            self._store.deprecate(id_, f"solution {best} stands for it")
            self._tell("solutions", str(id_), "merged", into=best)

    def _encoded(self, solutions: Sequence[Solution]) -> list[Solution]:
        """Those that no lookup needed a vector for get it now."""
        bare = [one for one in solutions if not one.vector and one.request]
        if self.encoder is None or not bare:
            return list(solutions)
        told = self.encoder.encoder
        vectors = told.encode([one.request[:_LONGEST] for one in bare])
        made = {
            id(one): replace(one, vector=vector.tobytes(), encoder=told.name)
            for one, vector in zip(bare, vectors, strict=True)
        }
        return [made.get(id(one), one) for one in solutions]

    def _follow(self) -> None:
        assert self._store is not None
        if self.index is not None:
            before = self.index.position
            if self.index.follow(self._store):
                for change in self._store.changes(before):
                    self._known.pop(change.solution, None)
            if self._tended is None or not self._tended.is_alive():
                self._tended = threading.Thread(target=self._tend, name="graphs", daemon=True)
                self._tended.start()
        checks = self._store.checks(self._checks_read)
        if checks:
            self._checks_read = checks[-1].seq
            self.calibration.learn(checks)

    def _tend(self) -> None:
        from router.reuse.index import gently

        assert self.index is not None
        gently()
        try:
            self.index.tend()
        except Exception:
            _log.exception("a graph of solutions could not be built")

    def _keep_snapshot(self) -> None:
        """A process of its own writes the graphs: saving one stops the interpreter."""
        if self.index is None or not self.index.graphs:
            return
        size = len(self.index)
        if abs(size - self._written_at[0]) < max(1_000, _SNAPSHOT_EVERY * size):
            return
        self._written_at = (size, self.index.position)
        told = self.index
        command = [
            sys.executable, "-m", "router.reuse.graph_snapshot", str(self.folder),
            told.encoder, str(told.dimensions),
        ]  # fmt: skip
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def program_space(scope: str) -> bytes:
    """Programs are compared by what they compute, whatever else their requests said."""
    return blake2b(f"programs\0{scope}".encode(), digest_size=16).digest()


def _proof(signal: Signal) -> str:
    return f"{signal.source}: {signal.metric}"
