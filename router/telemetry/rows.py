"""Makes rows of telemetry from traces, signals and events; `tables.py` names the columns.

A row holds the hash and the length of a prompt or an answer; it holds the text only where the
configuration says so. An unknown value is left out and reads as null, never as zero or as good.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from router.domain import (
    Attempt,
    Decision,
    Event,
    GuardNote,
    PolicyInForce,
    Recalled,
    Refusal,
    Shadow,
    Signal,
    Trace,
    TrialNews,
    total_usd,
)
from router.request.context import agent_of
from router.request.own_words import seen_words
from router.request.sentences import LONG, new_words, sentence_hashes
from router.request.text import prompt_parts
from router.verified import Verified

Row = dict[str, Any]
LONGEST_TEXT = 100_000  # characters of a prompt or an answer
_FAULTS_THAT_QUOTE = frozenset({"upstream", "malformed", "bad_request"})


def request_row(trace: Trace) -> Row:
    request = trace.request
    row: Row = {
        "ts": micros(trace.started_at),
        "request_id": request.id,
        "gen_ai_operation_name": trace.operation,
        "gen_ai_request_model": request.model,
        "stream": request.stream,
        "reuse_tier": trace.tier,
        "status": trace.status,
        "cost_usd": trace.cost_usd,
        "latency_ms": _ms(trace.seconds),
        "overhead_ms": _ms(trace.overhead_seconds),
        "request_bytes": len(request.body),
        "request_hash": digest(request.body),
        **_decision(trace.decision),
    }
    if trace.recalled is not None:
        _add_recalled(row, trace.recalled)
    if request.stream and trace.first_byte_seconds:
        row["ttft_ms"] = _ms(trace.first_byte_seconds)
    if trace.premium_plan:
        row["premium_plan"] = trace.premium_plan
        row["premium_cost_usd"] = trace.premium_cost_usd
    if trace.attempts or trace.questions:
        row["attempts"] = [
            _attempt(attempt, step, words=trace.keep_prompt)
            for step, attempt in enumerate((*trace.attempts, *trace.questions), 1)
        ]
    if trace.attempts:
        _add_answering(row, trace)
    _add(row, "key_id", request.key_id)
    _add(row, "session", request.session)
    _add(row, "partial", trace.partial)
    _add(row, "dialect", request.dialect if request.native is not None else "")
    _add(row, "tags", list(request.tags))
    _add(row, "team", request.team)
    _add(row, "stores", list(trace.sources))
    _add(row, "no_store", request.no_store)
    if len(request.body) >= LONG and trace.operation == "chat" and not trace.private:
        words = "" if request.no_store else new_words(request.fields)
        _add(row, "sentence_hashes", sentence_hashes(words))
    if trace.error:
        row["error_type"] = trace.error_type
        quotes = trace.computed is not None or any(map(_may_quote, trace.attempts))
        if trace.keep_prompt or not quotes:
            row["error"] = trace.error
    if trace.guards:
        row |= _guards(trace.guards)
    if trace.verified is not None:
        _add_level(row, trace.verified, words=trace.keep_prompt)
    if trace.keep_prompt:
        row["prompt"] = request.reading.text[:LONGEST_TEXT]
        row["words"] = seen_words(request.reading.last_words)
        parts = prompt_parts(request.fields)
        _add(row, "prompt_parts", [{"role": role, "characters": n} for role, n in parts])
    return row


def _decision(decision: Decision) -> Row:
    """The columns for the chosen plan, and the policy's estimates for every eligible plan."""
    row: Row = {
        "kind": decision.kind,
        "strategy": decision.strategy,
        "policy_version": decision.policy_version,
        "reason": decision.reason,
        "eligible": list(decision.probabilities),
        "probabilities": list(decision.probabilities.values()),
        "plan": decision.plan,
        "propensity": decision.propensity,
        "explored": decision.explored,
    }
    _add(row, "ineligible", decision.ineligible)
    _add(row, "pattern", decision.pattern)
    _add(row, "terms", list(decision.terms))
    if decision.numbers:
        row["features_version"] = decision.features_version
        row["features"] = decision.numbers
        row["complexity"] = decision.score
        _add(row, "agent", agent_of(decision.numbers))
    if decision.plan in decision.rates:
        row["rate_usd"] = decision.rates[decision.plan]
    for estimate in decision.estimates:
        if estimate.arm == decision.plan:
            row["expected_quality"] = round(estimate.quality, 6)
            if decision.plan not in decision.unpriced:
                row["expected_cost_usd"] = estimate.cost
    if decision.estimates:
        row["expected"] = [
            {
                "plan": estimate.arm,
                "quality": round(estimate.quality, 4),
                "cost_usd": round(estimate.cost, 8),
                "latency_ms": round(1000 * estimate.seconds, 2),
            }
            for estimate in decision.estimates
        ]
    if decision.exposures:
        _add_exposures(row, decision)
    if decision.shadow is not None:
        row["shadow"] = _shadow(decision.shadow)
    return row


def _shadow(shadow: Shadow) -> Row:
    return {
        "named": shadow.named,
        "plan": shadow.plan,
        "share": shadow.share,
        "strategy": shadow.strategy,
        "policy_version": shadow.policy_version,
        "probabilities": dict(shadow.odds),
        **_given(unpriced=list(shadow.unpriced)),
    }


def _add_exposures(row: Row, decision: Decision) -> None:
    """Add every trial of the request; the columns `trial_id` and `variant` name the first trial."""
    first = decision.exposures[0]
    row["trial_id"], row["variant"] = first.trial, first.side
    row["exposures"] = [
        {
            "trial_id": exposure.trial,
            "unit": exposure.unit,
            "variant": exposure.side,
            "chance": exposure.chance,
            "apart": exposure.apart,
            "other": exposure.other,
            **_given(trouble=exposure.trouble),
        }
        for exposure in decision.exposures
    ]


def _add_recalled(row: Row, recalled: Recalled) -> None:
    row["similarity"] = round(recalled.similarity, 6)
    row["solution"] = recalled.solution
    row["reuse_chance"] = round(recalled.chance, 6)
    row["reuse_propensity"] = round(recalled.propensity, 6)
    row["reuse_checked"] = recalled.checked
    if recalled.bucket:
        row["reuse_bucket"] = recalled.bucket
        row["reuse_bound"] = round(recalled.bound, 6)
        row["reuse_neighbourhood"] = recalled.neighbourhood


def _add_level(row: Row, verified: Verified, *, words: bool) -> None:
    """The level of a computed answer; the unchecked parts are words of the request."""
    row["level"], row["unchecked"] = verified.level, len(verified.unchecked)
    if words and verified.unchecked:
        row["unchecked_parts"] = [part[:LONGEST_TEXT] for part in verified.unchecked]


def _add_answering(row: Row, trace: Trace) -> None:
    answering = trace.answering or trace.attempts[-1]
    row["backend"] = answering.backend
    _add_provider_and_tokens(row, answering)
    if trace.answer is not None:
        row["answer_bytes"] = trace.answer.size
        if not trace.private:  # a digest of a short answer tells it to whoever guesses right
            row["answer_hash"] = trace.answer.digest
        if trace.answer.text is not None:
            row["answer"] = trace.answer.text[:LONGEST_TEXT]
            _add(row, "chances", dict(trace.answer.chances))


def _attempt(attempt: Attempt, step: int, *, words: bool) -> Row:
    row: Row = {
        "step": step,
        "backend": attempt.backend,
        "status": attempt.status,
        "latency_ms": _ms(attempt.seconds),
        "cost_usd": attempt.cost_usd,
    }
    _add_provider_and_tokens(row, attempt)
    if attempt.fault:
        row["error_type"] = attempt.fault
        if words or not _may_quote(attempt):
            row["detail"] = attempt.detail
    if attempt.first_byte_seconds:
        row["ttft_ms"] = _ms(attempt.first_byte_seconds)
    _add(row, "role", attempt.role)
    _add(row, "parent", attempt.parent)
    _add(row, "swap_ms", _ms(attempt.swap_seconds))
    return row


def _add_provider_and_tokens(row: Row, attempt: Attempt) -> None:
    usage = attempt.usage
    row["gen_ai_provider_name"] = attempt.provider
    row["gen_ai_usage_input_tokens"] = usage.input_tokens
    row["gen_ai_usage_output_tokens"] = usage.output_tokens
    row["gen_ai_usage_cache_read_input_tokens"] = usage.cached_tokens
    row["tokens_estimated"] = usage.estimated


def _may_quote(attempt: Attempt) -> bool:
    """Whether the error text of an attempt comes from the backend, and so may quote the prompt."""
    # Errors of the sandbox name columns of the request, and those of knowledge may name its words.
    sandboxed = attempt.provider in ("sandbox", "knowledge")
    return sandboxed or attempt.status >= 400 or attempt.fault in _FAULTS_THAT_QUOTE


def refusal_row(refusal: Refusal) -> Row:
    """The row of a request that was refused before a plan was chosen. The error text may quote the
    request, so the row holds only the error's code."""
    row: Row = {
        "ts": micros(refusal.at),
        "request_id": refusal.request_id,
        "gen_ai_operation_name": refusal.operation,
        "status": refusal.status,
        "error_type": refusal.code,
    }
    if refusal.guarded is not None:
        row |= _guards(refusal.guarded.notes)
        calls = refusal.guarded.calls
        if calls:
            row["attempts"] = [_attempt(each, n, words=False) for n, each in enumerate(calls, 1)]
            row["cost_usd"] = total_usd(calls)
    return row | _given(key_id=refusal.key_id)


def _guards(notes: Sequence[GuardNote]) -> Row:
    """What the guards did; `guard` names those that did not just let the words pass."""
    if not notes:
        return {}
    acted = dict.fromkeys(note.guard for note in notes if note.outcome != "passed")
    row: Row = {"guard": ", ".join(acted)} if acted else {}
    row["guards"] = [
        {
            "guard": note.guard,
            "moment": note.at,
            "outcome": note.outcome,
            "ms": _ms(note.seconds),
            **_given(rule=note.rule),
        }
        for note in notes
    ]
    return row


def signal_row(signal: Signal) -> Row:
    about = signal.about
    row = {
        "ts": micros(signal.at),
        "signal_id": signal.id,
        "request_id": about.request_id,
        "request_ts": about.ts_micros,
        "key_id": signal.key_id or None,
        "source": signal.source,
        "metric": signal.metric,
        "value": signal.value,
        "score": signal.score,
        "weight": signal.weight,
        "comment": signal.comment,
        "demonstration": signal.demonstration,
        "rival": None if signal.rival is None else signal.rival[:LONGEST_TEXT],
        "strategy": about.strategy,
        "plan": about.plan,
        "kind": about.kind,
        "reuse_tier": about.reuse_tier,
    }
    return {name: value for name, value in row.items() if value is not None}


def event_row(event: Event) -> Row:
    return {
        "ts": micros(event.at),
        "event_id": event.id,
        "kind": event.kind,
        "subject": event.subject,
        "state": event.state,
        "detail": dict(event.detail),
    }


def policy_row(policy: PolicyInForce) -> Row:
    return {
        "ts": micros(policy.at),
        "policy_version": policy.version,
        "strategy": policy.strategy,
        "settings": dict(policy.settings),
    }


def trial_row(news: TrialNews) -> Row:
    return {
        "ts": micros(news.at),
        "trial_id": news.trial,
        "name": news.name,
        "state": news.state,
        "settings": dict(news.settings),
    }


def digest(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()


def micros(seconds: float) -> int:
    return int(seconds * 1e6)


def _add(row: Row, name: str, value: Any) -> None:
    if value:
        row[name] = value


def _given(**values: Any) -> Row:
    return {name: value for name, value in values.items() if value}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 4)
