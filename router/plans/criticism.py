"""The grades of the critics of a draft; a critic may be a program that computes the answer."""

import math
import re
from bisect import bisect_left
from collections.abc import Sequence

from router.config.plans import Code, Critic
from router.plans.agreement.agreeing import agreement
from router.plans.bodies import Work
from router.plans.caller import Caller
from router.plans.prompts import Opinion
from router.plans.results import Result, together

_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")
_MOST_FIGURES = 100  # a program that makes more of them draws data, and is no measure of a draft
_LONGEST = 200_000  # characters of a draft that are read for figures
_CLOSE = 0.005  # how far a figure of the draft may be off, as a share: drafts round


async def criticised(
    run: Caller, critics: Sequence[Critic], draft: Result, work: Work
) -> tuple[Opinion, int]:
    """The lowest grade of a draft, all problems, and the last step that graded.

    A critic that gives no readable grade is passed over, unless no critic gives one.
    """
    several = len(critics) > 1
    graded = await together(
        [
            _opinion(run, critic, draft, work, f"refine.critic.{n}" if several else "refine.critic")
            for n, critic in enumerate(critics)
        ]
    )
    step = max(step for _, step in graded)
    grades = [opinion for opinion, _ in graded if opinion.score is not None]
    if not several or not grades:
        problems = "; ".join(opinion.problems for opinion, _ in graded if opinion.problems)
        return Opinion(graded[0][0].score, problems), step
    named = [
        f"{critic if isinstance(critic, str) else critic.code}: {opinion.problems}"
        for critic, (opinion, _) in zip(critics, graded, strict=True)
        if opinion.score is not None and opinion.problems
    ]
    return Opinion(min(opinion.score or 0.0 for opinion in grades), "\n".join(named)), step


async def _opinion(
    run: Caller, critic: Critic, draft: Result, work: Work, place: str
) -> tuple[Opinion, int]:
    if not isinstance(critic, Code):
        return await run.opinion(critic, draft.text, draft.step, work, place)
    beside = work.at(place, parent=draft.step, tail=False, draft="", instruction="")
    result = await run.computed_beside(critic, beside)
    if not result.ok:  # no program computes this: it has no opinion
        return Opinion(None, result.problem), result.step
    return compared(draft.text, result.text), result.step


def compared(draft: str, document: str) -> Opinion:
    """How many of the computed figures a draft states. Pure."""
    computed = figures_in(document)
    if len(computed) > _MOST_FIGURES:
        return Opinion(None, f"the program made {len(computed)} figures, which no draft repeats")
    if not computed:
        share = agreement(draft, document)
    else:
        stated = sorted(figures_in(draft[:_LONGEST]))
        share = sum(_states(stated, each) for each in computed) / len(computed)
    if share >= 1.0:
        return Opinion(1.0)
    return Opinion(share, f"a program computed this, and the answer differs: {document[:2000]}")


def figures_in(text: str) -> list[float]:
    """Every figure in a text."""
    figures = (float(each.replace(",", "")) for each in _NUMBER.findall(text))
    return [figure for figure in figures if math.isfinite(figure)]


def _states(stated: Sequence[float], figure: float) -> bool:
    """Whether some figure of a sorted list is as good as this one."""
    room = _CLOSE * abs(figure) + 1e-9
    at = bisect_left(stated, figure - room)
    return at < len(stated) and stated[at] <= figure + room
