"""The trials of made plans: how a made plan enters, what decides its trial, and how it goes.

A plan is tried within its pattern: half of the pattern's requests get it, a quarter the plan that
it was made from, and a quarter what serves. It is adopted as soon as it is shown to be better than
these, and seems better than the plan that it was made from: no made plan is credited with what
another choice among the configured plans would bring. A route is such a choice: half of the
requests get one plan of the configuration, which must be better than what serves. Then all but a
small control get what was adopted, and it is watched. The chance of a false adoption is shared out
over all trials of growth (LOND: Javanmard and Montanari, 2015), so that many trials of plans that
do nothing adopt hardly any.
"""

from dataclasses import asdict
from math import log, sqrt

from learner.assignment import Slot
from learner.comparison import Comparison
from learner.sequence import RunningMoments, split_evidence
from learner.verdict import MISMATCH, apart_share
from router.config.config import Config
from router.domain import new_id
from router.plans.made import MadeKind, MadePlan, compiled_from
from router.trials.book import Book, Line, Rejected, Trial, candidate_of
from router.trials.changes import share_line, state_line
from router.trials.course import Course

HALF = 0.5
LEAST = 40  # compared answers before a trial can end
LEAST_BESIDE = 20  # of these, answers beside those of its parent: see experiments/growth/README.md
_SOON = 0.5  # the part of the longest trial within which what a good plan adds can be shown
# A trial ends once it is so many times likelier that its plan adds nothing: see that page, too.
LIKELIER = 5.0
# Standard errors by which a simpler plan must lose too much. At 0.7, chance ended the trials of
# many needless stages at once, which take thousands of answers: see experiments/growth/README.md.
_DOUBT, _DOUBT_OF_STAGE = 0.7, 2.0
_SURE = 1.64  # standard errors by which a plan must be better than its parent
MOST_OF_SIMPLER = 20_000  # requests of a pattern within which a simpler plan must be no worse
MARGIN_OF_MERGED = 0.05  # utility
_OPENED_BY = "growth"
# Compared answers. With an alpha as small as growth's, the interval is tightest at twice as many.
_TIGHT_AT = 120
_SLOW, _SCALE = 10, 1.6  # alpha of trial t: alpha * _SCALE / (t + _SLOW) ** 1.5, which sums to 1
ENDED_BY_HAND = ("forbidden", "removed")
AUDITED = "audited"


def make(
    book: Book,
    made: MadePlan,
    at: float,
    *,
    waits: bool,
    alpha: float,
    most: int,
    effect: str = "",
) -> list[Line]:
    """Add a made plan, and open its trial unless it waits for a person."""
    if made.name in book.made:
        raise Rejected(f"{made.name} was made already: give another name")
    try:
        compiled_from(book.config, made)
    except ValueError as error:
        raise Rejected(str(error)) from None
    lines: list[Line] = [{"do": "made", "at": at, "plan": made.written()}]
    if waits:
        why = "growth.approve is set"
        return [*lines, _grown_line(made.name, "waiting", at, why, "growth")]
    return [*lines, _open_line(book, made, at, alpha=alpha, most=most, effect=effect)]


def open_made(book: Book, name: str, at: float, *, alpha: float, most: int) -> list[Line]:
    """Open the trial of a plan that was made before."""
    made = named_plan(book, name)
    if state_of(book, name) not in ("made", "waiting", "approved"):
        raise Rejected(f"{name} is {state_of(book, name)}: only a plan that waits can be tried")
    return [_open_line(book, made, at, alpha=alpha, most=most, effect=made.evidence)]


def approve(book: Book, name: str, at: float, *, alpha: float, most: int) -> list[Line]:
    """A person lets a waiting plan begin its trial, or adopts a plan on trial."""
    named_plan(book, name)
    state = state_of(book, name)
    line = _grown_line(name, "approved", at, "an operator approved it", "operator")
    if state == "waiting":
        return [line, *open_made(book, name, at, alpha=alpha, most=most)]
    if state in ("running", "decided"):
        trial = book.trial(name)
        return [line, *adopt_made(book, trial, at, "an operator approved it")]
    raise Rejected(f"{name} is {state}: only a plan that waits or is on trial can be approved")


def end_by_hand(book: Book, name: str, at: float, state: str) -> list[Line]:
    """A person removes a made plan; with the state `forbidden`, it is not made again."""
    named_plan(book, name)
    if state_of(book, name) == state:
        raise Rejected(f"{name} is {state} already")
    lines = [_grown_line(name, state, at, f"an operator said so: {state}", "operator")]
    trial = trial_of(book, name)
    if trial is not None and trial.state in ("running", "decided", "adopted"):
        ended = "rolled back" if trial.state == "adopted" else "stopped"
        lines.append(state_line(trial, ended, at, f"an operator said so: {state}"))  # type: ignore[arg-type]
    return lines


def retire(book: Book, name: str, at: float, why: str) -> list[Line]:
    """End a made plan that brings nothing any more, or that cannot be carried out."""
    trial = trial_of(book, name)
    if trial is None or trial.state not in ("running", "decided", "adopted"):
        return []
    return [state_line(trial, "stopped", at, why)]


def go_back(book: Book, name: str, at: float, why: str) -> list[Line]:
    """End a made plan that turned bad: on trial it is kept out, adopted it is rolled back."""
    trial = trial_of(book, name)
    if trial is None or trial.state not in ("running", "decided", "adopted"):
        return []
    return [state_line(trial, "rolled back" if trial.state == "adopted" else "kept", at, why)]


def note_audited(book: Book, name: str, at: float, why: str) -> list[Line]:
    """Note that a trained model agrees with its teacher, without which its trial adopts nothing."""
    trial, word = trial_of(book, name), book.words.get(name)
    if trial is None or trial.state != "running" or (word and word["state"] == AUDITED):
        return []
    return [_grown_line(name, AUDITED, at, why, "growth")]


def adopt_made(book: Book, trial: Trial, at: float, why: str) -> list[Line]:
    """Let a made plan answer its pattern, beside its control; it takes the place of another."""
    made = book.made[trial.name]
    lines = [
        state_line(other, "superseded", at, f"{trial.name} took its place")
        for other in book.grown
        if book.made[other.name].stands_for == made.stands_for
        and not set(book.made[other.name].patterns).isdisjoint(made.patterns)
    ]
    share = 1 - book.config.growth.control
    return [*lines, {**state_line(trial, "adopted", at, why), "share": share}]


def decide_made(book: Book, trial: Trial, course: Course, config: Config, at: float) -> list[Line]:
    """Adopt, keep out, or go on. What a plan costs and how long it takes is part of its utility."""
    comparison, made = course.comparison, book.made[trial.name]
    lift, n = comparison.lift(), comparison.compared
    words = f"utility {lift} a request of {trial.pattern} after {n:,} compared answers"
    numbers = {"numbers": comparison.numbers()}
    floor = 0.0 if trial.goal == "better" else -comparison.rules.margin
    why = ""
    models = made.kind == "model"
    gain = "cheaper" if models else "simpler"
    goal = f"no worse, and {gain}" if trial.goal == "no worse" else trial.goal
    if comparison.mismatch > -log(MISMATCH):
        why = f"the sides have other shares than intended, so nothing can be trusted: {words}"
    elif lift.high < floor:
        why = f"it is worse: {words}"
    elif models and (harm := _harm(comparison)):
        why = f"it does harm: {harm}: {words}"
    elif trial.goal == "better" and (hopeless := _hopeless(course)):
        why = f"{hopeless}: {words}"
    elif trial.goal != "better" and _likely_worse(comparison, made.kind):
        why = f"it most likely loses more than {comparison.rules.margin:g}: {words}"
    elif (
        (_replaces_teacher(book, trial.name, comparison) if models else lift.low > floor)
        and comparison.enough
        and not _lopsided(comparison)
        and (made.kind != "spawn" or _adds_to_parent(course))
    ):
        if not config.trials.adopt:
            why = f"it is {goal}: {words}. To adopt: waggle growth approve {trial.name}"
            return [state_line(trial, "decided", at, why) | numbers]
        return [
            line | numbers if line["trial"] == trial.id else line
            for line in adopt_made(book, trial, at, f"it is {goal}: {words}")
        ]
    elif comparison.requests >= comparison.rules.most_requests:
        why = f"nothing was decided within {comparison.requests:,} requests: {words}"
    return [state_line(trial, "kept", at, why) | numbers] if why else []


def doubt(book: Book, name: str, at: float, why: str) -> list[Line]:
    """Half of an adopted plan's requests go to its control, until it is known who does better."""
    trial = trial_of(book, name)
    if trial is None or trial.state != "adopted" or trial.share <= HALF:
        return []
    return [share_line(trial, HALF, at, why)]


def keep_made(trial: Trial, course: Course, at: float) -> list[Line]:
    """Take an adopted plan back if its control is shown to do better, however slowly that came."""
    comparison = course.comparison
    lift = comparison.lift()
    floor = 0.0 if trial.goal == "better" else -comparison.rules.margin
    if not comparison.enough or lift.high >= floor:
        return []
    why = f"its control does better: utility {lift} a request of {trial.pattern}"
    return [state_line(trial, "rolled back", at, why) | {"numbers": comparison.numbers()}]


def _hopeless(course: Course) -> str:
    """Says to what the plan most likely adds nothing; empty if the plan may yet be adopted.

    A good plan adds at least what half of the longest trial can show. A trial ends once it is much
    likelier that the plan adds nothing, so what a pattern asks goes to the next plan. To end a
    trial early is never a false adoption, so this needs no interval at every look.
    """
    comparison = course.comparison
    if comparison.compared < LEAST or not comparison.enough:
        return ""
    rules, share, utility = comparison.rules, comparison.apart_share, comparison.utility.values
    gain = utility.radius_after(_SOON * rules.most_requests * share, rules.alpha)
    for values, beside in (
        (utility, "what serves"),
        (course.beside_parent.values, f"{course.parent} there"),
    ):
        if values.n >= LEAST_BESIDE and values.evidence_of_none(gain) > log(LIKELIER):
            return f"it hardly adds {gain * share:.2g} to {beside}"
    return ""


def _likely_worse(comparison: Comparison, kind: MadeKind) -> bool:
    values, margin = comparison.utility.values, comparison.rules.margin
    if comparison.compared < LEAST or not comparison.enough:
        return False
    doubt = _DOUBT_OF_STAGE if kind == "stage" else _DOUBT
    return (values.mean + doubt * _error(values)) * comparison.apart_share < -margin


def _adds_to_parent(course: Course) -> bool:
    """Whether a plan seems better than the plan that it was made from, whatever else serves."""
    values = course.beside_parent.values
    return values.n >= LEAST_BESIDE and values.mean > _SURE * _error(values)


def _error(values: RunningMoments) -> float:
    return sqrt(max(values.squares, 0.0)) / max(values.n, 1)


def _harm(comparison: Comparison) -> str:
    """Which measure a trained model is shown to make worse, however much it saves."""
    guards = (guard for guard in comparison.guards() if guard.name in ("quality", "errors"))
    return "; ".join(str(guard) for guard in guards if guard.state == "breached")


def _replaces_teacher(book: Book, name: str, comparison: Comparison) -> bool:
    """Whether a trained model is shown to save dollars, and passed its audits: these compare its
    answers with its teacher's on the same requests, which says more than two sides of requests."""
    word = book.words.get(name)
    audits = word is not None and word["state"] == AUDITED
    return audits and comparison.utility.values.mean > 0 and comparison.saving().low > 0


def _lopsided(comparison: Comparison) -> bool:
    """Whether answers of one side are judged more often, so that it may only seem better."""
    candidate, current = comparison.judged["candidate"], comparison.judged["current"]
    return split_evidence(candidate, current, apart_share(comparison)) > -log(MISMATCH)


def alpha_of(book: Book, alpha: float) -> float:
    """The alpha of the next trial of growth, so that all together rarely adopt what adds nothing.

    Each adoption so far earns the trials after it more. Only the lower end of an interval can cause
    a false adoption, and an interval errs at its lower end half as often as at either end: so the
    alpha of the interval is twice the chance of a false adoption.
    """
    trials = [t for t in book.trials.values() if t.pattern and t.goal == "better"]
    adopted = sum(trial.state in ("adopted", "superseded") for trial in trials)
    share = _SCALE / (len(trials) + 1 + _SLOW) ** 1.5 * (1 + adopted)
    return float(2 * alpha * min(share, 1.0))


def named_plan(book: Book, name: str) -> MadePlan:
    made = book.made.get(name)
    if made is None:
        names = ", ".join(book.made) or "none yet"
        raise Rejected(f"{name}: no made plan has this name. There are: {names}")
    return made


def trial_of(book: Book, name: str) -> Trial | None:
    trials = [t for t in book.trials.values() if t.pattern and t.name == name]
    return trials[-1] if trials else None


def state_of(book: Book, name: str) -> str:
    """The state of a made plan: that of its trial, or what a person said of it."""
    word = book.words.get(name)
    if word is not None and word["state"] in ENDED_BY_HAND:
        return str(word["state"])
    trial = trial_of(book, name)
    if trial is not None:
        return trial.state
    return str(word["state"]) if word is not None else "made"


def in_doubt(trial: Trial) -> bool:
    """Whether an adopted plan's answers fell, so that half of its requests go to its control. What
    may take its place is tried meanwhile: to wait for the end of it takes as long again."""
    return trial.state == "adopted" and trial.share <= HALF


def alive(book: Book) -> list[MadePlan]:
    """The made plans that answer requests, or may do so."""
    states = ("made", "waiting", "approved", "running", "decided", "adopted")
    return [made for name, made in book.made.items() if state_of(book, name) in states]


def parents_of(book: Book) -> dict[str, str]:
    """The made plans that answer requests, or are tried, and of which the learner keeps a model:
    each with the plan whose model it begins with."""
    answering = [book.made[trial.name] for trial in (*book.grown, *book.live) if trial.pattern]
    return {made.name: made.parent for made in answering if made.may_be_chosen}


def _grown_line(name: str, state: str, at: float, why: str, by: str) -> Line:
    return {"do": "grown", "at": at, "plan": name, "state": state, "why": why, "by": by}


def _simpler_rules(book: Book, made: MadePlan) -> dict[str, float]:
    """A simpler plan costs nothing while it is tried, and to show that little is lost takes many
    answers. A merged plan answers as well as both did, so it may differ a little more."""
    margin = book.config.growth.epsilon
    margin = max(margin, MARGIN_OF_MERGED) if made.kind == "merge" else margin
    return {"least": LEAST, "margin": margin, "most_requests": MOST_OF_SIMPLER}


def _open_line(
    book: Book,
    made: MadePlan,
    at: float,
    *,
    alpha: float,
    most: int,
    effect: str,
) -> Line:
    layer = f"stages {made.pattern}" if made.stands_for else f"pattern {made.pattern}"
    simpler = made.kind not in ("spawn", "route")
    if any(trial.slot.layer == layer for trial in book.live):
        raise Rejected(f"another plan is tried on {made.pattern}: one at a time")
    id_ = new_id(at)
    trial = Trial(
        id_,
        made.name,
        candidate_of(made).key,
        book.serving.key,
        Slot(id_, layer, 0.0, made.part, HALF),
        "running",
        _OPENED_BY,
        at,
        at,
        goal="no worse" if simpler else "better",
        rules=_simpler_rules(book, made)
        if simpler
        else {
            "alpha": alpha,
            "least": LEAST,
            "most_requests": most,
            "tight_at": _TIGHT_AT,
        },
        effect=effect,
        pattern=made.pattern,
    )
    return {"do": "open", "at": at, "trial": asdict(trial)}
