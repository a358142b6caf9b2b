"""After an answer: stores the answer as a solution, and gathers evidence on remembered answers.

If a backend answered a remembered request, the remembered answer is judged beside the new answer. A
stored program is reviewed with other numbers. Both run in background tasks.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from hashlib import blake2b

import orjson

from router.config.config import Config
from router.config.plans import Code
from router.config.signals import FORM
from router.domain import COMPUTE, Call, Request, Signal, Trace
from router.engine.answer_judges import AnswerJudges
from router.engine.forms import ANSWER, BY_FORM, FormAnswers
from router.engine.library_door import LibraryDoor
from router.engine.recall import AskBackend, Lookup, Recall, unrepeatable
from router.plans.compiled import Plans
from router.request.statistical import interpret, job_of
from router.reuse.editing import edit_program
from router.reuse.evidence import PairVerdict, ReuseCheck, UnjudgedCheck, pair_of
from router.reuse.library import variations
from router.reuse.lifecycle import BAD, GOOD
from router.reuse.memory import SolutionMemory
from router.reuse.memory_query import program_space
from router.reuse.programs.drafts import Draft
from router.reuse.programs.lines import LibraryLine
from router.reuse.programs.remembered import FREE, is_free
from router.reuse.recollection import Candidate, Recollection
from router.reuse.solution import Solution
from router.verified import Verified, verified_in
from sandbox.review.reviewers import ReviewerVerdict
from sandbox.spec import Spec

_REVIEWED_SECONDS = 600.0  # after which nobody reviews a program any more
_log = logging.getLogger("waggle")


@dataclass
class Keeping:
    recall: Recall
    wall: Callable[[], float]
    tell: Callable[..., None]
    ask: AskBackend  # calls the sandbox to review a program
    judges: AnswerJudges
    forms: FormAnswers | None = None  # where an author of programs is configured
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def memory(self) -> SolutionMemory:
        return self.recall.memory

    def wants(self, config: Config, lookup: Lookup | None) -> bool:
        """Whether the words of this answer will be stored or compared."""
        if lookup is None or config.reuse.mode == "off":
            return False
        checks = lookup.match is not None and lookup.match.recalled.checked
        return checks or (lookup.query.keeps and lookup.query.mode != "off")

    def computed(self, trace: Trace) -> None:
        """Note in the library what authors wrote for this request, what reviewers said of programs
        that went no further, and which remembered programs did not hold for it."""
        if trace.private:  # a program may hold words of a store
            return
        for drafted in (trace.computed or {}).get("drafts", ()):
            self.memory.add_line(Draft(trace.request.id, **drafted).line(self.wall()))
        for review in (trace.computed or {}).get("sent_back", ()):
            # Other reviewers quote numbers, which may be the request's: no line says these again.
            reasons = tuple(review["reasons"]) if review["reviewer"] == "security" else ()
            verdict = ReviewerVerdict(review["reviewer"], review["verdict"], reasons)
            self.memory.add_reviews(0, [verdict])
        for fell in (trace.computed or {}).get("fell", ()):
            line = LibraryLine(fell["solution"], self.wall(), "failed", detail=fell["status"])
            self.memory.add_line(line)

    def answered(self, plans: Plans, lookup: Lookup, trace: Trace, text: str, model: str) -> None:
        """Store a backend's answer as a solution, and compare it with a remembered answer."""
        verified = trace.verified
        if trace.status != 200 or not text or trace.partial:
            return
        if verified is not None and not verified.proven:
            return
        # No words of a store, nor a program that holds some.
        if trace.private or _asked_a_store(plans, trace):
            return
        match = lookup.match
        by_form = match is not None and match.recalled.bucket in BY_FORM
        if match is not None and match.recalled.checked and not by_form:
            self._compare(plans, lookup, trace, text)
        if not lookup.query.keeps or lookup.query.mode == "off":
            return
        fits = len(text.encode()) <= plans.config.reuse.most_bytes
        made_by = (attempt.backend for attempt in trace.attempts if not attempt.fault)
        repeats = fits and not unrepeatable(plans, trace.request, trace.decision.plan, made_by)
        if trace.computed is not None and trace.computed.get("spec"):
            self._keep_program(plans, lookup, trace, text if repeats else "")
            return
        if trace.computed is not None:
            self._keep_free_program(plans, lookup, trace)
        if repeats:
            self._keep_text(plans, lookup, trace, text, model)
            if self.forms is not None:
                bare = self._bare(plans, lookup, trace)
                self.forms.answered(plans, lookup, trace, text, bare)

    def _keep_text(self, plans: Plans, lookup: Lookup, trace: Trace, text: str, model: str) -> None:
        config = plans.config
        adapted = trace.tier == "adapt" and trace.recalled is not None
        solution = replace(
            self._bare(plans, lookup, trace),
            space=lookup.query.space,
            kind="text",
            answer=text,
            state="proven" if trace.verified or config.reuse.keep == "all" else "unproven",
            proof=_proof(config, trace.verified),
            model=model,
        )
        if adapted and trace.recalled is not None:
            change = "a backend adapted it"
            solution = replace(solution, parent=trace.recalled.solution, change=change)
        self.memory.keep(solution)

    def _keep_program(self, plans: Plans, lookup: Lookup, trace: Trace, text: str) -> None:
        """Store a proven program, unless it is a stored program with other numbers. `text` is its
        answer, if the answer may be given again."""
        computed = trace.computed or {}
        reuse = computed.get("reuse") or {}
        if reuse.get("tier") == "reuse":
            self.memory.add_use(trace.request.id, int(reuse["solution"]), trace.request.key_id)
            return
        sandbox = trace.backend
        kept = self.memory.keep(
            solution := replace(
                self._bare(plans, lookup, trace),
                space=program_space(lookup.query.scope),
                kind="program",
                answer=text,
                program=computed["program"],
                spec=computed["spec"],
                seed=int(computed["seed"]) % 2**62,
                state="proven",
                proof=_proof(plans.config, trace.verified),
                parent=int(reuse.get("solution", 0)),
                change=str(reuse.get("change", "")),
                model=str(computed.get("author", "")),
            )
        )
        self._begin(self._review(solution, kept, sandbox))

    def _keep_free_program(self, plans: Plans, lookup: Lookup, trace: Trace) -> None:
        """Store a program that a model wrote without a spec, with the one that agreed with it."""
        computed, plan = trace.computed or {}, trace.decision.plan
        if reuse := computed.get("reuse"):
            self.memory.add_use(trace.request.id, int(reuse["solution"]), trace.request.key_id)
            return
        code = next(iter(plans[plan].codes), None) if plan in plans else None
        if not computed.get("beside") or code is None or trace.request.fields.get("data"):
            return
        door = LibraryDoor(self.memory, self.ask, self.tell, self.wall)
        for _, earlier in lookup.library:  # a router may have ended in the middle of its review
            late = is_free(earlier) and not earlier.reviewed
            if late and self.wall() - earlier.created > _REVIEWED_SECONDS:
                self._begin(door.admit(plans, trace.request, earlier, code))
        solution = replace(
            self._bare(plans, lookup, trace),
            space=program_space(lookup.query.scope),
            exact=blake2b(b"program" + lookup.query.exact, digest_size=16).digest(),
            kind="program",
            program=computed["program"],
            spec={"kind": FREE, "beside": computed["beside"]},
            seed=int(computed["seed"]) % 2**62,
            state="proven",
            proof=_proof(plans.config, trace.verified),
            parent=int(computed.get("parent", 0)),
            change="written anew: the earlier one did not hold" if "parent" in computed else "",
            model=str(computed.get("author", "")),
        )
        kept = self.memory.keep(solution)
        self._begin(self._admit(door, plans, trace.request, solution, kept, code))

    async def _admit(
        self,
        door: LibraryDoor,
        plans: Plans,
        request: Request,
        solution: Solution,
        kept: "Future[int]",
        code: Code,
    ) -> None:
        id_ = await asyncio.wrap_future(kept)
        await door.admit(plans, request, replace(solution, id=id_), code)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        """Do some work in the background."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _review(self, solution: Solution, kept: "Future[int]", sandbox: str) -> None:
        """Run and check the program with other numbers, before it is used widely."""
        if solution.spec.get("kind") != "generate":
            return
        id_ = await asyncio.wrap_future(kept)
        held = tried = 0
        for text, seed in variations(solution):
            spec = interpret(text).spec
            change = (
                edit_program(solution.program, Spec.from_json(solution.spec), spec)
                if spec
                else None
            )
            if change is None:
                continue
            job = job_of(text, {}, seed=seed, turn=0, source=change.source)
            outcome = await self.ask(sandbox, Call(COMPUTE, job, False, solution.request_id))
            if not outcome.answered:
                return  # a sandbox that fails says nothing about the program
            tried += 1
            verdict = orjson.loads(outcome.body)
            held += bool(verdict.get("document")) and verified_in(verdict).proven
        if tried:
            verdict = "passed" if held == tried else "failed"
            self.memory.add_review(id_, f"{verdict}: {held} of {tried} variations held")

    def _bare(self, plans: Plans, lookup: Lookup, trace: Trace) -> Solution:
        import numpy as np

        config, plan = plans.config, kept_under(plans, trace.decision.plan)
        now = self.wall()
        ttl = trace.request.ttl_seconds
        ttl = config.reuse.ttl_seconds if ttl is None else min(ttl, config.reuse.ttl_seconds)
        encoder = self.memory.encoder
        vector = lookup.vector
        return Solution(
            scope=lookup.query.scope,
            space=b"",
            exact=lookup.query.exact,
            kind="text",
            request=lookup.query.text,
            vector=b"" if vector is None else np.asarray(vector, np.float32).tobytes(),
            encoder=encoder.encoder.name if encoder is not None and vector is not None else "",
            plan=plan,
            form=plans[plan].form if plan in plans else "",
            backend=trace.backend,
            policy_version=trace.decision.policy_version,
            cost_usd=trace.cost_usd,
            seconds=trace.seconds,
            created=now,
            expires=now + ttl,
            request_id=trace.request.id,
        )

    def judged(self, lookup: Lookup, candidate: Candidate, *, serves: bool) -> Lookup:
        """Keep what the verifying backend said of a pair, and look at the memory with it.

        If the pair verifier had accepted the pair, what the backend says checks it too.
        """
        pair = pair_of(candidate.solution.exact, lookup.query.exact)
        self._keep_verdict(pair, candidate.solution.id, "the verifying backend", serves=serves)
        match = lookup.match
        if match is not None and candidate.by == "verifier":
            self._learn(self._check(lookup, match, wrong=not serves, by="the verifying backend"))
        if serves:
            return self.recall.agreed(lookup, candidate)
        disproved = match is not None and match.solution.id == candidate.solution.id
        return replace(lookup, match=None) if disproved else lookup

    def _compare(self, plans: Plans, lookup: Lookup, trace: Trace, text: str) -> None:
        self._begin(self._compared(plans, lookup, trace, text))

    async def _compared(self, plans: Plans, lookup: Lookup, trace: Trace, text: str) -> None:
        """Check a remembered answer beside the new answer; without evidence, nothing counts."""
        match = lookup.match
        assert match is not None
        try:
            finding = await self.judges.judge(plans, trace, match.solution, text)
        except Exception:  # a judge that fails is no evidence
            _log.exception("a remembered answer could not be judged")
            finding = None
        if finding is None:
            self.memory.add_check(UnjudgedCheck(match.recalled.bucket))
            bucket = match.recalled.bucket
            self.tell("reuse", str(match.solution.id), "could not be judged", bucket=bucket)
            return
        check = self._check(lookup, match, wrong=finding.wrong, by=finding.by)
        self._learn(replace(check, weight=finding.weight))
        if finding.wrong:
            pair = pair_of(match.solution.exact, lookup.query.exact)
            self._keep_verdict(pair, match.solution.id, finding.by, serves=False)

    def _check(self, lookup: Lookup, match: Recollection, *, wrong: bool, by: str) -> ReuseCheck:
        recalled = match.recalled
        return ReuseCheck(
            recalled.bucket,
            lookup.query.space,
            wrong,
            1.0,
            self.wall(),
            recalled.solution,
            recalled.neighbourhood,
            by,
        )

    def _keep_verdict(self, pair: bytes, solution: int, by: str, *, serves: bool) -> None:
        self.memory.add_verdict(PairVerdict(pair, serves, solution, by, self.wall()))

    def _learn(self, check: ReuseCheck) -> None:
        """Add a check to the error statistics of its bucket, and record the check as an event."""
        self.memory.add_check(check)
        state = "wrong" if check.wrong else "right"
        detail = {"bucket": check.bucket, "weight": check.weight, "by": check.by}
        self.tell("reuse", str(check.solution), state, **detail)

    def heard(self, signals: Sequence[Signal]) -> None:
        """Apply verdicts. A verdict on a remembered answer also counts for similar answers.

        What a user did next is no verdict.
        """
        verdicts = [s for s in signals if s.weight > 0 and not _good_form(s)]
        self.memory.judge(verdicts)
        for signal in verdicts:
            if self.forms is not None and signal.score is not None:
                self.forms.rated(signal.about.request_id, good=signal.score >= GOOD)
            use = self.recall.uses.get(signal.about.request_id)
            if use is None or signal.score is None:
                continue
            wrong = signal.score <= BAD
            if wrong and self.forms is not None and use.bucket in ("", ANSWER):
                self.forms.outdated(use.solution)
            if not use.bucket:
                continue
            if wrong or signal.score >= GOOD:
                self._learn(
                    ReuseCheck(
                        use.bucket,
                        use.space,
                        wrong,
                        signal.weight,
                        signal.at,
                        use.solution,
                        use.neighbourhood,
                        signal.source,
                    )
                )
            if wrong:
                self._keep_verdict(use.pair, use.solution, signal.source, serves=False)
            if wrong and self.forms is not None and use.bucket in BY_FORM:
                self.forms.disproved(use.space, use.solution)


def kept_under(plans: Plans, name: str) -> str:
    """The plan under whose name an answer of this plan is kept. A plan that growth made may go any
    day. What was proven or well rated stays right: it counts as its parent's answer."""
    made = next((each for each in plans.made if each.name == name), None)
    return name if made is None or plans.config.reuse.keep == "all" else made.parent


def _asked_a_store(plans: Plans, trace: Trace) -> bool:
    """Whether a call of this request could read a store of knowledge."""
    settings = (plans.config.backends.get(each.backend) for each in trace.attempts)
    return any(each is None or bool(each.asks_stores) for each in settings)


def _proof(config: Config, verified: Verified | None) -> str:
    if verified is not None:
        return verified.header
    return "kept without proof" if config.reuse.keep == "all" else ""


def _good_form(signal: Signal) -> bool:
    """Whether a check of form found nothing bad, which is no evidence that the answer is right."""
    good = signal.score is not None and signal.score > 0.3
    return good and signal.source == "check" and signal.metric in FORM
