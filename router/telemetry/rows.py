"""A trace, a signal or an event as a row. Pure. Names are those of `tables.py`.

Prompts and answers are not in a row unless the configuration asks; their hashes and lengths are.
What is unknown is left out, and reads as null: never as zero, and never as good.
"""

from hashlib import blake2b
from typing import Any

from router.domain import (
    Attempt,
    Decision,
    Event,
    PolicyInForce,
    Recalled,
    Refusal,
    Signal,
    Trace,
    TrialNews,
)
from router.request.text import prompt_text

Row = dict[str, Any]
_BACKENDS_WORDS = frozenset({"upstream", "malformed", "bad_request"})
LONGEST_TEXT = 100_000  # characters of a prompt or an answer that are kept


def request_row(trace: Trace) -> Row:
    request, decision = trace.request, trace.decision
    probabilities = decision.probabilities
    row: Row = {
        "ts": int(trace.started_at * 1e6),
        "request_id": request.id,
        "gen_ai_operation_name": trace.operation,
        "gen_ai_request_model": request.model,
        "stream": request.stream,
        "kind": decision.kind,
        "strategy": decision.strategy,
        "policy_version": decision.policy_version,
        "reason": decision.reason,
        "eligible": list(probabilities),
        "probabilities": list(probabilities.values()),
        "plan": decision.plan,
        "propensity": decision.propensity,
        "explored": decision.explored,
        "reuse_tier": trace.tier,
        "status": trace.status,
        "cost_usd": trace.cost_usd,
        "latency_ms": round(trace.seconds * 1000, 4),
        "overhead_ms": round(trace.overhead_seconds * 1000, 4),
        "request_bytes": len(request.body),
        "request_hash": digest(request.body),
    }
    _add_expected(row, decision)
    if trace.recalled is not None:
        _add_recalled(row, trace.recalled)
    if decision.ineligible:
        row["ineligible"] = decision.ineligible
    if request.key_id:
        row["key_id"] = request.key_id
    if request.session:
        row["session"] = request.session
    if request.stream and trace.first_byte_seconds:
        row["ttft_ms"] = round(trace.first_byte_seconds * 1000, 4)
    if trace.premium_plan:
        row["premium_plan"] = trace.premium_plan
        row["premium_cost_usd"] = trace.premium_cost_usd
    if trace.attempts:
        _add_attempts(row, trace)
    if trace.partial:
        row["partial"] = trace.partial
    if trace.error:
        row["error_type"] = trace.error_type
        if trace.keep_prompt or not any(map(_quotes, trace.attempts)):
            row["error"] = trace.error
    if trace.keep_prompt:
        row["prompt"] = prompt_text(request.fields)[:LONGEST_TEXT]
    return row


def _add_expected(row: Row, decision: Decision) -> None:
    if decision.numbers:
        row["features_version"] = decision.features_version
        row["features"] = decision.numbers
        row["complexity"] = decision.score
    if decision.plan in decision.rates:
        row["rate_usd"] = decision.rates[decision.plan]
    for estimate in decision.estimates:
        if estimate.arm == decision.plan:
            row["expected_quality"] = round(estimate.quality, 6)
            row["expected_cost_usd"] = estimate.cost
    if decision.estimates:
        row["expected"] = [
            {
                "plan": one.arm,
                "quality": round(one.quality, 4),
                "cost_usd": round(one.cost, 8),
                "latency_ms": round(1000 * one.seconds, 2),
            }
            for one in decision.estimates
        ]
    if decision.exposures:
        _add_exposures(row, decision)


def _add_exposures(row: Row, decision: Decision) -> None:
    """The trials it was in; the columns `trial_id` and `variant` are those of the first."""
    first = decision.exposures[0]
    row["trial_id"], row["variant"] = first.trial, first.side
    row["exposures"] = [
        {
            "trial_id": one.trial,
            "unit": one.unit,
            "variant": one.side,
            "chance": one.chance,
            "apart": one.apart,
            "other": one.other,
            **({"trouble": one.trouble} if one.trouble else {}),
        }
        for one in decision.exposures
    ]


def _add_recalled(row: Row, recalled: Recalled) -> None:
    row["similarity"] = round(recalled.similarity, 6)
    row["solution"] = recalled.solution
    row["reuse_chance"] = round(recalled.chance, 6)
    row["reuse_propensity"] = round(recalled.propensity, 6)
    row["reuse_checked"] = recalled.checked
    if recalled.bucket:
        row["reuse_bucket"] = recalled.bucket


def _add_attempts(row: Row, trace: Trace) -> None:
    words = trace.keep_prompt
    row["attempts"] = [
        _attempt(one, step, words=words) for step, one in enumerate(trace.attempts, 1)
    ]
    answering = trace.answering or trace.attempts[-1]
    usage = answering.usage
    row["backend"] = answering.backend
    row["gen_ai_provider_name"] = answering.provider
    row["gen_ai_usage_input_tokens"] = usage.input_tokens
    row["gen_ai_usage_output_tokens"] = usage.output_tokens
    row["gen_ai_usage_cache_read_input_tokens"] = usage.cached_tokens
    row["tokens_estimated"] = usage.estimated
    if trace.answer is not None:
        row["answer_bytes"] = trace.answer.size
        row["answer_hash"] = trace.answer.digest
        if trace.answer.text is not None:
            row["answer"] = trace.answer.text[:LONGEST_TEXT]


def _quotes(attempt: Attempt) -> bool:
    """Whether what is known of a failure are the backend's words, which may quote the prompt."""
    sandboxed = attempt.provider == "sandbox"  # its words name the columns that were asked for
    return sandboxed or attempt.status >= 400 or attempt.fault in _BACKENDS_WORDS


def _attempt(attempt: Attempt, step: int, *, words: bool) -> Row:
    row: Row = {
        "step": step,
        "backend": attempt.backend,
        "gen_ai_provider_name": attempt.provider,
        "status": attempt.status,
        "latency_ms": _ms(attempt.seconds),
        "gen_ai_usage_input_tokens": attempt.usage.input_tokens,
        "gen_ai_usage_output_tokens": attempt.usage.output_tokens,
        "gen_ai_usage_cache_read_input_tokens": attempt.usage.cached_tokens,
        "tokens_estimated": attempt.usage.estimated,
        "cost_usd": attempt.cost_usd,
    }
    if attempt.fault:
        row["error_type"] = attempt.fault
        if words or not _quotes(attempt):
            row["detail"] = attempt.detail
    if attempt.first_byte_seconds:
        row["ttft_ms"] = _ms(attempt.first_byte_seconds)
    if attempt.role:
        row["role"] = attempt.role
    if attempt.parent:
        row["parent"] = attempt.parent
    if attempt.swap_seconds:
        row["swap_ms"] = _ms(attempt.swap_seconds)
    return row


def refusal_row(refusal: Refusal) -> Row:
    """A request that was turned away before any plan was chosen. Its words are not kept: what was
    wrong with them may quote them."""
    row: Row = {
        "ts": micros(refusal.at),
        "request_id": refusal.request_id,
        "gen_ai_operation_name": refusal.operation,
        "status": refusal.status,
        "error_type": refusal.code,
    }
    return row | ({"key_id": refusal.key_id} if refusal.key_id else {})


def signal_row(signal: Signal) -> Row:
    told = signal.about
    row = {
        "ts": micros(signal.at),
        "signal_id": signal.id,
        "request_id": told.request_id,
        "request_ts": told.ts_micros,
        "key_id": signal.key_id or None,
        "source": signal.source,
        "metric": signal.metric,
        "value": signal.value,
        "score": signal.score,
        "weight": signal.weight,
        "comment": signal.comment,
        "demonstration": signal.demonstration,
        "strategy": told.strategy,
        "plan": told.plan,
        "kind": told.kind,
        "reuse_tier": told.reuse_tier,
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


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 4)
