"""Patterns in which a second backend sends a draft back: `refine` and `review`."""

from router.config.plans import Refine, Review
from router.plans.bodies import Work
from router.plans.caller import Caller
from router.plans.criticism import criticised
from router.plans.prompts import mending, to_review
from router.plans.results import Result


async def refine(run: Caller, plan: Refine, work: Work) -> Result:
    """Draft, criticise and mend, until the critic is content or no round is left."""
    parts = plan.refine
    draft = await run.step(parts.draft, work.at("refine.draft", tail=False))
    if not draft.ok or draft.partial:
        return draft
    best, best_score, best_problem, problem, stopped = draft, -1.0, "", "", ""
    for turn in range(parts.max + 1):
        opinion, step = await criticised(run, parts.critics, draft, work)
        score = -1.0 if opinion.score is None else opinion.score
        if score >= parts.until - 1e-9:
            return draft
        problem = opinion.problems or "the critic gave no reason"
        if score > best_score:
            best, best_score, best_problem = draft, score, problem
        if turn == parts.max or opinion.score is None:
            break
        mended = await run.step(
            parts.fixer or parts.draft,
            work.at(
                "refine.fixer",
                draft=draft.text,
                instruction=mending(problem),
                parent=step,
                tail=False,
            ),
        )
        if not mended.ok:
            problem, stopped = mended.problem, mended.stopped
            break
        draft = mended
    if parts.finally_ is not None and not stopped:
        final = await run.step(
            parts.finally_,
            work.at(
                "refine.finally",
                draft=best.text,
                instruction=mending(best_problem or problem),
                parent=best.step,
                tail=False,
            ),
        )
        if final.ok:
            opinion, _ = await criticised(run, parts.critics, final, work)
            score = -1.0 if opinion.score is None else opinion.score
            if score >= parts.until - 1e-9:
                return final
            problem = opinion.problems or "the critic gave no reason"
            if score >= best_score:
                best, best_score = final, score
        else:
            problem, stopped = final.problem, final.stopped
    score_line = "nothing readable" if best_score < 0 else f"{best_score:g}"
    critics = "the critic gave" if len(parts.critics) == 1 else "the critics gave"
    reason = f"{critics} {score_line} of the {parts.until:g} asked: {problem}"
    return best.marked(stopped or "critic", reason)


async def review(run: Caller, plan: Review, work: Work) -> Result:
    """Have the draft written anew until a reviewer finds that it fits the conversation."""
    parts = plan.review
    draft = await run.step(parts.draft, work.at("review.draft", tail=False))
    problem = ""
    for turn in range(parts.max + 1):
        if not draft.ok or draft.partial:
            return draft
        opinion, step = await run.opinion(
            parts.reviewer, draft.text, draft.step, work, "review.reviewer", to_review
        )
        if opinion.score is None:
            return draft.marked(
                "unreviewed", f"{parts.reviewer} reviewed nothing: {opinion.problems}"
            )
        if opinion.score >= 0.5:
            return draft
        problem = opinion.problems or "it does not fit the conversation"
        if turn == parts.max:
            break
        again = work.at(
            "review.again",
            draft=draft.text,
            instruction=mending(problem),
            parent=step,
            tail=False,
        )
        mended = await run.step(parts.draft, again)
        if not mended.ok:
            return draft.marked(mended.stopped or "review", f"{problem}; {mended.problem}")
        draft = mended
    return draft.marked("review", problem)
