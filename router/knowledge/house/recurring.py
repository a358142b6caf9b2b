"""What requests fetch again and again, by rows of telemetry: the evidence for a store.

Two kinds recur: answers that a plan gives again (the same words, or the same short answer to the
same question), and long passages that callers paste again (by the hashes of their sentences). Rows
of plans that ask stores, rows that their caller wanted stored nowhere, and rows in
which a guard did something are never evidence. No word is read here.

Rows count together for one team, or for one key without a team.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from router.knowledge.house.pasted import LEAST_TIMES, PastingRow, clusters, shared_tokens
from router.knowledge.house.proposals import HouseFinding
from router.knowledge.house.requesters import Requesters
from router.telemetry.sql import quoted
from router.telemetry.store.catalog import CATALOG_FILE

DAYS = 30.0  # of telemetry that is looked at
_LEAST_REPEATS = 5  # of one proposal, beyond the first of each
_LONG_ANSWER = 40  # tokens; the same shorter answer to different questions is a label, no text
_LEAST_TOKENS = 100  # of a passage
_PASSED_ON = 0.4  # of the tokens of passages, which compression keeps
_OUTPUT_PRICE = 4.0  # times the price of input; where it is less, less is saved than stated
_MOST_READ = 500_000  # rows of telemetry; busier services look at fewer days
_MOST_ROWS, _MOST_SHOWN = 50_000, 50

# `thing`: what recurs. A long answer is known by its words, a short one by its question as well.
EVIDENT = """
status = 200 and gen_ai_operation_name = 'chat' and error_type is null and guard is null
and coalesce(reuse_tier, 'novel') = 'novel' and not coalesce(no_store, false) and stores is null
and not coalesce(list_contains(list_transform(attempts, lambda a: a.gen_ai_provider_name),
                               'knowledge'), false)
and ts >= make_timestamp($since)"""
THING = f"""
case when gen_ai_usage_output_tokens >= {_LONG_ANSWER} then answer_hash
     else request_hash || ' ' || answer_hash end"""
_ANSWERS = f"""
with r as (
  select coalesce(key_id, '') as key_id, coalesce(team, '') as team, plan, {THING} as thing,
         coalesce(gen_ai_usage_input_tokens, 0) + coalesce(gen_ai_usage_output_tokens, 0) as tokens,
         coalesce(cost_usd, 0) as usd, latency_ms as ms,
         prompt is not null and answer is not null as worded
  from all_requests where {EVIDENT} and plan is not null and answer_hash is not null),
often as (select plan, thing from r group by all having count(*) >= {LEAST_TIMES})
select key_id, team, plan, thing, count(*), sum(tokens), sum(usd), sum(ms), bool_or(worded)
from r semi join often using (plan, thing) where thing is not null
group by key_id, team, plan, thing order by count(*) desc limit {_MOST_ROWS}"""
_LATER = """
select case when max(total) > $most
       then epoch_us(coalesce(min(minute) filter (total <= $most), max(minute))) end
from (select minute, sum(sum(n)) over (order by minute desc) as total from rollup
      where minute >= make_timestamp($since) group by minute)"""
_PASSAGES = f"""
select any_value(coalesce(key_id, '')), any_value(coalesce(team, '')),
       any_value(sentence_hashes), min(coalesce(gen_ai_usage_input_tokens, 0)),
       min(coalesce(gen_ai_usage_output_tokens, 0)), min(coalesce(cost_usd, 0)),
       bool_or(prompt is not null)
from all_requests where {EVIDENT} and sentence_hashes is not null
group by request_hash, key_id order by max(ts) desc limit {_MOST_ROWS}"""


def rows_of(folder: Path, sql: str, arguments: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a query; one thread, since this machine also answers requests."""
    config: dict[str, Any] = {"threads": 1}
    with duckdb.connect(str(folder / CATALOG_FILE), read_only=True, config=config) as connection:
        return connection.execute(sql, dict(arguments)).fetchall()


Decided = Callable[[str], set[str]]  # by the subject: evidence on which somebody decided


def recurring(
    folder: Path, requesters: Requesters, decided: Decided, now: float
) -> list[HouseFinding]:
    """The stores to propose, by the telemetry in a folder. Raises `duckdb.Error`."""
    since = {"since": _since(folder, now)}
    answers = _answers(rows_of(folder, _ANSWERS, since), requesters, decided, since["since"])
    passages = _passages(rows_of(folder, _PASSAGES, since), requesters, decided, since["since"])
    return [*answers, *passages]


def _since(folder: Path, now: float) -> int:
    """Where the rows begin that are looked at: 30 days ago, or later where there are too many."""
    since = int((now - DAYS * 86_400) * 1e6)
    [(later,)] = rows_of(folder, _LATER, {"since": since, "most": _MOST_READ})
    return since if later is None else max(since, int(later))


def _answers(
    rows: Iterable[Sequence[Any]], requesters: Requesters, decided: Decided, since: int
) -> list[HouseFinding]:
    by_group: dict[tuple[str, str], list[Sequence[Any]]] = defaultdict(list)
    for row in rows:
        by_group[requesters.group(row[0], row[1]), row[2]].append(row)
    findings = []
    for (group, plan), own in by_group.items():
        subject = f"answers of {plan} for {group}"
        before = decided(subject)
        sums: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0, 0])
        for _, _, _, thing, *figures, _ in own:
            sums[thing] = [a + (b or 0) for a, b in zip(sums[thing], figures, strict=True)]
        often = {t: f for t, f in sums.items() if f[0] >= LEAST_TIMES and t not in before}
        repeats = sum(int(n) - 1 for n, *_ in often.values())
        if repeats < _LEAST_REPEATS:
            continue
        saved = [sum(f[i] * (f[0] - 1) / f[0] for f in often.values()) for i in (1, 2, 3)]
        keys = Counter[str]()
        for key_id, _, _, thing, n, *_ in own:
            keys[key_id] += n if thing in often else 0
        owner = requesters.owner(keys)
        words = any(r[8] for r in own if r[3] in often and requesters.shares(r[0], owner))
        hashes = quoted_list(sorted({thing.rpartition(" ")[2] for thing in often})[:_MOST_SHOWN])
        about = {
            "purpose": f"keep what {plan} answered again and again for {group}",
            "fetched": "answers",
            "plan": plan,
            "schema": {"id": "hash of the answer", "title": "the question", "text": "the answer"},
            "documents": len(often),
            "requests": repeats + len(often),
            "saving": _saving(repeats, saved[0], saved[1], saved[2]),
            "words": words,
            "rows": _query(
                requesters, group, since, f"plan = {quoted(plan)} and answer_hash in ({hashes})"
            ),
        }
        findings.append(_finding(subject, owner, requesters.team_of(group), about, often))
    return findings


def _passages(
    rows: Iterable[Sequence[Any]], requesters: Requesters, decided: Decided, since: int
) -> list[HouseFinding]:
    by_group: dict[str, list[PastingRow]] = defaultdict(list)
    for key_id, team, hashes, *figures in rows:
        by_group[requesters.group(key_id, team)].append(
            PastingRow(key_id, frozenset(hashes), *figures)
        )
    findings = []
    for group, own in by_group.items():
        subject = f"passages of {group}"
        passages = [
            (hashes, places)
            for hashes, places in clusters(own, decided(subject))
            if shared_tokens(own, hashes, places) >= _LEAST_TOKENS
        ]
        repeats = sum(len(places) - 1 for _, places in passages)
        if repeats < _LEAST_REPEATS:
            continue
        tokens = usd = 0.0
        keys = Counter[str]()
        for hashes, places in passages:
            size = shared_tokens(own, hashes, places) * (1 - _PASSED_ON)
            for row in (own[place] for place in places):
                tokens += size
                weight = row.input_tokens + _OUTPUT_PRICE * row.output_tokens
                usd += row.usd * min(size / weight, 1.0) if weight else 0.0
                keys[row.key_id] += 1
        owner = requesters.owner(keys)
        words = any(
            own[place].worded and requesters.shares(own[place].key_id, owner)
            for _, places in passages
            for place in places
        )
        evidence = sorted({hash_ for hashes, _ in passages for hash_ in hashes})
        shown = quoted_list(evidence[:_MOST_SHOWN])
        about = {
            "purpose": f"keep what is pasted again and again by {group}",
            "fetched": "passages",
            "schema": {
                "id": "hash of the passage",
                "title": "how it begins",
                "text": "the passage",
            },
            "documents": len(passages),
            "requests": repeats + len(passages),
            "saving": _saving(repeats + len(passages), tokens, usd, None),
            "words": words,
            "rows": _query(requesters, group, since, f"list_has_any(sentence_hashes, [{shown}])"),
        }
        findings.append(_finding(subject, owner, requesters.team_of(group), about, evidence))
    return findings


def _saving(requests: int, tokens: float, usd: float, ms: float | None) -> dict[str, Any]:
    """What the rows of the last days would have saved, had there been the store."""
    return {
        "days": DAYS,
        "requests": requests,
        "tokens": round(tokens),
        "usd": round(usd, 6),
        "ms": None if ms is None else round(ms),
    }


def _finding(
    subject: str, owner: str, locale: str, about: Mapping[str, Any], evidence: Iterable[str]
) -> HouseFinding:
    return HouseFinding("store", subject, owner, locale, about, sorted(evidence))


def _query(requesters: Requesters, group: str, since: int, where: str) -> str:
    """A query that shows the rows, for `waggle sql`."""
    moment = datetime.fromtimestamp(since / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return (
        "select ts, request_id, plan, gen_ai_usage_input_tokens, cost_usd, latency_ms "
        f"from requests where {where} and {requesters.where(group)} "
        f"and ts >= timestamp '{moment}' order by ts"
    )


def quoted_list(texts: Iterable[str]) -> str:
    return ", ".join(quoted(text) for text in texts)
