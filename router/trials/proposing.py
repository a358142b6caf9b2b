"""What is proposed without anybody asking: functions that were distilled or written, plans that
could go. Each passes its gates here, and is then tried like anything else.

Replay may veto; nothing is ever promoted by it.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from learner.policy import Arm
from router.domain import new_id
from router.routing.messages import Errand
from router.routing.strategies import Strategy
from router.trials.book import Book, Line, Rejected
from router.trials.director import Director
from router.trials.gates import Asking, gate
from router.trials.logged import Logged
from router.trials.replaying import Replay
from router.trials.simplifying import Look, idle_stages, look, paths
from router.trials.writing import (
    asked,
    code_of,
    distilled,
    first_prompt,
    returns_in,
    source_in,
    table_of,
    worth_of,
)

if TYPE_CHECKING:
    from learner.deciding import BanditPolicy
    from router.config.config import Config

_log = logging.getLogger("waggle")
_MOST_ROWS = 4000  # logged decisions that are looked at
_ENOUGH_ROWS = 300
_REPLAYED = 1500  # of them, those that a function is asked about
_CONTRACT_ROWS = 60
_FAILURES = 8  # kinds and plans that an author is shown
_WAITS = 900.0  # seconds that an author has
_CAREFUL = 0.1  # of requests, for what was never carried out before
_CURIOUS = 4  # plans that more requests go to, at a time
_DISTILLED = "distilled"
_WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Known:
    """What proposals are made from: the learner as it stands."""

    bandit: "BanditPolicy"
    lens: int
    judged: Mapping[str, int]  # answers by plan
    scores: Sequence[Mapping[str, Any]] = ()


@dataclass
class Proposer:
    director: Director
    config: "Config"
    wall: Callable[[], float]
    errand: Errand | None = None
    curious: tuple[str, ...] = ()  # plans to learn more of
    _looked_at: float = 0.0
    _lent_at: float = 0.0
    _prompt: int = 0

    def turn(self, known: Callable[[], Known | None]) -> None:
        """What operators asked for at once, and now and then what nobody did."""
        told, now = self.config.trials, self.wall()
        wishes, self.director.wishes = self.director.wishes, []
        due = told.propose and now - self._looked_at >= told.every_hours * 3600
        if not wishes and not due:
            return
        learned = known()
        if learned is None:
            return
        wanted = [str(one["what"]) for one in wishes]
        if due:
            self._looked_at = now
            wanted += ["challenge", "distill", "simplify", *(["write"] if told.writer else [])]
        rows = self._logged()
        if len(rows) < _ENOUGH_ROWS:
            for what in dict.fromkeys(str(one["what"]) for one in wishes):
                why = f"{len(rows)} judged answers are known, and {_ENOUGH_ROWS} are needed"
                self._note(what, "nothing", why, by_hand=True)
            return
        for what in dict.fromkeys(wanted):
            by_hand = any(one["what"] == what for one in wishes)
            self._propose(what, learned, rows, by_hand=by_hand)
        if "simplify" in wanted and self.director.book.serving.kind == "bandit":
            # Beside whatever is tried now: next time it is known whether they add anything.
            self.curious = self._look(learned, rows).strangers[:_CURIOUS]

    def _logged(self) -> list[Logged]:
        try:
            return self.director.telemetry.logged(0, _MOST_ROWS)
        except duckdb.Error as error:  # the catalog is being replaced: there will be another look
            _log.warning("nothing is proposed, for telemetry cannot be read: %s", error)
            return []

    def _propose(self, what: str, known: Known, rows: list[Logged], *, by_hand: bool) -> None:
        if not by_hand and self._busy(what):
            return
        try:
            if what == "challenge":
                self.challenge()
            elif what == "distill":
                self.distill(known, rows)
            elif what == "simplify":
                self.simplify(known, rows)
            elif what == "write":
                self.ask_author(known, rows)
        except Rejected as error:
            self._note(what, "nothing", str(error), by_hand=by_hand)

    def _busy(self, what: str) -> bool:
        """One proposal at a time in each layer, and none while something is on its way in."""
        book = self.director.book
        watched = book.watched
        if watched is not None and (watched.state == "adopting" or watched.share < 0.9):
            return True
        layer = "plans" if what == "simplify" else "strategy"
        return any(one.slot.layer == layer for one in book.live)

    # -- what is learned, against what does not learn --------------------------------------------

    def challenge(self) -> None:
        """The bandit, where something else serves that was never held against it."""
        book = self.director.book
        serving = book.serving
        tried = {(one.candidate, one.current) for one in book.trials.values()}
        if serving.kind in ("bandit", "function") or ("bandit", serving.key) in tried:
            return
        at = self.wall()
        effect = f"what is learned decides, in place of {serving.key}"
        self.director.change(
            lambda book: book.open(
                _free(book, "learn"), "bandit", at, opened_by="challenger", effect=effect
            )
        )

    # -- a tree read off the learner ------------------------------------------------------------

    def distill(self, known: Known, rows: list[Logged]) -> None:
        book = self.director.book
        serving = book.serving
        replay = Replay(self.config, known.bandit, known.lens)
        plans = [Arm(plan) for plan in self.config.asking if plan not in serving.without]
        rows = [one for one in rows if set(plans) & set(one.odds)]
        table = table_of(rows, replay, plans)
        tree = distilled(table)
        best = float(table.worth.max(axis=1).mean())
        worth = worth_of(tree)
        fixed = max(float(value) for value in table.worth.mean(axis=0))
        summary = (
            f"Distilled from {len(rows):,} judged answers: expected to be worth {worth:.4f} a "
            f"request; the best plan for each would be {best:.4f}, the best one plan {fixed:.4f}."
        )
        source = code_of(tree, summary, rows)
        latest = _latest(book, _DISTILLED)
        same = latest is not None and _code(latest.source) == _code(source)
        if latest is not None and same and _settled(book, latest):
            raise Rejected(f"{latest.key} says the same: nothing new was learned")
        kinds = sorted({one.kind for one in rows})
        ways = f"{paths(self.config, serving, kinds)} paths become {returns_in(source)}"
        if serving.kind == "function":
            here = self._expected(replay, serving, rows)
            if worth < here + self.config.trials.epsilon:
                told = f"is worth {worth:.4f} by what was learned, and {serving.key} {here:.4f}"
                raise Rejected(f"what could be distilled {told}")
            goal, effect = "better", f"{worth - here:+.4f} of utility a request; {ways}"
        else:
            goal, effect = "no worse", f"{worth - best:+.4f} of utility a request; {ways}"
        made = Strategy(_DISTILLED, "function", source=source, author="distiller", evidence=summary)
        self._enter(made, known, rows, goal=goal, opened_by="distiller", effect=effect)

    def _expected(self, replay: Replay, strategy: Strategy, rows: Sequence[Logged]) -> float:
        """What a strategy is worth by what was learned."""
        functions = Asking(strategy)
        with functions as asks:
            told = Replay(self.config, replay.bandit, replay.lens, asks)
            values = []
            for one in rows[-_REPLAYED:]:
                odds = told.odds(strategy, one)
                arms = list(odds)
                values.append(
                    sum(odds[a] * v for a, v in zip(arms, replay.worth(one, arms), strict=True))
                )
        return sum(values) / len(values) if values else 0.0

    # -- what could go --------------------------------------------------------------------------

    def simplify(self, known: Known, rows: list[Logged]) -> None:
        book, epsilon = self.director.book, self.config.trials.epsilon
        serving = book.serving
        if serving.kind == "function":
            if not self._shorten(known, rows):
                self._prune(known, rows)
            return
        if serving.kind not in ("bandit", "ladder"):
            return  # it is as simple as can be
        told = self._look(known, rows)
        found, few = told.idle, told.strangers
        if found is None and self._shorten(known, rows):
            return
        if found is None and few:
            names = ", ".join(few[:_CURIOUS])
            raise Rejected(f"too little is known of {names}: more requests go there for a while")
        if found is None:
            raise Rejected(
                f"every plan that {serving.key} may choose is worth more than {epsilon:g} of "
                "utility, or is too little known"
            )
        name = "without-" + "-".join(found.plans[:3]) + ("-more" if len(found.plans) > 3 else "")
        made = Strategy(
            name[:60], "same", without=found.plans, author="simplifier", evidence=found.sentence
        )
        self._enter(
            made, known, rows, goal="no worse", opened_by="simplifier", effect=found.sentence
        )

    def _look(self, known: Known, rows: list[Logged]) -> Look:
        book = self.director.book
        spared, alone = _spared(book)
        return look(
            self.config,
            Replay(self.config, known.bandit, known.lens),
            book.serving,
            rows,
            known.judged,
            self.config.trials.epsilon,
            spared=spared,
            alone=alone,
        )

    def _shorten(self, known: Known, rows: list[Logged]) -> bool:
        """A plan without one of its stages, on a tenth of requests: nothing is known of it yet."""
        book = self.director.book
        tried = {other for one in book.registered.values() for other in one.instead.values()}
        found = idle_stages(self.config, book.serving, rows, tried)
        if not found:
            return False
        one = found[0]
        made = Strategy(
            f"{one.plan}-less-{one.stage}"[:60],
            "same",
            instead={one.plan: one.simpler},
            author="simplifier",
            evidence=one.sentence,
        )
        self._enter(
            made,
            known,
            rows,
            goal="no worse",
            opened_by="simplifier",
            effect=one.sentence,
            share=_CAREFUL,
        )
        return True

    def _prune(self, known: Known, rows: list[Logged]) -> None:
        """A function that serves, grown again with fewer branches."""
        serving = self.director.book.serving
        replay = Replay(self.config, known.bandit, known.lens)
        plans = [Arm(plan) for plan in self.config.asking if plan not in serving.without]
        table = table_of(rows, replay, plans)
        here = self._expected(replay, serving, rows)
        branches = returns_in(serving.source)
        for leaves in range(1, branches):
            tree = distilled(table, leaves=leaves)
            worth = worth_of(tree)
            if worth < here - self.config.trials.epsilon:
                continue
            summary = (
                f"Distilled from {len(rows):,} judged answers with fewer branches than "
                f"{serving.key}: expected to be worth {worth:.4f} a request, where that is "
                f"{here:.4f}."
            )
            source = code_of(tree, summary, rows)
            effect = (
                f"{worth - here:+.4f} of utility a request; {branches} paths become "
                f"{returns_in(source)}"
            )
            made = Strategy(
                _DISTILLED, "function", source=source, author="simplifier", evidence=summary
            )
            self._enter(made, known, rows, goal="no worse", opened_by="simplifier", effect=effect)
            return
        raise Rejected(f"{serving.key} has {branches} branches, and each of them is worth having")

    # -- a backend that writes functions --------------------------------------------------------

    def ask_author(self, known: Known, rows: list[Logged]) -> None:
        writer = self.config.trials.writer
        if writer is None:
            raise Rejected("no backend writes functions: name one as trials.writer in waggle.yaml")
        now = self.wall()
        if self.errand is not None and now - self._lent_at < _WAITS:
            raise Rejected(f"{writer} is at work on one already")
        prompt = self._next_prompt()
        serving = self.director.book.serving
        current = serving.source or f"the strategy {serving.key}"
        failures = _failures(rows, Replay(self.config, known.bandit, known.lens))
        text = asked(str(prompt["text"]), known.scores, current, failures)
        self._prompt, self._lent_at = int(prompt["version"]), now
        self.errand = Errand(new_id(now), writer, text)

    def hear(self, done: tuple[str, str], known: Callable[[], Known | None]) -> None:
        """What the author answered."""
        if self.errand is None or done[0] != self.errand.id:
            return
        errand, self.errand = self.errand, None
        if not done[1].strip():
            self._note("write", "nothing", f"{errand.backend} gave no answer")
            return
        learned = known()
        rows = self._logged()
        if learned is None:
            return
        source = source_in(done[1])
        evidence = f"written by {errand.backend}, asked by prompt {self._prompt}"
        made = Strategy(_WRITTEN, "function", source=source, author=errand.backend,
                        evidence=evidence)  # fmt: skip
        try:
            self._enter(made, learned, rows, goal="better", opened_by="author", effect=evidence)
        except Rejected as error:
            self._learn_from(self._prompt, 0.0, str(error))
            self._note("write", "refused", str(error))

    def _next_prompt(self) -> Mapping[str, Any]:
        """The prompt whose functions fared best, those not yet tried first."""
        self._score_prompts()
        book = self.director.book
        versions = [one for one in book.prompts if one["what"] == "version"]
        if not versions:
            told = self.config.objective.preference
            text = first_prompt(told.cost, told.latency)
            line = self._prompt_line(version=1, text=text, parent=0, why="the first")
            self.director.change(lambda _: [line])
            return line
        scores: dict[int, list[float]] = {}
        for one in book.prompts:
            if one["what"] == "scored":
                scores.setdefault(one["version"], []).append(float(one["score"]))
        untried = [one for one in versions if one["version"] not in scores]
        if untried:
            return untried[-1]
        return max(versions, key=lambda one: _mean(scores[one["version"]]))

    def _score_prompts(self) -> None:
        """Whatever became of the functions they asked for."""
        book = self.director.book
        known = {str(one.get("trial")) for one in book.prompts if one["what"] == "scored"}
        for trial in book.trials.values():
            strategy = book.strategies.get(trial.candidate)
            settled = trial.ended or trial.state == "adopted"
            if strategy is None or trial.opened_by != "author" or not settled or trial.id in known:
                continue
            score = {"adopted": 1.0, "superseded": 1.0, "kept": 0.3}.get(trial.state, 0.1)
            version = int(strategy.evidence.rpartition(" ")[2] or 1)
            self._learn_from(version, score, f"{trial.state}: {trial.why}", trial.id)

    def _learn_from(self, version: int, score: float, why: str, trial: str = "") -> None:
        """How a function fared is told to the next author: a new version of the prompt."""
        book = self.director.book
        versions = {one["version"]: one for one in book.prompts if one["what"] == "version"}
        scored = self._prompt_line(
            what="scored", version=version, score=score, trial=trial, why=why
        )
        lines = [scored]
        parent = versions.get(version)
        if parent is not None and score < 1.0:
            number = max(versions) + 1
            lesson = f"An earlier function was not taken: {why[:300]}\nAvoid that.\n"
            text = f"{parent['text']}\n{lesson}"
            lines.append(self._prompt_line(version=number, text=text, parent=version, why=why))
        self.director.change(lambda _: lines)

    def _prompt_line(self, what: str = "version", **told: Any) -> Line:
        return {"do": "prompt", "at": self.wall(), "what": what, **told}

    # -- gates ----------------------------------------------------------------------------------

    def _enter(
        self,
        strategy: Strategy,
        known: Known,
        rows: Sequence[Logged],
        *,
        goal: str,
        opened_by: str,
        effect: str,
        share: float = 0.5,
    ) -> None:
        """Through the gates and into a trial; `Rejected` says which gate it was."""
        is_function = strategy.kind == "function"
        with Asking(strategy) as asks:
            if is_function:
                gate(strategy.source, asks, rows[-_CONTRACT_ROWS:])
            replay = Replay(self.config, known.bandit, known.lens, asks)
            here = strategy.over(self.director.book.serving)
            estimate = replay.estimate(here, rows[-_REPLAYED:])
        veto = estimate.vetoes(self.config.trials.epsilon)
        if veto:
            raise Rejected(veto)
        at = self.wall()

        def lines(book: Book) -> list[Line]:
            registered = book.register(strategy, at)
            made = Strategy.read(registered[0]["strategy"])
            book.registered[made.key] = made  # what is opened next refers to it
            try:
                opened = book.open(
                    _free(book, made.key.replace("@", "-")),
                    made.key,
                    at,
                    goal=goal,
                    share=share,
                    shadow=is_function,
                    opened_by=opened_by,
                    effect=effect,
                )
            finally:
                del book.registered[made.key]
            opened[0]["trial"]["replay"] = estimate.told()
            return [*registered, *opened]

        self.director.change(lines)

    def _note(self, what: str, state: str, why: str, *, by_hand: bool = False) -> None:
        line = {"do": "note", "at": self.wall(), "subject": what, "what": state, "why": why}
        before = [one for one in self.director.book.notes if one["subject"] == what]
        if before and before[-1]["why"] == why and not by_hand:
            return  # said already
        self.director.change(lambda _: [line])


def _failures(rows: Sequence[Logged], replay: Replay) -> list[str]:
    """Kinds of request and plans of which least came, and what else was there."""
    by: dict[tuple[str, str], list[float]] = {}
    for one in rows:
        by.setdefault((one.kind, one.plan), []).append(one.utility(replay.preference))
    worst = sorted((_mean(v), k) for k, v in by.items() if len(v) >= 5)[:_FAILURES]
    return [
        f"{kind} through {plan}: utility {mean:.3f} over {len(by[kind, plan])} judged answers"
        for mean, (kind, plan) in worst
    ]


def _free(book: Book, name: str) -> str:
    taken = {one.name for one in book.trials.values()}
    number = 2
    while name in taken:
        name = f"{name.rstrip('0123456789').rstrip('-')}-{number}"
        number += 1
    return name


def _latest(book: Book, name: str) -> Strategy | None:
    versions = [one for one in book.registered.values() if one.name == name]
    return max(versions, key=lambda one: one.version, default=None)


def _spared(book: Book) -> tuple[set[str], set[str]]:
    """Plans without which a trial was not shown to be as good; and those that were among several
    of that kind, of which it is not known which it was."""
    kept = [one for one in book.trials.values() if one.state == "kept"]
    gone = [book.strategies[one.candidate].without for one in kept]
    spared = {without[0] for without in gone if len(without) == 1}
    return spared, {plan for without in gone if len(without) > 1 for plan in without}


def _settled(book: Book, strategy: Strategy) -> bool:
    """Whether it had its trial, or has it now; one that was vetoed before may try again."""
    states = [one.state for one in book.trials.values() if one.candidate == strategy.key]
    return any(state not in ("vetoed", "superseded", "stopped") for state in states)


def _code(source: str) -> list[str]:
    """Without what it says of itself."""
    lines = [line.strip() for line in source.splitlines()]
    return [line for line in lines if line.startswith(("if ", "return "))]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
