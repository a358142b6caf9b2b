-- How efficient routing is, and what could be better: all from rows. `self_analysis.py` puts the answers
-- into words for `waggle report` and the dashboard.

-- The requests whose outcome says what a plan is worth, in groups: those of a pattern, and by kind those
-- without a pattern. Answers from memory, and plans that a caller named, say nothing here.
create macro tells_worth(plan, status, strategy, reuse_tier) as
  plan is not null and coalesce(status, 0) <> 499
  and strategy not in ('named', 'compared', 'shadow', 'reuse')
  and coalesce(reuse_tier, 'novel') = 'novel';
create macro worth_rows(since := timestamp '1970-01-01', until := timestamp '9999-01-01') as table
select request_id, ts, coalesce(pattern, '') as pattern,
       case when pattern is null then coalesce(kind, '') else '' end as kind, plan,
       case when quality is null and status >= 500 then 0.0 else quality end as quality,
       cost_usd, latency_ms
from requests
where ts >= since and ts < until and tells_worth(plan, status, strategy, reuse_tier);

-- What each plan is worth on each group, from the newest 400 judged answers of each plan on each group
-- between `known_since` and `known_until`. `n` and `share` say how often the plan served the group from
-- `since` to `until`; a group without a request then is taken as served like all requests.
-- A quality from few answers leans toward what the plan and the group have in general.
-- `reach`: the share of requests that are of groups on which the plan was tried.
-- `cheapest`: the plan that costs least, of those tried nearly everywhere. `best`: the plan that is surely
-- worth most to the group, of those that answered it lately, with 20 judged answers.
-- `plan_worth_of` is the same over two relations of `worth_rows`, by their names, so that a reader of many
-- figures reads rows once: what is known, and what was served.
create macro plan_worth_of(known_rows, served_rows, cost_weight := 0.1, latency_weight := 0.05) as table
with numbered as (
  select *,
         row_number() over (
           partition by pattern, kind, plan, quality is null order by ts desc, request_id) as nth,
         row_number() over (partition by pattern, kind order by ts desc, request_id) as group_nth,
         row_number() over (order by ts desc, request_id) as all_nth
  from query_table(known_rows)),
tried as (
  select pattern, kind, plan, count(*) as known_n, min(group_nth) as newest, min(all_nth) as newest_of_all,
         count(quality) filter (nth <= 400) as judged, avg(quality) filter (nth <= 400) as mean,
         var_samp(quality) filter (nth <= 400) as spread,
         avg(cost_usd) filter (nth <= 400) as usd, avg(latency_ms) filter (nth <= 400) as ms
  from numbered group by all),
groups as (
  select pattern, kind, sum(known_n) as group_n,
         sum(judged * mean) / nullif(sum(judged), 0) as group_mean
  from tried group by all),
usual as (select sum(judged * mean) / nullif(sum(judged), 0) as mean from tried),
plans as (
  select plan, sum(judged * mean) / nullif(sum(judged), 0) as plan_mean,
         sum(known_n * usd) / nullif(sum(known_n) filter (usd is not null), 0) as plan_usd,
         sum(known_n * ms) / sum(known_n) as plan_ms, sum(judged) as plan_judged,
         sum(group_n) / (select sum(group_n) from groups) as reach, min(newest_of_all) as newest_of_all
  from tried join groups using (pattern, kind) group by plan),
served as (
  select pattern, kind, plan, count(*) as n, sum(count(*)) over (partition by pattern, kind) as all_n
  from query_table(served_rows) group by pattern, kind, plan),
overall as (
  select plan,
         sum(n) filter (reach >= 0.8) / nullif(sum(sum(n) filter (reach >= 0.8)) over (), 0) as share
  from served join plans using (plan) group by plan),
cells as (
  select g.pattern as pattern, g.kind as kind, p.plan as plan, group_n,
         group_n / sum(group_n) over (partition by p.plan) as weight,
         coalesce(judged, 0) as judged,
         coalesce(usd, plan_usd) as usd, coalesce(ms, plan_ms) as ms, spread, reach,
         coalesce(judged * t.mean, 0) as total,
         least(greatest(coalesce(plan_mean, 0.5) + coalesce(group_mean, 0.5) - coalesce(u.mean, 0.5), 0), 1)
           as leaning,
         coalesce(s.n, 0) as n,
         case when max(s.all_n) over (partition by g.pattern, g.kind) is not null
              then coalesce(s.n, 0) / max(s.all_n) over (partition by g.pattern, g.kind)
              when exists (select 1 from served) then coalesce(o.share, 0) end as share,
         p.newest_of_all <= 5000 and (reach >= 0.8 or t.newest <= 200) as answers
  from groups g cross join plans p cross join usual u
  left join tried t on t.pattern = g.pattern and t.kind = g.kind and t.plan = p.plan
  left join served s on s.pattern = g.pattern and s.kind = g.kind and s.plan = p.plan
  left join overall o on o.plan = p.plan),
estimated as (
  select *, (total + 10 * leaning) / (judged + 10) as quality from cells),
worth as (
  select *,
         utility(quality, usd, ms, cost_weight := cost_weight, latency_weight := latency_weight) as utility,
         sqrt((case when judged >= 20 then coalesce(spread, 0) else quality * (1 - quality) end + 0.01)
              / (judged + 10)) as deviation
  from estimated),
cheap as (
  select plan from plans where reach >= 0.8 and plan_judged >= 20 and plan_usd is not null
  order by plan_usd, plan_ms, plan limit 1),
-- A plan that answered the group before, and not any more, is no choice any more.
ranked as (
  select *, utility is not null and judged >= 20 and coalesce(answers, false) as counts from worth)
select pattern, kind, plan, n, share, weight, judged, quality, 1000 * usd as usd_per_1k, ms, utility,
       1.96 * deviation as half, reach, plan in (from cheap) as cheapest,
       counts and row_number() over (
         partition by pattern, kind, counts order by utility - deviation desc, plan) = 1 as best
from ranked where n > 0 or judged > 0 or share > 0 or plan in (from cheap)
order by weight desc, pattern, kind, utility desc nulls last;
create macro plan_worth(
  since := timestamp '1970-01-01', until := timestamp '9999-01-01',
  known_since := timestamp '1970-01-01', known_until := timestamp '9999-01-01',
  cost_weight := 0.1, latency_weight := 0.05
) as table
with known_part as materialized (from worth_rows(since := known_since, until := known_until)),
served_part as (from worth_rows(since := since, until := until))
from plan_worth_of(
  'known_part', 'served_part', cost_weight := cost_weight, latency_weight := latency_weight);

-- The worth of each group: what its answers are worth now, and what the best known plan would be worth.
create macro group_worth_of(worth) as table
select pattern, kind, any_value(weight) as weight, arg_max(plan, share) as answers,
       max(share) as answers_share, sum(share * utility) as utility_now,
       any_value(plan) filter (best) as best, max(utility) filter (best) as utility_best,
       sum(judged)::bigint as judged
from query_table(worth) group by pattern, kind;
create macro group_worth(
  since := timestamp '1970-01-01', until := timestamp '9999-01-01',
  known_since := timestamp '1970-01-01', known_until := timestamp '9999-01-01',
  cost_weight := 0.1, latency_weight := 0.05
) as table
with plans_worth as (
  from plan_worth(since := since, until := until, known_since := known_since,
                  known_until := known_until, cost_weight := cost_weight,
                  latency_weight := latency_weight))
from group_worth_of('plans_worth');

-- The patterns of traffic: requests that are alike. `utility_now` is told from the newest quarter of all
-- requests whose plan Waggle chose, as many as `newest_of` in `self_analysis.py` says. `could_bring` is the utility of a request
-- by which the best known plan beats what answers now; null where too few answers are judged.
create macro pattern_values(
  cost_weight := 0.1, latency_weight := 0.05,
  since := timestamp '1970-01-01', until := timestamp '9999-01-01'
) as table
with e as (
  select subject as pattern, min(ts) as found_at,
         case when arg_max(state, ts) in ('merged', 'forgotten') then arg_max(state, ts) else 'living' end
           as state,
         arg_max(json_extract_string(detail, '$.name'), ts)
           filter (json_extract_string(detail, '$.name') not in ('', subject)) as name,
         arg_max(json_extract_string(detail, '$.into'), ts) as into_pattern,
         arg_max(json_extract_string(detail, '$.spread'), ts)
           filter (json_extract_string(detail, '$.spread') is not null)::double as spread
  from all_events where kind = 'pattern' and subject <> '' group by subject),
served as (
  select pattern, plan, count(*) as n, count(quality) as judged, min(ts) as first_ts, max(ts) as last_ts
  from requests where pattern is not null and plan is not null and ts >= since and ts < until
  group by all),
v as (
  select pattern, sum(n)::bigint as requests, sum(judged)::bigint as judged,
         arg_max(plan, n) as usual_plan, min(first_ts) as first_ts, max(last_ts) as last_ts
  from served group by pattern),
w as (
  from group_worth(
    since := coalesce((
      select ts from all_requests
      where ts >= since and ts < until and tells_worth(plan, status, strategy, reuse_tier)
      order by ts desc limit 1 offset (
        select least(greatest(count(*) // 4, 100), 2000) - 1 from all_requests
        where ts >= since and ts < until and plan is not null)), since),
    until := until, known_since := since, known_until := until, cost_weight := cost_weight,
    latency_weight := latency_weight)),
k as (
  select pattern, count(distinct key_id) as callers, count(distinct plan) as plans from all_requests
  where pattern is not null and ts >= since and ts < until group by pattern),
every_ as (
  select count(*) as n from all_requests where terms is not null and plan is not null and ts >= since
  and ts < until)
select coalesce(v.pattern, e.pattern) as pattern, coalesce(e.name, v.pattern, e.pattern) as name,
       coalesce(e.state, 'living') as state, e.into_pattern, coalesce(v.requests, 0) as requests,
       coalesce(v.requests, 0) / nullif(every_.n, 0) as share, e.spread, coalesce(k.callers, 0) as callers,
       coalesce(v.judged, 0) as judged, w.utility_now, v.usual_plan, w.best as best_plan,
       w.utility_best as best_utility,
       case when w.utility_best > w.utility_now then w.utility_best - w.utility_now
            when w.utility_best <= w.utility_now then 0.0 end as could_bring,
       e.found_at, v.first_ts, v.last_ts
from v full join e using (pattern) left join k on k.pattern = coalesce(v.pattern, e.pattern)
     left join w on w.pattern = v.pattern cross join every_
order by requests desc, pattern;
create view patterns as from pattern_values();

-- The efficiency of the way in which requests were answered from `since` to `until`, 0 to 100: 0 is what
-- the cheapest fixed plan would be worth, 100 the best known plan of each group, both on the requests
-- since `known_since`. What idle arms cost, which are best nowhere, is in it; `idle` says how much.
-- `score` is null where rows do not suffice, and `why` says what is missing.
create macro efficiency_of(worth) as table
with w as (from query_table(worth)),
ends as (
  select pattern, kind, any_value(weight) as weight,
         max(utility) filter (best) as top, max(utility) filter (cheapest) as bottom,
         sum(share * utility) as now
  from w group by pattern, kind
  having max(utility) filter (best) is not null and max(utility) filter (cheapest) is not null),
arms as (select plan, bool_or(best) as useful from w group by plan),
total as (
  select sum(weight) as known, sum(weight * now) / sum(weight) as utility_now,
         sum(weight * bottom) / sum(weight) as utility_cheapest,
         sum(weight * top) / sum(weight) as utility_best, count(*) filter (pattern <> '') as patterns,
         (select coalesce(sum(n), 0)::bigint from w) as n
  from ends),
reached as (
  select *, utility_best - utility_cheapest as room,
         least(greatest((utility_now - utility_cheapest) / nullif(utility_best - utility_cheapest, 0), 0), 1)
           as part
  from total),
parts as (  -- over plans and groups: what idle arms lose, and the noise of the score
  select sum(ends.weight * share * greatest(top - utility, 0)) filter (not useful) as lost,
         any_value(w.plan) filter (cheapest) as plan,
         sqrt(sum(pow(ends.weight * (share - cheapest::int - part * (best::int - cheapest::int)) * half, 2)))
           as noise
  from w join ends using (pattern, kind) join arms using (plan) cross join reached)
select case when n = 0 then 'Waggle chose the plan of no request in this time'
            when known is null or known < 0.5
              then 'fewer than half of the requests are of patterns and kinds with enough judged answers'
            when room < 0.005 then 'nothing is known to be better than the cheapest plan'
       end as why,
       case when n > 0 and known >= 0.5 and room >= 0.005 then 100 * part end as score,
       case when n > 0 and known >= 0.5 and room >= 0.005
            then least(100 * noise / (room * known), 100) end as half,
       parts.plan as cheapest, utility_now, utility_cheapest, utility_best,
       coalesce(lost / known, 0) as idle, known, patterns, n
from reached cross join parts;
create macro efficiency(
  since := timestamp '1970-01-01', until := timestamp '9999-01-01',
  known_since := timestamp '1970-01-01', known_until := timestamp '9999-01-01',
  cost_weight := 0.1, latency_weight := 0.05
) as table
with plans_worth as materialized (
  from plan_worth(since := since, until := until, known_since := known_since,
                  known_until := known_until, cost_weight := cost_weight,
                  latency_weight := latency_weight))
from efficiency_of('plans_worth');

-- The efficiency of each bucket of time by what is known now: every bucket is measured on the same
-- requests and by the same estimates, so that only the way of answering moves the score.
create macro efficiency_curve_of(worth, served_rows, every := interval 1 day) as table
with w as materialized (
  from query_table(worth)
  qualify bool_or(best) over (partition by pattern, kind)
      and bool_or(cheapest) over (partition by pattern, kind)),
served as (
  select time_bucket(every, ts) as bucket, pattern, kind, plan, count(*) as n
  from query_table(served_rows) group by all),
buckets as (select bucket, sum(n)::bigint as n from served group by bucket),
overall as (
  select bucket, plan, sum(n) / sum(sum(n)) over (partition by bucket) as share
  from served where plan in (select plan from w where reach >= 0.8) group by bucket, plan),
mixed as (
  select bucket, b.n as bucket_n, weight, utility, best, cheapest, half,
         case when sum(coalesce(s.n, 0)) over of_group > 0
              then coalesce(s.n, 0) / sum(coalesce(s.n, 0)) over of_group
              else coalesce(o.share, 0) end as share
  from buckets b cross join w left join served s using (bucket, pattern, kind, plan)
  left join overall o using (bucket, plan)
  window of_group as (partition by bucket, pattern, kind)),
sums as (
  select bucket, any_value(bucket_n) as n, sum(weight * share * utility) as now,
         sum(weight * utility) filter (cheapest) as bottom, sum(weight * utility) filter (best) as top,
         sum(weight) filter (best) as known
  from mixed group by bucket)
select bucket, n, 100 * least(greatest((now - bottom) / (top - bottom), 0), 1) as score,
       now / known as utility_now, bottom / known as utility_cheapest, top / known as utility_best
from sums where known >= 0.5 and (top - bottom) / known >= 0.005 order by bucket;
create macro efficiency_curve(
  every := interval 1 day, since := timestamp '1970-01-01', until := timestamp '9999-01-01',
  known_since := timestamp '1970-01-01', known_until := timestamp '9999-01-01',
  cost_weight := 0.1, latency_weight := 0.05
) as table
with known_part as materialized (from worth_rows(since := known_since, until := known_until)),
served_part as (from worth_rows(since := since, until := until)),
plans_worth as materialized (
  from plan_worth_of(
    'known_part', 'known_part', cost_weight := cost_weight, latency_weight := latency_weight))
from efficiency_curve_of('plans_worth', 'served_part', every := every);

-- What could be better. `gain` is the utility that a request would gain on average, `ms` and `usd_per_1k`
-- what it would take and cost more; all three over all requests, null if rows do not tell. `subject`
-- and `other` are plans, or the pattern or kind and a plan.
create macro self_issues_of(
  worth, served_rows,
  since := timestamp '1970-01-01', until := timestamp '9999-01-01', epsilon := 0.01
) as table
with w as (from query_table(worth)),
shares as (select plan, sum(weight * share) as served from w group by plan),
-- Two plans of the same quality: on all requests they differ by no more than noise, and so much is judged
-- that they most likely differ by no more than 0.2 on any group. The other costs less or is quicker, and
-- could stand for the subject.
pairs as (
  select a.plan as this_plan, b.plan as other_plan, sum(a.weight) as covered,
         sum(a.weight * (a.quality - b.quality)) / sum(a.weight) as differs,
         sqrt(sum(pow(a.weight, 2) * (pow(a.half, 2) + pow(b.half, 2)))) / sum(a.weight) as half,
         max(abs(a.quality - b.quality) + 0.84 * sqrt(pow(a.half, 2) + pow(b.half, 2))) as worst,
         1.96 * 1.96 * avg(pow(a.quality - b.quality, 2) / (pow(a.half, 2) + pow(b.half, 2))) as scatter,
         sum(a.weight * (b.utility - b.quality - a.utility + a.quality)) / sum(a.weight) as saves,
         sum(a.weight * (a.usd_per_1k - b.usd_per_1k)) / sum(a.weight) as usd,
         sum(a.weight * (a.ms - b.ms)) / sum(a.weight) as ms, least(sum(a.judged), sum(b.judged)) as judged
  from w a join w b on a.pattern = b.pattern and a.kind = b.kind and a.plan <> b.plan
  where a.judged >= 20 and b.judged >= 20 group by all),
doubles as (
  select 'double' as issue, this_plan as subject, other_plan as other, (saves - differs) * served as gain,
         half * served as half, -ms * served as ms, -usd * served as usd_per_1k, judged
  from pairs join shares on shares.plan = this_plan
  where covered >= 0.9 and abs(differs) <= half and half <= 6 * epsilon and worst <= 0.2 and scatter < 1.5
    and saves > 0),
-- Plans that growth made and that nobody can approve: they answer already, or went.
settled as (
  select subject from events where kind = 'growth' group by subject
  having arg_max(state, ts) not in ('made', 'waiting', 'approved', 'audited')),
better as (
  select 'specialist' as issue, coalesce(nullif(pattern, ''), nullif(kind, ''), 'any kind') as subject,
         tops.plan as other, weight * sum(w.share * (tops.utility - w.utility)) as gain,
         weight * sqrt(sum(pow(w.share * w.half, 2)) filter (w.plan <> tops.plan)
                       + pow(any_value(tops.half) * sum(w.share) filter (w.plan <> tops.plan), 2)) as half,
         weight * sum(w.share * (tops.ms - w.ms)) as ms,
         weight * sum(w.share * (tops.usd_per_1k - w.usd_per_1k)) as usd_per_1k,
         any_value(tops.judged) as judged,
         sum(w.share) filter (w.plan = tops.plan) as served
  from w join (from w where best) tops using (pattern, kind, weight)
  group by pattern, kind, tops.plan, weight),
untried as (
  select 'untried pattern' as issue, pattern as subject, '' as other, null::double as gain,
         null::double as half, null::double as ms, null::double as usd_per_1k, sum(judged) as judged
  from w where pattern <> '' and weight >= 0.01
  group by pattern
  having sum(judged) >= 20 and max(quality) filter (best) < 0.9
     and sum(judged) filter (reach < 0.8) is null),
steps as (
  select request_id, plan, step, role, latency_ms, cost_usd,
         regexp_matches(role, '(critic([.]\d+)?|judge|validator)$') as checks
  from attempts where ts >= since and ts < until and role is not null and plan is not null),
followed as (
  select request_id, max(step) filter (not checks) as last from steps group by request_id),
idle_checks as (
  select 'idle check' as issue, plan as subject, regexp_replace(role, '[.]\d+$', '') as other, 0.0 as gain,
         3.0 / count(distinct request_id) as half,
         -sum(latency_ms) / (select count(*) from query_table(served_rows)) as ms,
         -1000 * sum(cost_usd) / (select count(*) from query_table(served_rows)) as usd_per_1k,
         count(distinct request_id) as judged
  from steps join followed using (request_id) where checks
  group by plan, regexp_replace(role, '[.]\d+$', '')
  having count(distinct request_id) >= 100 and count(*) filter (last > step) = 0),
committees as (
  select distinct plan from steps where regexp_matches(role, '(^|[.])committee[.]')),
slow as (
  select 'slow committee' as issue, c.plan as subject, b.plan as other,
         sum(c.weight * c.share * (b.utility - c.utility)) as gain,
         sqrt(sum(pow(c.weight * c.share, 2) * (pow(b.half, 2) + pow(c.half, 2)))) as half,
         sum(c.weight * c.share * (b.ms - c.ms)) as ms,
         sum(c.weight * c.share * (b.usd_per_1k - c.usd_per_1k)) as usd_per_1k, sum(c.judged) as judged
  from w c join w b using (pattern, kind)
  where c.plan in (from committees) and b.plan not in (from committees)
    and c.judged >= 20 and b.judged >= 20 and c.share > 0
  group by c.plan, b.plan
  qualify row_number() over (partition by c.plan order by gain desc, b.plan) = 1)
select * from (
  from doubles
  union all select * exclude (served) from better
            where gain > 1.5 * half and gain > 0.0005 and coalesce(served, 0) < 0.5
              and other not in (from settled)
  union all from untried
  union all from idle_checks
  union all from slow where gain > 1.5 * half and ms < 0)
order by gain desc nulls last, usd_per_1k, issue, subject, other;
create macro self_issues(
  since := timestamp '1970-01-01', until := timestamp '9999-01-01',
  known_since := timestamp '1970-01-01', known_until := timestamp '9999-01-01', epsilon := 0.01,
  cost_weight := 0.1, latency_weight := 0.05
) as table
with known_part as materialized (from worth_rows(since := known_since, until := known_until)),
served_part as materialized (from worth_rows(since := since, until := until)),
plans_worth as materialized (
  from plan_worth_of(
    'known_part', 'served_part', cost_weight := cost_weight, latency_weight := latency_weight))
from self_issues_of('plans_worth', 'served_part', since := since, until := until, epsilon := epsilon);
