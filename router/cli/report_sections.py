"""The sections of a report; each section carries the queries behind its figures."""

from math import sqrt

from router.cli.report_document import ReportSection
from router.cli.report_telemetry import ReportedTelemetry, with_interval
from router.trials.book import Book, Trial

_ENDED_IN_VAIN = "('kept', 'stopped', 'vetoed', 'rolled back')"


def headline(telemetry: ReportedTelemetry) -> ReportSection:
    sql = f"""
with r as (
  select *, utility(quality, cost_usd, latency_ms) as u,
         ntile(2) over (order by ts) as half
  from requests where {telemetry.in_time} and plan is not null)
select half, count(*) as n, count(quality) as judged, avg(quality) as quality,
       1.96 * stddev(quality) / sqrt(count(quality)) as quality_half,
       avg(u) as utility, 1.96 * stddev(u) / sqrt(count(u)) as utility_half,
       1000 * avg(cost_usd) as usd_per_1k, quantile_cont(latency_ms, 0.5) as p50_ms,
       quantile_cont(latency_ms, 0.95) as p95_ms, avg((error_type is not null)::int) as errors
from r group by half order by half"""
    halves = telemetry.rows(sql)
    if not halves:
        return ReportSection("In short", ("No request was answered in this time.",), sql=(sql,))
    rows = [
        (
            "first half" if half["half"] == 1 else "second half",
            f"{half['n']:,} ({half['judged']:,} judged)",
            with_interval(half["quality"], half["quality_half"]),
            with_interval(half["utility"], half["utility_half"]),
            per_1k(half["usd_per_1k"]),
            f"{half['p50_ms']:.1f}, {half['p95_ms']:.1f}",
            f"{half['errors']:.2%}",
        )
        for half in halves
    ]
    words = []
    if len(halves) == 2 and all(half["utility_half"] is not None for half in halves):
        first, second = halves
        gain = second["utility"] - first["utility"]
        noise = sqrt(first["utility_half"] ** 2 + second["utility_half"] ** 2)
        unsure = "" if abs(gain) > noise else ", which is within the noise"
        moved = f"utility moved by {gain:+.4f} ± {noise:.4f}{unsure}."
        words = [f"From the first half to the second, {moved}"]
    head = ("", "requests", "quality", "utility", "per 1,000", "p50, p95 ms", "errors")
    return ReportSection("In short", words, head, rows, sql=(sql,))


def learned(telemetry: ReportedTelemetry) -> ReportSection:
    sql = f"""
with p as (
  select kind, plan, count(*) as n, count(quality) as judged, avg(quality) as quality,
         1.96 * stddev(quality) / sqrt(nullif(count(quality), 0)) as half,
         1000 * avg(cost_usd) as usd_per_1k, avg(latency_ms) as ms,
         avg(utility(quality, cost_usd, latency_ms)) as u
  from requests where {telemetry.in_time} and plan is not null
    and plan not in (select subject from events where kind = 'growth')
  group by all having count(quality) >= 10)
select * from p qualify row_number() over (partition by kind order by u desc nulls last) = 1
order by n desc limit 20"""
    rows = [
        (
            best["kind"] or "any",
            best["plan"],
            with_interval(best["quality"], best["half"]),
            "unknown" if best["u"] is None else f"{best['u']:.4f}",
            per_1k(best["usd_per_1k"]),
            f"{best['ms']:.1f}",
            f"{best['judged']:,}",
        )
        for best in telemetry.rows(sql)
    ]
    title = "What was learned"
    if not rows:
        return ReportSection(title, ("Too few answers were judged.",), sql=(sql,))
    head = ("kind", "best plan", "quality", "utility", "per 1,000", "ms", "judged")
    words = (
        "The plan that proved best for each kind. Plans that were made for patterns stand aside: "
        "`waggle growth list` shows what each brought.",
    )
    return ReportSection(title, words, head, rows, sql=(sql,))


def changes(telemetry: ReportedTelemetry) -> ReportSection:
    sql = f"""
select ts, name, state, share, why from trial_history
where {telemetry.in_time} and state <> 'shadow' and why is not null and why <> ''
qualify state is distinct from lag(state) over (partition by trial_id order by ts)
     or share is distinct from lag(share) over (partition by trial_id order by ts)
order by ts"""
    rows = [
        (f"{row['ts']:%m-%d %H:%M}", row["name"], row["state"], f"{row['share']:.0%}", row["why"])
        for row in telemetry.rows(sql)
    ]
    words = () if rows else ("Nothing changed: no trial began, ended or was adopted.",)
    head = ("when", "trial", "state", "share", "why")
    return ReportSection("What changed, and why", words, head, rows, sql=(sql,))


def strategies_served(telemetry: ReportedTelemetry, book: Book) -> ReportSection:
    sql = f"""
select ts, subject as strategy, detail->>'why' as why from events
where kind = 'strategy' and state = 'serves' and {telemetry.in_time} order by ts"""
    source = "select policy_version, strategy, settings->>'source' as source from policies"
    events = telemetry.rows(sql)
    sources = {
        row["policy_version"]: row["source"] for row in telemetry.rows(source) if row["source"]
    }
    rows = [(f"{row['ts']:%m-%d %H:%M}", row["strategy"], row["why"]) for row in events]
    served = dict.fromkeys([*(row["strategy"] for row in events), book.serving.key])
    code = [(f"`{key}`", sources[key]) for key in served if key in sources]
    words = [f"{book.serving.key} serves."]
    head = ("when", "strategy", "why")
    return ReportSection("Who served", words, head, rows, code, sql=(sql, source))


def tried_in_vain(telemetry: ReportedTelemetry) -> ReportSection:
    trials = f"""
select ts, name, state, why from trial_history
where {telemetry.in_time} and state in {_ENDED_IN_VAIN}
qualify row_number() over (partition by trial_id order by ts desc) = 1 order by ts"""
    notes = f"""
select max(ts) as ts, subject, state, detail->>'why' as why, count(*) as times from events
where kind = 'proposal' and {telemetry.in_time} and state in ('nothing', 'refused')
group by all order by ts"""
    rows = [
        (f"{row['ts']:%m-%d %H:%M}", row["name"], row["state"], row["why"])
        for row in telemetry.rows(trials)
    ]
    for row in telemetry.rows(notes):
        state = "nothing found" if row["state"] == "nothing" else row["state"]
        times = "once" if row["times"] == 1 else f"{row['times']:,} times"
        why = f"{state}, {times}", row["why"]
        rows.append((f"{row['ts']:%m-%d %H:%M}", row["subject"], *why))
    words = () if rows else ("Nothing was tried in vain.",)
    head = ("when", "what", "state", "why")
    return ReportSection("What did not help", words, head, rows, sql=(trials, notes))


def proposals(book: Book) -> ReportSection:
    sql = "select name, state, settings->>'why' as why from trials where state = 'decided'"
    rows = []
    for trial in book.trials.values():
        if trial.state == "decided":
            rows.append((trial.candidate, trial.why, _adopting(trial)))
        elif trial.state == "running":
            expected = f"is tried: {trial.effect}"
            rows.append((trial.candidate, expected, f"waggle trial show {trial.name}"))
    rows.append(("something simpler", "whether a plan or a branch could go", "waggle simplify"))
    rows.append(("a function", "what was learned, as code to read", "waggle routes distill"))
    head = ("what", "expected", "one command away")
    return ReportSection("Proposals", (), head, rows, sql=(sql,))


def _adopting(trial: Trial) -> str:
    if trial.node:
        return f"waggle routes adopt {trial.node}"
    return f"waggle {'growth approve' if trial.pattern else 'trial adopt'} {trial.name}"


def per_1k(usd: float | None) -> str:
    return "unknown" if usd is None else f"${usd:.4g}"
