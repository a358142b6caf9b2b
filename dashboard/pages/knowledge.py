"""The page about knowledge: stores, their owners and lag, who may read them, and who does."""

from dashboard.components import badge, number, table, tile, tiles, when
from dashboard.pages.knowledge_events import HAPPENED
from dashboard.pages.knowledge_house import LAG, PROPOSALS
from dashboard.panel import Empty, Page, Panel, PanelQuery, Shown
from dashboard.source import Rows, moment

_NONE = Empty(
    "No store of knowledge has an owner yet. A folder becomes a store by:",
    "waggle knowledge add NAME FOLDER",
)
_OVER = "('revoked', 'ended', 'lapsed')"
_RIGHTS = "kind = 'knowledge'"


def _until(query: PanelQuery) -> str:
    return f"{_RIGHTS} and ts < {moment(query.span.until)}"


def _grants(query: PanelQuery) -> str:
    """SQL for every grant as it stands, by its events."""
    return f"""
select subject as store, (detail->>'grant')::bigint as grant_number, min(ts) as granted,
       max(ts) as changed, arg_max(state, (detail->>'number')::bigint) as state,
       any_value(detail->>'who') filter (state = 'granted') as who,
       arg_max(coalesce(detail->'after', detail), ts) filter (state in ('granted', 'changed'))
         as terms,
       arg_max(detail->>'by', ts) as by_whom
from events
where {_until(query)} and state in ('granted', 'changed', 'revoked', 'ended', 'lapsed')
group by all"""


def strip(query: PanelQuery) -> str:
    return f"""
with g as ({_grants(query)}),
s as (
  select subject, arg_max(state, ts) as state from events
  where {_until(query)} and state in ('declared', 'removed') group by subject),
a as (
  select detail->>'ask' as ask, bool_or(state = 'decided') as decided from events
  where {_until(query)} and state in ('asked', 'decided') group by all),
p as (
  select detail->>'proposal' as proposal, bool_or(state <> 'proposed') as over from events
  where {_until(query)} and detail->>'proposal' is not null group by all)
select (select count(*) from s where state = 'declared') as stores,
       (select count(*) from g where state not in {_OVER}) as grants,
       (select count(*) from a where not decided) as asks,
       (select count(*) from p where not over) as proposals,
       (select sum(reads)::bigint from knowledge_use) as reads,
       (select count(distinct key) from knowledge_use) as readers"""


def _strip(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    row = rows[0]
    if not row["stores"]:
        return _NONE
    return tiles(
        tile("stores", number(row["stores"]), "with an owner"),
        tile("grants in force", number(row["grants"]), "beside owners and visibility"),
        tile(
            "asks that wait",
            number(row["asks"]),
            "waggle knowledge grants" if row["asks"] else "every ask is answered",
            tone="warn" if row["asks"] else "",
        ),
        tile(
            "proposals that wait",
            number(row["proposals"]),
            "accept or refuse below" if row["proposals"] else "nothing is proposed",
            tone="warn" if row["proposals"] else "",
        ),
        tile("uses", number(row["reads"] or 0), _by_keys(row["readers"] or 0)),
    )


def _by_keys(count: int) -> str:
    return "by 1 key" if count == 1 else f"by {number(count)} keys"


def stores(query: PanelQuery) -> str:
    return f"""
with s as (
  select subject as store, max(ts) as declared, arg_max(state, ts) as state,
         arg_max(detail->>'owner', ts) as owner, arg_max(detail->>'visible', ts) as visible,
         arg_max(detail->>'locale', ts) as locale
  from events where {_until(query)} and state in ('declared', 'removed') group by all),
l as (
  select subject as store, arg_max((detail->>'lag_seconds')::double, ts) as lag_seconds,
         arg_max((detail->>'behind')::bigint, ts) as behind
  from events where {_until(query)} and (detail->>'lag_seconds') is not null group by all),
u as (
  select store, sum(reads)::bigint as reads, sum(writes)::bigint as writes from knowledge_use
  group by all)
select s.*, behind, lag_seconds, reads, writes
from s left join l using (store) left join u using (store)
where state = 'declared' order by store"""


def _stores(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return _NONE
    return [
        table(
            ("store", "owner", "visible", "locale", "lag", "read", "written", "since (UTC)"),
            [
                (
                    row["store"],
                    row["owner"] or "the admins",
                    badge(row["visible"] or ""),
                    row["locale"] or "",
                    number(row["lag_seconds"], ",.1f", " s"),
                    number(row["reads"] or 0),
                    number(row["writes"] or 0),
                    when(row["declared"]),
                )
                for row in rows
            ],
            numeric=(4, 5, 6),
            label="stores",
        )
    ]


def grants(query: PanelQuery) -> str:
    return f"""
select store, grant_number, who, state, terms->>'may' as may,
       make_timestamp(((terms->>'until')::double * 1e6)::bigint) as until,
       (terms->>'rate')::bigint as rate, (terms->>'idle_days')::double as idle_days,
       coalesce((terms->>'must_cite')::boolean, false) as must_cite, granted, changed, by_whom
from ({_grants(query)}) order by state in {_OVER}, changed desc limit 200"""


def _shown_grants(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty(
            "Nobody was given access. An owner gives it by:",
            "waggle knowledge grant NAME key:WHO --until 30d",
        )
    return [
        table(
            ("store", "no.", "who", "may", "until (UTC)", "an hour", "idle days", "state", "by"),
            [
                (
                    row["store"],
                    number(row["grant_number"]),
                    row["who"] or "",
                    f"{row['may'] or ''}{', must cite' if row['must_cite'] else ''}",
                    when(row["until"]) if row["until"] is not None else "",
                    number(row["rate"]) if row["rate"] is not None else "",
                    number(row["idle_days"], ",.3g") if row["idle_days"] is not None else "",
                    badge("in force" if row["state"] in ("granted", "changed") else row["state"]),
                    row["by_whom"] or "",
                )
                for row in rows
            ],
            numeric=(1, 5, 6),
            label="grants",
        )
    ]


def use(query: PanelQuery) -> str:
    span = query.span
    return f"""
select key, store, sum(reads)::bigint as reads, sum(writes)::bigint as writes,
       count(distinct day) as days, max(day)::varchar as last_day
from knowledge_use
where day >= {moment(span.since)}::date and day <= {moment(span.until)}::date
group by all order by sum(reads) + sum(writes) desc, key, store limit 200"""


def _use(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("Nobody used a store in this time.")
    return [
        table(
            ("key", "store", "read", "written", "on days", "last"),
            [
                (
                    row["key"],
                    row["store"],
                    number(row["reads"]),
                    number(row["writes"] or 0),
                    number(row["days"]),
                    row["last_day"],
                )
                for row in rows
            ],
            numeric=(2, 3, 4),
            label="who reads what",
        )
    ]


PAGE = Page(
    "knowledge",
    "Knowledge",
    "Which stores there are, who may read them, and who does.",
    (
        Panel("knowledge-strip", "At a glance", strip, _strip, form="parts", size="whole"),
        Panel(
            "stores",
            "Stores",
            stores,
            _stores,
            form="parts",
            size="whole",
            note="Lag: how long the newest changes waited for their meaning at the last look.",
        ),
        PROPOSALS,
        Panel("grants", "Grants", grants, _shown_grants, form="parts", size="whole"),
        Panel(
            "knowledge-use",
            "Who reads what",
            use,
            _use,
            form="parts",
            size="whole",
            note="Uses of a store by days (UTC). No words are kept of them.",
        ),
        LAG,
        HAPPENED,
    ),
)
