"""`waggle report`: what was learned, what changed and why, what it saved, and what did not help.

Every figure comes from a query that stands beside it, over the views that analysts have. Where
routing did not pay, it says so.
"""

import datetime as dt
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer

from router.cli.context import CommandContext, in_context
from router.cli.terminal import CommandRefused, InputRefused, out
from router.config.config import Config
from router.telemetry.store.catalog import CATALOG_FILE
from router.trials.book import Ledger

_BOOTSTRAPS = 400
_ENDED = ("kept", "stopped", "vetoed", "rolled back")


@dataclass(frozen=True, slots=True)
class ReportPart:
    """A claim or a table of them, and the query that anybody may ask again."""

    title: str
    words: Sequence[str] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    code: Sequence[tuple[str, str]] = ()  # a caption, and a text to be read as it is
    sql: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class SavingsReport:
    title: str
    parts: tuple[ReportPart, ...] = field(default_factory=tuple)

    @property
    def markdown(self) -> str:
        lines = [f"# {self.title}", ""]
        for part in self.parts:
            lines += [f"## {part.title}", ""]
            for words in part.words:
                lines += [words, ""]
            if part.rows:
                cells = [part.head, ["---"] * len(part.head), *part.rows]
                lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in cells]
                lines.append("")
            for caption, text in part.code:
                lines += [f"{caption}:", "", "```python", text.rstrip(), "```", ""]
            if part.sql:
                lines += ["<details><summary>ask again</summary>", ""]
                for query in part.sql:
                    lines += ["```sql", query.strip(), "```", ""]
                lines += ["</details>", ""]
        return "\n".join(lines)

    @property
    def page(self) -> str:
        """One file that needs nothing else."""
        body = [f"<h1>{html.escape(self.title)}</h1>"]
        for part in self.parts:
            body.append(f"<h2>{html.escape(part.title)}</h2>")
            body += [f"<p>{html.escape(words)}</p>" for words in part.words]
            if part.rows:
                head = "".join(f"<th>{html.escape(one)}</th>" for one in part.head)
                rows = "".join(
                    "<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>"
                    for row in part.rows
                )
                body.append(f"<table><tr>{head}</tr>{rows}</table>")
            for caption, text in part.code:
                body.append(f"<p>{html.escape(caption)}:</p><pre>{html.escape(text)}</pre>")
            if part.sql:
                asked = html.escape("\n\n".join(query.strip() for query in part.sql))
                body.append(f"<details><summary>ask again</summary><pre>{asked}</pre></details>")
        return _PAGE.format(title=html.escape(self.title), style=_STYLE, body="\n".join(body))


_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;"
    "margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;display:block;overflow-x:auto}"
    "td,th{padding:.3rem .7rem;border-bottom:1px solid #8884;text-align:left;"
    "vertical-align:top}pre{overflow-x:auto;padding:.7rem;background:#8881;border-radius:.3rem}"
)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style></head><body>
{body}
</body></html>
"""


def report(config: Config, *, days: float = 7.0, until: dt.datetime | None = None) -> SavingsReport:
    """What telemetry and the book of trials tell of the last days."""
    path = config.telemetry_folder / CATALOG_FILE
    if not path.is_file():
        raise CommandRefused(
            f"there is no telemetry in {config.telemetry_folder}", "start `waggle serve` once"
        )
    end = until or dt.datetime.now(dt.UTC).replace(tzinfo=None)
    begin = end - dt.timedelta(days=days)
    ledger = Ledger(config.trials_folder, config)
    ledger.follow()
    with duckdb.connect(str(path), read_only=True) as con:
        asks = _Asks(con, begin, end)
        parts = (
            _headline(asks),
            _saved(asks),
            _learned(asks),
            _changed(asks),
            _eras(asks, ledger),
            _useless(asks),
            _proposals(ledger),
        )
    told = f"{begin:%Y-%m-%d} to {end:%Y-%m-%d}"
    return SavingsReport(f"What Waggle learned, {told}", parts)


@dataclass
class _Asks:
    con: duckdb.DuckDBPyConnection
    begin: dt.datetime
    end: dt.datetime

    def rows(self, sql: str) -> list[dict[str, Any]]:
        found = self.con.execute(sql)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    @property
    def here(self) -> str:
        begin, end = (f"timestamp '{one:%Y-%m-%d %H:%M:%S}'" for one in (self.begin, self.end))
        return f"ts >= {begin} and ts < {end}"


_ROUTED = "strategy not in ('named', 'sticky', 'reuse')"


def _headline(asks: _Asks) -> ReportPart:
    sql = f"""
with r as (
  select *, utility(quality, cost_usd, latency_ms) as u,
         ntile(2) over (order by ts) as half
  from requests where {asks.here} and plan is not null)
select half, count(*) as n, count(quality) as judged, avg(quality) as quality,
       1.96 * stddev(quality) / sqrt(count(quality)) as quality_half,
       avg(u) as utility, 1.96 * stddev(u) / sqrt(count(u)) as utility_half,
       1000 * avg(cost_usd) as usd_per_1k, quantile_cont(latency_ms, 0.5) as p50_ms,
       quantile_cont(latency_ms, 0.95) as p95_ms, avg((error_type is not null)::int) as errors
from r group by half order by half"""
    found = asks.rows(sql)
    if not found:
        return ReportPart("In short", ("No request was answered in this time.",), sql=(sql,))
    rows = []
    for one in found:
        rows.append(
            (
                "first half" if one["half"] == 1 else "second half",
                f"{one['n']:,} ({one['judged']:,} judged)",
                _with(one["quality"], one["quality_half"]),
                _with(one["utility"], one["utility_half"]),
                f"${one['usd_per_1k']:.4g}",
                f"{one['p50_ms']:.1f}, {one['p95_ms']:.1f}",
                f"{one['errors']:.2%}",
            )
        )
    words = []
    if len(found) == 2 and found[0]["utility"] is not None and found[1]["utility"] is not None:
        gain = found[1]["utility"] - found[0]["utility"]
        half = sqrt(found[0]["utility_half"] ** 2 + found[1]["utility_half"] ** 2)
        sure = "" if abs(gain) > half else ", which is within the noise"
        words = [
            f"From the first half to the second, utility moved by {gain:+.4f} ± {half:.4f}{sure}."
        ]
    head = ("", "requests", "quality", "utility", "per 1,000", "p50, p95 ms", "errors")
    return ReportPart("In short", words, head, rows, sql=(sql,))


def _saved(asks: _Asks) -> ReportPart:
    """Against the premium plan always, and against a coin toss that costs the same."""
    premium = f"""
select count(*) as n, sum(premium_cost_usd - cost_usd) as saved_usd,
       1.96 * stddev(premium_cost_usd - cost_usd) * sqrt(count(*)) as half,
       sum(premium_cost_usd) as premium_usd, any_value(premium_plan) as plan
from requests where {asks.here} and premium_cost_usd is not null and {_ROUTED}"""
    buckets = f"""
select date_trunc('hour', ts) as hour, plan, count(*) as n, sum(cost_usd) as usd,
       coalesce(sum(quality), 0) as quality, count(quality) as judged
from requests where {asks.here} and {_ROUTED} and plan is not null group by all"""
    told = asks.rows(premium)[0]
    words = []
    if told["n"]:
        share = told["saved_usd"] / told["premium_usd"] if told["premium_usd"] else 0.0
        words.append(
            f"Against always {told['plan']}: ${told['saved_usd']:.4f} ± ${told['half'] or 0:.4f} "
            f"saved over {told['n']:,} requests, {share:.1%} of what that would have cost."
        )
    mix = _against_mix(asks.rows(buckets))
    words.append(mix)
    return ReportPart("What it saved", words, sql=(premium, buckets))


def _against_mix(rows: Sequence[Mapping[str, Any]]) -> str:
    """Quality beside that of a coin toss between the cheapest plan and the dearest with the odds
    that cost as much; the interval by resampling hours."""
    import numpy as np

    hours = sorted({row["hour"] for row in rows})
    plans = sorted({row["plan"] for row in rows})
    if len(plans) < 2 or len(hours) < 5:
        return "Against a random mix: too little was tried to say."
    sums = np.zeros((len(hours), len(plans), 4))
    at, which = {h: n for n, h in enumerate(hours)}, {p: n for n, p in enumerate(plans)}
    for row in rows:
        place = sums[at[row["hour"]], which[row["plan"]]]
        place += (row["n"], row["usd"], row["quality"], row["judged"])
    chance = np.random.default_rng(0)
    found = [_above(sums.sum(axis=0))]
    for _ in range(_BOOTSTRAPS):
        found.append(_above(sums[chance.integers(len(hours), size=len(hours))].sum(axis=0)))
    known = np.array([one for one in found if one is not None])
    if found[0] is None or len(known) < _BOOTSTRAPS / 2:
        return "Against a random mix: the cheapest and the dearest plan were tried too little."
    low, high = np.percentile(known[:, 0], [2.5, 97.5])
    quality, toss = found[0][1], found[0][2]
    verdict = (
        "it is better" if low > 0 else "it is worse" if high < 0 else "neither is shown better"
    )
    return (
        f"Against a coin toss between the cheapest and the dearest plan, as costly: quality "
        f"{quality:.4f} beside {toss:.4f}, {found[0][0]:+.4f} [{low:+.4f}, {high:+.4f}]: {verdict}."
    )


def _above(sums: Any) -> tuple[float, float, float] | None:
    """By how much quality is above the toss's; quality; the toss's."""
    n, usd, quality, judged = sums.T
    tried = judged >= 5
    if tried.sum() < 2 or not judged.sum():
        return None
    cost = usd[tried] / n[tried]
    good = quality[tried] / judged[tried]
    low, high = int(cost.argmin()), int(cost.argmax())
    if cost[high] <= cost[low]:
        return None
    share = min(max((usd.sum() / n.sum() - cost[low]) / (cost[high] - cost[low]), 0.0), 1.0)
    toss = float(good[low] + (good[high] - good[low]) * share)
    own = float(quality.sum() / judged.sum())
    return own - toss, own, toss


def _learned(asks: _Asks) -> ReportPart:
    sql = f"""
with p as (
  select kind, plan, count(*) as n, count(quality) as judged, avg(quality) as quality,
         1.96 * stddev(quality) / sqrt(nullif(count(quality), 0)) as half,
         1000 * avg(cost_usd) as usd_per_1k, avg(latency_ms) as ms,
         avg(utility(quality, cost_usd, latency_ms)) as u
  from requests where {asks.here} and plan is not null group by all having count(quality) >= 10)
select * from p qualify row_number() over (partition by kind order by u desc) = 1
order by n desc limit 20"""
    rows = [
        (
            one["kind"] or "any",
            one["plan"],
            _with(one["quality"], one["half"]),
            f"{one['u']:.4f}",
            f"${one['usd_per_1k']:.4g}",
            f"{one['ms']:.1f}",
            f"{one['judged']:,}",
        )
        for one in asks.rows(sql)
    ]
    if not rows:
        return ReportPart("What was learned", ("Too little was judged to say.",), sql=(sql,))
    head = ("kind", "best plan", "quality", "utility", "per 1,000", "ms", "judged")
    return ReportPart(
        "What was learned", ("The plan that proved best for each kind.",), head, rows, sql=(sql,)
    )


def _changed(asks: _Asks) -> ReportPart:
    sql = f"""
select ts, name, state, share, why from trial_history
where {asks.here} and state <> 'shadow' and why is not null and why <> ''
qualify state is distinct from lag(state) over (partition by trial_id order by ts)
     or share is distinct from lag(share) over (partition by trial_id order by ts)
order by ts"""
    rows = [
        (f"{one['ts']:%m-%d %H:%M}", one["name"], one["state"], f"{one['share']:.0%}", one["why"])
        for one in asks.rows(sql)
    ]
    words = () if rows else ("Nothing changed: no trial began, ended or was adopted.",)
    return ReportPart(
        "What changed, and why", words, ("when", "trial", "state", "share", "why"), rows, sql=(sql,)
    )


def _eras(asks: _Asks, ledger: Ledger) -> ReportPart:
    sql = f"""
select ts, subject as strategy, detail->>'why' as why from events
where kind = 'strategy' and state = 'serves' and {asks.here} order by ts"""
    source = "select policy_version, strategy, settings->>'source' as source from policies"
    found = asks.rows(sql)
    sources = {one["policy_version"]: one["source"] for one in asks.rows(source) if one["source"]}
    rows = [(f"{one['ts']:%m-%d %H:%M}", one["strategy"], one["why"]) for one in found]
    served = dict.fromkeys([*(one["strategy"] for one in found), ledger.book.serving.key])
    code = [(f"`{key}`", sources[key]) for key in served if key in sources]
    words = [f"{ledger.book.serving.key} serves."]
    return ReportPart(
        "Who served", words, ("when", "strategy", "why"), rows, code, sql=(sql, source)
    )


def _useless(asks: _Asks) -> ReportPart:
    sql = f"""
select ts, name, state, why from trial_history
where {asks.here} and state in ({", ".join(f"'{one}'" for one in _ENDED)})
qualify row_number() over (partition by trial_id order by ts desc) = 1 order by ts"""
    notes = f"""
select max(ts) as ts, subject, detail->>'why' as why, count(*) as times from events
where kind = 'proposal' and {asks.here} and state in ('nothing', 'refused')
group by all order by ts"""
    rows = [(f"{o['ts']:%m-%d %H:%M}", o["name"], o["state"], o["why"]) for o in asks.rows(sql)]
    rows += [
        (f"{o['ts']:%m-%d %H:%M}", o["subject"], f"nothing found, {o['times']} times", o["why"])
        for o in asks.rows(notes)
    ]
    words = () if rows else ("Nothing was tried in vain.",)
    return ReportPart(
        "What did not help", words, ("when", "what", "state", "why"), rows, sql=(sql, notes)
    )


def _proposals(ledger: Ledger) -> ReportPart:
    sql = "select name, state, settings->>'why' as why from trials where state = 'decided'"
    book = ledger.book
    rows = []
    for trial in book.trials.values():
        if trial.state == "decided":
            rows.append((trial.candidate, trial.why, f"waggle trial adopt {trial.name}"))
        elif trial.state == "running":
            rows.append(
                (trial.candidate, f"is tried: {trial.effect}", f"waggle trial show {trial.name}")
            )
    rows.append(("something simpler", "whether a plan or a branch could go", "waggle simplify"))
    rows.append(("a function", "what was learned, as code to read", "waggle routes distill"))
    return ReportPart("Proposals", (), ("what", "expected", "one command away"), rows, sql=(sql,))


def _with(mean: float | None, half: float | None) -> str:
    if mean is None:
        return "unknown"
    return f"{mean:.4f}" + (f" ± {half:.4f}" if half is not None else "")


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def written(told: SavingsReport, folder: Path) -> Path:
    """As Markdown and as a page; where the page is."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(told.markdown)
    path = folder / "report.html"
    path.write_text(told.page)
    return path


@in_context
def report_command(
    here: CommandContext,
    days: Annotated[float, typer.Option(min=0.01, help="How far back.")] = 7.0,
    to: Annotated[Path | None, typer.Option("--out", "-o", help="A file: .md, or .html.")] = None,
) -> None:
    """What was learned, what changed and why, what it saved, what did not help."""
    told = report(here.config, days=days)
    if to is None:
        from rich.markdown import Markdown

        out.print(Markdown(told.markdown))
        return
    if to.suffix not in (".md", ".html"):
        raise InputRefused(f"--out {to}: a report is written as .md or .html")
    try:
        to.write_text(told.markdown if to.suffix == ".md" else told.page)
    except OSError as error:
        raise InputRefused(f"--out {to} cannot be written", str(error.strerror)) from None
    out.print(f"Written: {to}")
