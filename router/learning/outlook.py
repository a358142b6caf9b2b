"""Whether learning is worth it on a kind of request, as a word and as a sentence with numbers."""

import datetime as dt
from enum import StrEnum

from router.learning.arrivals import SILENT_AFTER
from router.learning.prospects import Prospect

LITTLE = 0.005  # utility a request, below which a difference is not worth a decision
_COSTS_NOTHING = 5e-5  # utility a request


class Outlook(StrEnum):
    ONE_PLAN = "only one plan"
    UNJUDGED = "no judged answers"
    SILENT = "no judged answers any more"
    UNJUDGED_HERE = "no judged answers here"
    WORTH = "worth learning"
    LEARNED = "learned"
    NOTHING = "nothing to learn"


def outlook_of(prospect: Prospect, whole: Prospect) -> Outlook:
    """The outlook on a kind of request. `whole`: the prospect of all requests."""
    if prospect.plans < 2:
        return Outlook.ONE_PLAN
    if not whole.judged:
        return Outlook.UNJUDGED
    if whole.last.answers_since >= SILENT_AFTER:
        return Outlook.SILENT
    if not prospect.judged:
        return Outlook.UNJUDGED_HERE
    if prospect.last.answers_since >= SILENT_AFTER:
        return Outlook.SILENT
    if prospect.left > LITTLE:
        return Outlook.WORTH
    return Outlook.LEARNED if prospect.gain > LITTLE else Outlook.NOTHING


def verdict_of(prospect: Prospect, whole: Prospect) -> str:
    """The outlook in a sentence."""
    single, left = prospect.single, prospect.left
    match outlook_of(prospect, whole):
        case Outlook.ONE_PLAN:
            return f"nothing to learn: {single} is the only plan"
        case Outlook.UNJUDGED:
            return f"no judged answers yet: nothing can be learned, {_explored(prospect)}"
        case Outlook.SILENT:
            silence = _silence(prospect if prospect.judged else whole)
            return f"{silence}: nothing can be learned, {_explored(prospect)}"
        case Outlook.UNJUDGED_HERE:
            return "no judged answers of this kind yet: what to expect comes from other kinds"
        case Outlook.WORTH:
            won = f"; so far {_better(prospect)}" if prospect.gain > LITTLE else ""
            return f"worth learning: up to {left:.3f} a request is left{won}"
        case Outlook.LEARNED:
            return f"learned: {_better(prospect)}"
    if prospect.best == single:
        where = "here too" if prospect is not whole else "for everything"
        return f"nothing to learn: one plan, {single}, is best {where}"
    return f"nothing to learn: choosing brings no more than {LITTLE} over {single}"


def _better(prospect: Prospect) -> str:
    gain = f"{prospect.gain:.3f} ± {1.96 * prospect.gain_deviation:.3f}"
    if prospect.best is None:
        return f"choosing by kind is {gain} better than {prospect.single}, the best single plan"
    return f"{prospect.best} is {gain} better here than {prospect.single}, the best single plan"


def _explored(prospect: Prospect) -> str:
    cost = prospect.exploring.utility
    if cost < _COSTS_NOTHING:
        return "so nothing is explored"
    return f"yet exploring costs {cost:.4f} a request"


def _silence(prospect: Prospect) -> str:
    last = prospect.last
    words = f"no judged answers in the last {last.answers_since} requests"
    if not last.request_micros:  # an older snapshot does not say when the last answer was judged
        return words
    moment = dt.datetime.fromtimestamp(last.request_micros / 1e6, dt.UTC)
    return f"{words}, since {moment:%Y-%m-%d %H:%M} UTC"
