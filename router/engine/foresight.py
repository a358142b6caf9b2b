"""Says what the service would do with a request if another request is remembered.

The answer follows the steps of `router.engine.recall`, with its rules. It takes for granted that
the remembered request has a proven answer of the same caller, with the same model and settings. A
backend that would be asked whether one answer serves both is named, and not asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from router.compute.computing import PATTERN_FROM
from router.config.capabilities import able
from router.domain import Request
from router.plans.compiled import Plans
from router.request.language import language
from router.request.statistical import interpretation_of
from router.reuse.acceptance import Acceptor, acceptors, guarded
from router.reuse.calibration import Calibration, Standing, bucket_of
from router.reuse.editing import edit_program
from router.reuse.guards import GuardVerdict, compare
from router.reuse.memory import LEAST_SIMILARITY
from router.reuse.memory_query import fresh_words, personal_words, query_of
from router.reuse.recollection import Candidate, accepted, adaptation, may_ask, may_verify
from router.reuse.solution import Solution
from sandbox.column_programs import CannotWrite
from sandbox.synthesis import write_program

_UNTRUSTED = {"not yet": "not trusted yet", "stopped": "stopped"}
Tier = Literal["exact", "reuse", "adapt", "pattern", "novel"]


class PairJudge(Protocol):
    """What the models on this machine say of two requests."""

    def similarity(self, stored: str, request: str) -> float: ...

    def probability(self, stored: str, request: str) -> float: ...

    def accepts(self, probability: float) -> bool: ...

    def neighbourhood(self, request: str) -> int: ...


@dataclass(frozen=True, slots=True)
class Foresight:
    """What the service would do, and everything that it would look at. What a step before has
    decided already is None or empty."""

    tier: Tier
    reason: str
    likeness: str
    guards: tuple[str, ...]
    languages: tuple[str, str]
    guarded: bool  # whether guards and verifier know both languages
    fresh: Mapping[str, str]  # which of the two asks for what is so now, and by which words
    personal: Mapping[str, str]
    unrepeatable: Mapping[str, str]  # why an answer of a backend must not be given again
    budget: float
    debatable: bool  # whether a backend may be asked whether one answer serves both
    question: str  # the backend that is asked about pairs which nothing else accepts, if configured
    similarity: float | None = None
    accepted_by: Acceptor = ""
    probability: float | None = None  # that one answer serves both, by the pair verifier
    bucket: str = ""
    trust: Standing | None = field(default=None)


def foresee(
    plans: Plans,
    stored: Request,
    request: Request,
    calibration: Calibration,
    judge: PairJudge,
    *,
    by: str = "",
) -> Foresight:
    """What the service would do with the request, if the stored request has a proven answer. `by`
    is the backend that gave the answer, if that is known."""
    texts = tuple(r.reading.last_words.strip() for r in (stored, request))
    verdict = compare(*texts)
    named = {"remembered": texts[0], "new": texts[1]}
    foresight = Foresight(
        "novel",
        "",
        verdict.likeness,
        verdict.reasons,
        (language(texts[0]), language(texts[1])),
        guarded(*texts),
        {name: words for name, text in named.items() if (words := fresh_words(text))},
        {name: words for name, text in named.items() if (words := personal_words(text))},
        _unrepeatable(plans, request, by),
        plans.config.reuse.budget,
        "asked" in acceptors(texts[0], texts[1], verdict),
        plans.config.reuse.verifier or "",
    )
    mode = plans.config.reuse.mode
    never = _never(mode, foresight)
    computes = _computes(plans, request)
    if never:
        return replace(foresight, reason=never)
    if texts[0] == texts[1] and not foresight.unrepeatable:
        return replace(foresight, tier="exact", reason="the very same request was answered")
    if mode == "exact":
        return replace(foresight, reason="reuse.mode is exact, and this is not the same request")
    if computes:
        return _by_program(foresight, stored, request, judge)
    if foresight.unrepeatable:
        names, why = ", ".join(foresight.unrepeatable), next(iter(foresight.unrepeatable.values()))
        return replace(foresight, reason=f"{why}: {names} may have answered")
    if _computes(plans, stored):
        return replace(foresight, reason="a program is remembered, and no program answers this")
    return _by_words(foresight, plans, (stored, request), verdict, calibration, judge)


def _never(mode: str, foresight: Foresight) -> str:
    """Why memory has no part in this, whatever the two requests ask; empty if it may have."""
    if mode == "off":
        return "reuse.mode is off"
    for name, words in foresight.fresh.items():
        return f"the {name} request asks for what is so now: {words}"
    for name in foresight.personal:
        return f"the {name} request holds personal data"
    return ""


def _computes(plans: Plans, request: Request) -> bool:
    codes = any(plans[name].codes for name in plans.names)
    return codes and interpretation_of(request).spec is not None


def _unrepeatable(plans: Plans, request: Request, by: str) -> dict[str, str]:
    """Each backend that could have answered, and whose answer must not be given again."""
    reasons = {
        name: settings.unrepeatable(request.fields)
        for name, settings in plans.config.backends.items()
        if (name == by if by else not able(settings, request))
    }
    return {name: reason for name, reason in reasons.items() if reason}


def _by_program(
    foresight: Foresight, stored: Request, request: Request, judge: PairJudge
) -> Foresight:
    old, new = interpretation_of(stored).spec, interpretation_of(request).spec
    if old is None or new is None:
        return replace(foresight, reason="a program answers it, and none is remembered")
    try:
        change = edit_program(write_program(old, seed=0).source, old, new)
    except CannotWrite:
        return replace(
            foresight, reason="a model wrote the remembered program: nobody knows it here"
        )
    if change is not None:
        reason = f"the remembered program runs, {change.change}, and is verified again"
        return replace(foresight, tier=change.tier, reason=reason)
    similarity = judge.similarity(stored.reading.last_words, request.reading.last_words)
    foresight = replace(foresight, similarity=similarity)
    if similarity < PATTERN_FROM:
        return replace(foresight, reason="the remembered program computes something else")
    reason = "a program is written anew beside the remembered program, which no rule can edit"
    return replace(foresight, tier="pattern", reason=reason)


def _by_words(
    foresight: Foresight,
    plans: Plans,
    requests: tuple[Request, Request],
    verdict: GuardVerdict,
    calibration: Calibration,
    judge: PairJudge,
) -> Foresight:
    stored, new = (request.reading.last_words.strip() for request in requests)
    settings = plans.config.reuse
    if foresight.languages[0] != foresight.languages[1]:
        return replace(foresight, reason="the two are in different languages")
    if not _could_serve(verdict, foresight, adapter=settings.adapter):
        return replace(foresight, reason=_refusal(verdict, foresight))
    similarity = judge.similarity(stored, new)
    foresight = replace(foresight, similarity=similarity)
    if similarity < LEAST_SIMILARITY:
        reason = f"memory compares requests from a similarity of {LEAST_SIMILARITY:g}"
        return replace(foresight, reason=reason)
    solution = Solution("", b"", b"", "text", stored)
    candidate = accepted(Candidate(similarity, solution, verdict), new)
    if may_verify(candidate, new):
        probability = judge.probability(stored, new)
        by: Acceptor = "verifier" if judge.accepts(probability) else ""
        candidate = replace(candidate, by=by, probability=probability)
        foresight = replace(foresight, probability=probability)
    if candidate.by:
        query = query_of(requests[1], b"", scope="", backend="", mode="similar")
        bucket = bucket_of(candidate.by, similarity)
        standing = calibration.standing(bucket, query.space, judge.neighbourhood(new))
        return _by_trust(replace(foresight, accepted_by=candidate.by, bucket=bucket), standing)
    if foresight.question and may_ask(candidate, new):
        reason = f"{foresight.question} is asked whether one answer serves both"
        return replace(foresight, reason=reason)
    if settings.adapter and adaptation([candidate]) is not None:
        reason = f"close to a remembered answer, which {settings.adapter} changes to fit"
        return replace(foresight, tier="adapt", reason=reason)
    return replace(foresight, reason=_refusal(verdict, foresight))


def _could_serve(verdict: GuardVerdict, foresight: Foresight, *, adapter: str | None) -> bool:
    """Whether similarity matters at all: something may accept or adapt the pair."""
    if foresight.question and foresight.debatable:
        return True
    if verdict.likeness in ("words", "open"):
        return foresight.guarded
    return adapter is not None and verdict.likeness != "other"


def _refusal(verdict: GuardVerdict, foresight: Foresight) -> str:
    if verdict.likeness not in ("words", "open"):
        return verdict.why
    if not foresight.guarded:
        return "the guards know English only, and no backend is asked"
    return f"nothing accepts it: {verdict.why}"


def _by_trust(foresight: Foresight, standing: Standing) -> Foresight:
    foresight = replace(foresight, trust=standing)
    if not standing.serves:
        state = _UNTRUSTED[standing.state]
        reason = (
            f"{foresight.bucket} is {state}: up to {standing.bound:.1%} may be wrong, and "
            f"the budget is {foresight.budget:.1%}; a backend answers, and the two are compared"
        )
        return replace(foresight, reason=reason)
    reason = f"it asks the same ({foresight.accepted_by}), and {foresight.bucket} is trusted"
    if standing.checked:
        reason += f"; {standing.checked:.0%} of such answers are made anew, to check them"
    return replace(foresight, tier="reuse", reason=reason)
