"""What follows from the numbers of a trial, as lines for the book."""

from learner.verdict import TrialVerdict, harms_of, verdict_of
from learner.watch import Turn
from router.config.config import Config
from router.routing.nodes import DOES_NOTHING
from router.trials.book import Book, Line, Trial, TrialState
from router.trials.changes import STEPS, adopt, roll_back, share_line, state_line, trouble_line
from router.trials.course import Course, phase_of
from router.trials.made_trials import decide_made, keep_made
from router.trials.node_trials import adopt_node, roll_back_node

_RARELY = 5  # a step ends after this many times its requests, even with few comparisons
_PATIENCE = 20  # looks in a row at which a trial cannot be judged, before it ends
_LEAST_SAME = 20  # requests of which a node must have said the same to be vetoed for it
_TROUBLED = 0.05  # own errors that a function may have in its shadow, beside so many answers


def conclude(book: Book, course: Course, config: Config, at: float) -> list[Line]:
    """The lines for the next state of the trial; no lines while its numbers are not clear."""
    trial = book.trials[course.trial.id]
    if phase_of(trial) != course.phase:
        return []  # the trial changed after the numbers were read
    match trial.state:
        case "running" if trial.pattern:
            return decide_made(book, trial, course, config, at)
        case "adopted" if trial.pattern:
            return keep_made(trial, course, at)
        case "shadow":
            return _leave_shadow(trial, course, config, at)
        case "running":
            return _decide(book, trial, course, config, at)
        case "adopting":
            return _step(book, trial, course, config, at)
    return []


def follow_turn(book: Book, course: Course, turn: Turn, at: float) -> list[Line]:
    """The lines that follow for the adopted strategy when its watch changes."""
    trial, watch = book.trials[course.trial.id], course.watch
    if trial.state != "adopted":
        return []
    match turn:
        case "alert":
            why = "its answers are worth less than they were: half go to the control for now"
            return [share_line(trial, watch.alert_share, at, why)]
        case "recovered":
            return [share_line(trial, watch.calm_share, at, "the control would do no better")]
        case "roll back":
            lift = watch.lift.times(max(course.comparison.apart_share, 1e-9))
            why = f"it turned bad: utility {lift} a request beside the control"
            if trial.node:
                return roll_back_node(book, trial, at, why)
            if trial.pattern:
                if watch.lift.high >= 0:
                    why = f"it adds hardly anything to what else serves: utility {lift} a request"
                return [state_line(trial, "rolled back", at, why)]
            return roll_back(book, at, why)
        case "calm":
            return []


def follow_trouble(book: Book, id_: str, why: str, looks: int, at: float) -> list[Line]:
    """The lines for a trial that could not be judged at its last looks, or can be judged again.

    A trial that goes on like this ends, since it holds up others. An adopted strategy stays: that
    its answers cannot be compared says nothing against it.
    """
    trial = book.trials[id_]
    lines = [] if why == trial.trouble else [trouble_line(trial, why, at)]
    if looks < _PATIENCE:
        return lines
    reason = f"it could not be judged {looks} times in a row: {why}"
    if trial.state in ("shadow", "running"):
        return [*lines, state_line(trial, "stopped", at, reason)]
    if trial.state == "adopting" and book.watched == trial:
        return [*lines, *roll_back(book, at, reason)]
    return lines


def _leave_shadow(trial: Trial, course: Course, config: Config, at: float) -> list[Line]:
    """A shadow ends after enough answers, or after too many of the function's own errors. Requests
    on which the machine kept the function from answering count neither way."""
    settings, errors = config.trials, course.errors.total()
    state: TrialState
    if errors > _TROUBLED * settings.shadow_requests:
        state = "vetoed"
        error, count = course.errors.most_common(1)[0]
        why = (
            f"in the shadow it failed on {errors:,} of {course.answered + errors:,} requests by "
            f"its own fault, {count:,} times with: {error}"
        )
    elif course.answered >= settings.shadow_requests and (word := _same_word(course)):
        state = "vetoed"
        why = (
            f"in the shadow it said `{word}` of all {course.answered:,} requests: it tells none "
            "from the others"
        )
    elif course.answered >= settings.shadow_requests:
        state = "running"
        why = (
            f"in the shadow of {course.answered + errors:,} requests it answered all but {errors}, "
            f"{course.disagreed} of them in another way"
        )
    elif len(course.kept_back) >= settings.most_requests:
        state = "stopped"
        why = (
            f"in the shadow it answered {course.answered:,} requests, and the machine kept it from "
            f"answering {len(course.kept_back):,}"
        )
    else:
        return []
    return [state_line(trial, state, at, why) | {"numbers": course.numbers()}]


def _same_word(course: Course) -> str:
    """The word that a node said of every request, if it changes something; a matcher that matches
    everything would hide all patterns, and every other matcher."""
    (word,) = course.words if len(course.words) == 1 else ("",)
    return "" if word in DOES_NOTHING or course.answered < _LEAST_SAME else word


def _decide(book: Book, trial: Trial, course: Course, config: Config, at: float) -> list[Line]:
    verdict = verdict_of(course.comparison)
    numbers = {"numbers": dict(verdict.numbers)}
    if verdict.word == "more data":
        return []
    if verdict.word == "keep":
        return [state_line(trial, "kept", at, verdict.sentence) | numbers]
    if config.trials.adopt and trial.node:
        adopted = adopt_node(book, trial, at, why=verdict.sentence, keep=config.trials.control)
        return [line | numbers if line["trial"] == trial.id else line for line in adopted]
    if config.trials.adopt:
        return _adopt(book, trial, verdict, config, at)
    how = f"waggle routes adopt {trial.node}" if trial.node else f"waggle trial adopt {trial.name}"
    why = f"{verdict.sentence} To do so: {how}"
    return [state_line(trial, "decided", at, why) | numbers]


def _adopt(
    book: Book, trial: Trial, verdict: TrialVerdict, config: Config, at: float
) -> list[Line]:
    if book.watched is not None and book.watched.state == "adopting":
        return []  # another strategy is just being adopted
    lines = adopt(book, trial.id, at, why=verdict.sentence, keep=config.trials.control)
    return [
        line | {"numbers": dict(verdict.numbers)}
        if line["do"] == "state" and line["trial"] == trial.id
        else line
        for line in lines
    ]


def _step(book: Book, trial: Trial, course: Course, config: Config, at: float) -> list[Line]:
    """Raise the candidate's share as long as no number is against the candidate."""
    comparison, settings = course.comparison, config.trials
    lift = comparison.lift()
    floor = 0.0 if trial.goal == "better" else -comparison.rules.margin
    breached = [str(guard) for guard in harms_of(comparison)]
    if lift.high < floor or breached:
        harm = "; ".join(breached) or f"utility {lift} a request"
        return roll_back(book, at, f"on its way to all requests it proved worse: {harm}")
    if (
        comparison.compared < settings.step_requests
        and comparison.requests < _RARELY * settings.step_requests
    ):
        return []
    last = 1 - settings.control
    larger = [share for share in (*STEPS, last) if share > trial.share + 1e-9]
    if len(larger) > 1:
        why = f"nothing speaks against it at {trial.share:.0%}: on to {larger[0]:.0%}"
        return [share_line(trial, larger[0], at, why)]
    why = f"adopted: all but {settings.control:.0%} of requests are its own"
    return [state_line(trial, "adopted", at, why) | {"share": last}]
