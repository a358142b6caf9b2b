-- Views and macros for analysts and the dashboard. `README.md` in this folder uses each of them.
-- Times are UTC. Macros take `since` and `until`; `since := ago(interval 1 hour)` means the last hour.

create macro utc_now() as (now() at time zone 'UTC');

create macro ago(span) as (now() at time zone 'UTC') - span;

-- A policy that always takes one plan, for `policy_value`.
create macro always(plan) as map {plan: 1.0};

-- The factor of a 95 % interval with so many degrees of freedom: the percentile of Student's t.
create macro student(freedom) as
  1.959964 + 2.372273 / freedom + 2.822553 / (freedom * freedom);

-- Why a request's outcome says nothing about what another policy would have brought; null if it does.
create macro left_out(plan, strategy, operation, tier, checked, status, propensity, odds) as case
  when plan is null then 'refused'
  when operation <> 'chat' then 'no chat'
  when strategy in ('named', 'compared') then 'named by the caller'
  when strategy = 'reuse' or (coalesce(tier, 'novel') <> 'novel' and not coalesce(checked, false))
    then 'answered from memory'
  when strategy in ('sticky', 'moved', 'escalate') then 'stayed with its conversation'
  when strategy in ('computed', 'specialist', 'last_resort') then 'decided by rule'
  when coalesce(status, 0) = 499 then 'left by the caller'
  when propensity is null or propensity <= 0 or odds is null or odds[plan] is null
    then 'without a propensity'
end;

create view signals as
select * exclude (again) from (
  select *, row_number() over (partition by request_id, request_ts, signal_id order by ts, writer, n) as again
  from all_signals)
where again = 1;

-- One row for each request. Signals give a request its quality; without signals the quality is null.
create view requests as
select r.* exclude (v, writer, n)
           replace (case when len(eligible) = len(probabilities)
                    then map(eligible, probabilities) end as probabilities, {features} as features),
       j.quality, j.quality_source, r.v, r.writer, r.n
from all_requests r
left join judged j on j.request_id = r.request_id and j.request_ts = r.ts;

-- One row for each call to a backend.
create view attempts as
select request_id, ts, plan, strategy, kind, unnest(attempts, max_depth := 2)
from all_requests;

-- One row for each run of a guard, also over requests that it refused.
create view guard_runs as
select request_id, ts, key_id, plan, status, unnest(guards, max_depth := 2)
from all_requests where guards is not null;

create view policies as
select policy_version, arg_min(strategy, ts) as strategy, min(ts) as first_used,
       arg_min(settings, ts) as settings
from all_policies group by policy_version;

create view trials as
select trial_id, arg_max(name, ts) as name, arg_max(state, ts) as state, min(ts) as began,
       max(ts) as changed, arg_max(settings, ts) as settings
from all_trials group by trial_id;

create view events as
select event_id, min(ts) as ts, any_value(kind) as kind, any_value(subject) as subject,
       any_value(state) as state, any_value(detail) as detail, list(distinct writer) as seen_by
from all_events group by event_id;

-- Who used which store of knowledge, by day (UTC): how often, and no words. `key` is the name of a key.
create view knowledge_use as
select (detail->>'day')::date as day, subject as store, detail->>'key' as key,
       any_value(detail->>'key_id') as key_id, sum((detail->>'reads')::bigint)::bigint as reads,
       sum((detail->>'writes')::bigint)::bigint as writes
from events where kind = 'knowledge' and state = 'used' group by all order by day desc, store, key;

-- One row for each training run, as it stands; a run that was killed and went on is one run.
create view training_runs as
select detail->>'run' as run_id, any_value(subject) as name, arg_max(state, ts) as state,
       min(ts) as began, max(ts) as changed, any_value(detail->>'data') as data,
       any_value(detail->>'kind') as kind, arg_max(detail->>'model', ts) as model,
       arg_max(detail->>'why', ts) as why,
       cast(arg_max(detail->>'$.metrics.answered', ts) as double) as answered,
       cast(arg_max(detail->>'$.metrics.loss_answered', ts) as double) as loss,
       cast(arg_max(detail->>'$.cpu_seconds', ts) as double) as cpu_seconds,
       arg_max(detail, ts) as detail
from events where kind = 'training' group by detail->>'run';

-- The utility that routing maximises: the quality of an answer less penalties for cost and latency.
create macro utility(quality, cost_usd, latency_ms, cost_weight := 0.1, latency_weight := 0.05) as
  quality - cost_weight * log10(1 + 1000 * cost_usd) - latency_weight * log10(1 + latency_ms / 100);

-- The mean cost of requests, without those whose cost is unknown; null if all are.
create macro mean_usd(cost_usd, n, unpriced) as cost_usd / nullif(n - coalesce(unpriced, 0), 0);

-- The score of the dashboard: (quality * wq) / (cost * wc * latency * wl). Cost is in dollars
-- per 1000 requests and latency in seconds; 1 is added to both, so that a free plan has a finite score.
create macro score(quality, cost_usd, latency_ms, wq := 1.0, wc := 1.0, wl := 1.0) as
  (quality * wq) / ((1 + 1000 * cost_usd) * wc * (1 + latency_ms / 1000) * wl);

-- A percentile from the bins of a rollup. Each bin's bound is the bound before it times the root of two.
create macro binned_quantile(bins, q) as
  list_transform([bins], lambda b: list_transform(
    [list_position(list_transform(b, lambda c, i: list_sum(b[:i]) >= q * list_sum(b) and c > 0), true)],
    lambda i: pow(2, (i - 3 + (q * list_sum(b) - list_sum(b[:i - 1])) / b[i]) / 2.0))[1])[1];

create macro whole_hour(moment) as
  date_trunc('hour', moment + interval 1 hour - interval 1 microsecond);

-- The sums of the rollup between two moments. If `every` is a number of whole hours, whole hours come
-- from the sums by hour; all other time comes from the sums by minute.
create macro sums(every, since, until) as table
select * from hours_parts
where epoch(every) % 3600 = 0 and minute >= whole_hour(since) and minute < date_trunc('hour', until)
union all by name
select * from rollup_parts
where minute >= since and minute < until
  and (epoch(every) % 3600 <> 0 or minute < whole_hour(since)
       or minute >= greatest(date_trunc('hour', until), whole_hour(since)));

-- The same sums, computed from the requests: `every` may be as short as you like, and the quality is up
-- to date. This macro reads every row, so use it for minutes, not for days.
create macro row_sums(every, since, until) as table
select time_bucket(every, ts) as minute, strategy, plan, kind, reuse_tier, 1::bigint as n,
       (error_type is not null)::bigint as errors, coalesce(explored, false)::bigint as explored,
       coalesce(cost_usd, 0) as cost_usd, (cost_usd is null)::bigint as unpriced,
       case when premium_cost_usd is null then 0 else coalesce(cost_usd, 0) end as compared_cost_usd,
       case when cost_usd is null then 0 else coalesce(premium_cost_usd, 0) end as premium_cost_usd,
       coalesce(gen_ai_usage_input_tokens, 0) as input_tokens,
       coalesce(gen_ai_usage_output_tokens, 0) as output_tokens,
       coalesce(latency_ms, 0) as latency_ms, coalesce(overhead_ms, 0) as overhead_ms,
       (quality is not null)::bigint as quality_n, coalesce(quality, 0) as quality,
       coalesce(quality * quality, 0) as quality_squared, {bins}
from requests where ts >= since and ts < until and plan is not null;

create macro learning_curve(
  every := interval 5 minute, since := timestamp '1970-01-01', until := timestamp '9999-01-01'
) as table
select time_bucket(every, minute) as bucket, strategy, sum(n)::bigint as n,
       sum(quality) / nullif(sum(quality_n), 0) as quality,
       1.96 * sqrt(greatest(sum(quality_squared) - pow(sum(quality), 2) / nullif(sum(quality_n), 0), 0)
                   / nullif(sum(quality_n) - 1, 0) / nullif(sum(quality_n), 0)) as quality_ci95,
       utility(sum(quality) / nullif(sum(quality_n), 0),
               mean_usd(sum(cost_usd), sum(n), sum(unpriced)),
               sum(latency_ms) / sum(n)) as utility,
       sum(explored) / sum(n) as explored_share,
       1000 * mean_usd(sum(cost_usd), sum(n), sum(unpriced)) as usd_per_1k,
       binned_quantile([{sums}], 0.95) as p95_ms,
       sum(errors) / sum(n) as error_rate,
       sum(quality_n) / sum(n) as judged_share
from sums(every, since, until)
group by all having sum(n) > 0 order by 1, 2;

create macro plan_scores(
  since := timestamp '1970-01-01', until := timestamp '9999-01-01', wq := 1.0, wc := 1.0, wl := 1.0
) as table
select kind, plan, sum(n)::bigint as n, sum(quality_n)::bigint as judged,
       sum(quality) / nullif(sum(quality_n), 0) as quality,
       1000 * mean_usd(sum(cost_usd), sum(n), sum(unpriced)) as usd_per_1k,
       sum(latency_ms) / sum(n) as mean_ms,
       binned_quantile([{sums}], 0.5) as p50_ms,
       binned_quantile([{sums}], 0.95) as p95_ms,
       sum(errors) / sum(n) as error_rate,
       score(sum(quality) / nullif(sum(quality_n), 0),
             mean_usd(sum(cost_usd), sum(n), sum(unpriced)),
             sum(latency_ms) / sum(n), wq, wc, wl) as score,
       sum(n) / sum(sum(n)) over (partition by kind) as traffic_share
from sums(interval 1 hour, since, until)
group by kind, plan having sum(n) > 0 order by kind, score desc nulls last, plan;

create macro kind_winners(min_judged := 30, since := timestamp '1970-01-01') as table
select kind, plan, n, judged, quality, usd_per_1k, score,
       score / nullif(lead(score) over ranked, 0) as times_the_next
from plan_scores(since := since) where judged >= min_judged
window ranked as (partition by kind order by score desc)
qualify row_number() over ranked = 1 order by kind;

-- The money that routing saved. `premium_usd` is the cost of the premium plan with the same tokens.
-- Requests whose cost is unknown, or would be unknown at the premium plan, are left out of the saving;
-- `unpriced` counts those whose own cost is unknown.
-- A random mix of the cheapest and the dearest plan that costs as much as routing has the quality
-- `mix_quality`: routing is worth its effort if `quality` is higher than that.
create macro cost_saved(
  every := interval 1 hour, since := timestamp '1970-01-01', until := timestamp '9999-01-01'
) as table
with r as (
  select * from sums(every, since, until) where strategy not in ('named', 'compared', 'shadow', 'sticky', 'reuse')),
plans as (
  select plan, mean_usd(sum(cost_usd), sum(n), sum(unpriced)) as cost, sum(quality) / nullif(sum(quality_n), 0) as quality
  from r group by plan having sum(n) > 0),
ends as (
  select min(cost) as low, max(cost) as high,
         arg_min(quality, cost) filter (quality is not null and cost is not null) as low_quality,
         arg_max(quality, cost) filter (quality is not null and cost is not null) as high_quality
  from plans),
b as (
  select time_bucket(every, minute) as bucket, sum(n)::bigint as n, sum(cost_usd) as actual_usd,
         sum(unpriced)::bigint as unpriced, sum(compared_cost_usd) as compared_usd,
         sum(premium_cost_usd) as premium_usd, sum(quality) / nullif(sum(quality_n), 0) as quality
  from r group by all having sum(n) > 0)
select bucket, n, actual_usd, premium_usd, premium_usd - compared_usd as saved_usd,
       1 - compared_usd / nullif(premium_usd, 0) as saved_share, quality,
       low_quality + (high_quality - low_quality) * share as mix_quality,
       quality - (low_quality + (high_quality - low_quality) * share) as above_mix,
       (n - unpriced) * (low + (high - low) * (quality - low_quality) / nullif(high_quality - low_quality, 0))
         - actual_usd as saved_against_mix_usd, unpriced
from (select *, least(greatest((mean_usd(actual_usd, n, unpriced) - low) / nullif(high - low, 0), 0), 1) as share
      from b, ends)
order by bucket;

create view reuse_by_tier as
select reuse_tier, sum(n)::bigint as n, sum(n) / sum(sum(n)) over () as share,
       sum(quality) / nullif(sum(quality_n), 0) as quality,
       binned_quantile([{sums}], 0.95) as p95_ms,
       sum(premium_cost_usd - compared_cost_usd) as saved_usd
from hours_parts group by reuse_tier having sum(n) > 0 order by n desc;

-- How often checked remembered answers were wrong, by how similar the two requests were. A check that
-- nothing could judge counts in `not_judged` alone.
create view reuse_checks as
select detail->>'bucket' as bucket, detail->>'by' as judged_by,
       count(*) filter (state in ('wrong', 'right')) as checks,
       count(*) filter (state = 'wrong') as wrong,
       avg((state = 'wrong')::int) filter (state in ('wrong', 'right')) as wrong_share,
       count(*) filter (state = 'could not be judged') as not_judged
from events where kind = 'reuse' group by bucket, judged_by order by checks desc;

-- One row for each trial of each request. If `apart` is true, the trial's other side would have chosen
-- another plan, which `other` names.
create view exposures as
select request_id, ts, kind, strategy, plan, e.trial_id as trial_id, e.unit as unit,
       e.variant as variant, e.chance as chance, e.apart as apart, e.other as other,
       e.trouble as trouble, quality, cost_usd, latency_ms, error_type
from (select *, unnest(exposures) as e from requests where exposures is not null);

-- Each step of each trial, with its numbers at that step. `lift` is the utility that the candidate adds
-- to a request; its bounds hold however often you look at them.
create view trial_history as
select distinct ts, trial_id, name, state, settings->>'candidate' as candidate,
       settings->>'current' as "current", settings->>'opened_by' as opened_by,
       (settings->>'share')::double as share, settings->>'why' as why,
       (settings->'numbers'->>'requests')::bigint as requests,
       (settings->'numbers'->'lift'->>'low')::double as lift_low,
       (settings->'numbers'->'lift'->>'mean')::double as lift,
       (settings->'numbers'->'lift'->>'high')::double as lift_high,
       settings->'numbers'->'guards' as guards,
       (settings->'numbers'->>'split_p')::double as split_p
from all_trials order by ts;

-- The sides of a trial, which is given by name or id. `quality` is the mean over requests on which the
-- sides differed, with an interval that holds however often you look (95% by default); `share` is a
-- side's part of all requests.
create macro trial_results(trial, alpha := 0.05, rho := 0.126) as table
with e as (
  select * from exposures
  where variant <> 'shadow'
    and (trial_id = trial or trial_id in (select t.trial_id from trials t where t.name = trial))),
s as (
  select variant, count(*) as n, count(*) filter (apart) as decided_apart,
         count(quality) filter (apart) as judged, avg(quality) filter (apart) as quality,
         coalesce(var_samp(quality) filter (apart), 0) as v,
         1000 * avg(cost_usd) filter (apart) as usd_per_1k,
         quantile_cont(latency_ms, 0.95) as p95_ms,
         avg((error_type is not null)::int) as error_rate
  from e group by variant)
select variant, n, decided_apart, judged, quality,
       sqrt(v) * sqrt((judged * rho * rho + 1) / nullif(judged * judged * rho * rho, 0)
                      * ln((judged * rho * rho + 1) / (alpha * alpha))) as quality_radius,
       quality - first(quality) over (order by variant desc) as lift,
       usd_per_1k, p95_ms, error_rate, n / sum(n) over () as share
from s order by variant;

-- The requests whose plan was drawn with known chances, and whose outcome says something about it.
-- `left_out` says why any other request is not among them.
create view drawn_requests as
select request_id, ts, coalesce(kind, '') as kind, plan, propensity, probabilities as odds, ineligible,
       case when quality is null and status >= 500 then 0.0 else quality end as quality,
       cost_usd, latency_ms, shadow.named as named, shadow.probabilities as auto
from requests where left_out(plan, strategy, gen_ai_operation_name, reuse_tier, reuse_checked, status,
                             propensity, probabilities) is null;

-- What other policies would have brought. `target` is an expression over the columns of
-- `drawn_requests`: the share of each plan, as a map. No value where the log cannot tell; see `refused`.
create macro policy_value(
  target, since := timestamp '1970-01-01', until := timestamp '9999-01-01',
  cost_weight := 0.1, latency_weight := 0.05
) as table
with drawn as materialized (
  select row_number() over (order by ts, request_id) - 1 as place, *, target as goal
  from drawn_requests where ts >= since and ts < until),
goals as (select 'target' as policy, place, goal from drawn),
{off_policy}
order by measure;

-- The same for every plan, if it had answered everything that it can answer.
create macro off_policy(
  since := timestamp '1970-01-01', until := timestamp '9999-01-01',
  cost_weight := 0.1, latency_weight := 0.05
) as table
with drawn as materialized (
  select row_number() over (order by ts, request_id) - 1 as place, *
  from drawn_requests where ts >= since and ts < until),
goals as (
  select plan as policy, place, always(plan) as goal
  from (select place, unnest(map_keys(odds)) as plan from drawn)),
{off_policy}
order by policy, measure;

-- Each request of a shadow (`objective.start: shadow`): what its caller named, and what `auto` would have
-- chosen. `auto_share` is the chance that `auto` answered it, and `answered_by_auto` whether it did.
-- `expected_usd` and `expected_quality` are what the learner foretold of the choice of `auto`.
create view shadow_requests as
select request_id, ts, coalesce(kind, '') as kind, session, shadow.named as named, plan as served,
       shadow.plan as auto_plan, shadow.named <> shadow.plan as apart, shadow.share as auto_share,
       coalesce(exposures[1].variant = 'candidate', false) as answered_by_auto,
       shadow.probabilities as auto_probabilities, shadow.strategy as auto_strategy,
       shadow.policy_version as auto_policy_version, quality, cost_usd, latency_ms, status,
       case when not list_contains(coalesce(shadow.unpriced, []), shadow.plan)
            then list_filter(expected, lambda e: e.plan = shadow.plan)[1].cost_usd end as expected_usd,
       list_filter(expected, lambda e: e.plan = shadow.plan)[1].quality as expected_quality
from requests where shadow is not null;

-- What `auto` would have brought, beside what the callers named, on the requests of a shadow for which
-- a draw decided who answers. For one look; the figures of `waggle report` hold at every look.
create macro shadow_value(
  since := timestamp '1970-01-01', until := timestamp '9999-01-01',
  cost_weight := 0.1, latency_weight := 0.05
) as table
with drawn as materialized (
  select row_number() over (order by ts, request_id) - 1 as place, *
  from drawn_requests where ts >= since and ts < until and auto is not null),
goals as (
  select 'auto' as policy, place, auto as goal from drawn
  union all select 'named', place, always(named) from drawn),
{off_policy}
order by policy, measure;

create macro drift(recent := interval 15 minute, base := interval 24 hour, until := utc_now()) as table
with w as (
  select plan, kind, minute >= until - recent as is_recent, sum(quality_n) as n,
         sum(quality) as total, sum(quality_squared) as squared
  from rollup_parts where minute >= until - base and minute < until group by all),
m as (
  select plan, kind, is_recent, n, total / nullif(n, 0) as mean,
         greatest(squared - total * total / nullif(n, 0), 0) / nullif(n - 1, 0) as variance from w)
select a.plan, a.kind, a.n::bigint as recent_n, b.n::bigint as base_n, a.mean as recent, b.mean as base,
       (a.mean - b.mean) / nullif(sqrt(a.variance / a.n + b.variance / b.n), 0) as z
from m a join m b on a.plan = b.plan and a.kind is not distinct from b.kind
where a.is_recent and not b.is_recent and a.n > 1 and b.n > 1
order by abs(z) desc nulls last;

-- What each router saw of each backend while calls were made: the calls under way, their usual seconds, and
-- by how many seconds a call took longer than that just then; with what the router's machine had left.
create view resources as
select ts, subject as router, b->>'backend' as backend, (b->>'in_flight')::integer as in_flight,
       (b->>'usual_s')::double as usual_s, (b->>'slower_s')::double as slower_s,
       (detail->>'cpu_free')::double as cpu_free, (detail->>'memory_free_mb')::integer as memory_free_mb
from (select ts, subject, detail, unnest(from_json(detail->'backends', '["json"]')) as b
      from events where kind = 'resources')
order by ts desc, router, backend;

create view feedback_coverage as
with s as (select request_id, request_ts, min(ts) as first_ts from all_signals group by all)
select r.plan, count(*) as n, count(s.request_id) as judged,
       count(s.request_id) / count(*) as coverage, avg(r.quality) as quality,
       median(epoch(s.first_ts - r.ts)) as median_wait_seconds
from requests r left join s on s.request_id = r.request_id and s.request_ts = r.ts
where r.plan is not null group by r.plan order by n desc;

-- What was spent, by each key, each team and each tag: `by_what` is 'key', 'team' or 'tag'. A request with
-- two tags counts in the rows of both, and one without a tag in the row whose name is null. A team's row
-- holds the requests of its own keys, not those of the teams in it. Requests of unknown cost are `unpriced`.
create macro spend(
  every := interval 1 day, since := timestamp '1970-01-01', until := timestamp '9999-01-01'
) as table
with r as (
  select time_bucket(every, ts) as bucket, key_id, team,
         case when len(tags) > 0 then tags else [null] end as tags, cost_usd, error_type,
         coalesce(gen_ai_usage_input_tokens, 0) as input_tokens,
         coalesce(gen_ai_usage_output_tokens, 0) as output_tokens
  from all_requests where ts >= since and ts < until and (plan is not null or cost_usd > 0)),
named as (
  select bucket, 'key' as by_what, key_id as name, cost_usd, error_type, input_tokens, output_tokens from r
  union all
  select bucket, 'team', team, cost_usd, error_type, input_tokens, output_tokens from r
  union all
  select bucket, 'tag', unnest(tags), cost_usd, error_type, input_tokens, output_tokens from r)
select bucket, by_what, name, count(*) as n, sum(coalesce(cost_usd, 0)) as usd,
       count(*) filter (cost_usd is null) as unpriced, sum(input_tokens)::bigint as input_tokens,
       sum(output_tokens)::bigint as output_tokens,
       count(*) filter (error_type is not null) as errors
from named group by all order by bucket, by_what, usd desc, name;

-- What each plan was worth to the requests of each pattern: the mean over the latest answers that were
-- judged.
create macro pattern_plans(
  cost_weight := 0.1, latency_weight := 0.05, latest := 200,
  since := timestamp '1970-01-01', until := timestamp '9999-01-01'
) as table
with r as (
  select pattern, plan, ts, quality, cost_usd, latency_ms,
         utility(quality, coalesce(cost_usd, rate_usd, 0), coalesce(latency_ms, 0), cost_weight,
                 latency_weight) as u
  from requests where pattern is not null and plan is not null and ts >= since and ts < until),
j as (
  select *, row_number() over (partition by pattern, plan order by ts desc) as of_plan
  from r where quality is not null),
p as (
  select pattern, plan, count(*) as judged, avg(quality) as quality, avg(u) as utility,
         1000 * avg(cost_usd) as usd_per_1k, avg(latency_ms) as mean_ms
  from j where of_plan <= latest group by all),
n as (select pattern, plan, count(*) as n, min(ts) as first_ts, max(ts) as last_ts from r group by all)
select n.pattern, n.plan, n.n, coalesce(p.judged, 0) as judged, p.quality, p.usd_per_1k, p.mean_ms,
       p.utility, n.first_ts, n.last_ts
from n left join p using (pattern, plan)
order by n.pattern, p.utility desc nulls last, n.plan;

-- One request, with all of its signals.
create macro explain(id) as table
select r.*, (select list(s order by s.ts) from signals s where s.request_id = id) as signals
from requests r where r.request_id = id;

-- The regret: the quality lost because requests did not always get the best plan for their kind.
create macro regret_curve(
  every := interval 5 minute, since := timestamp '1970-01-01', until := timestamp '9999-01-01',
  min_judged := 5
) as table
with b as materialized (
  select time_bucket(every, minute) as bucket, kind, plan, sum(quality_n) as n, sum(quality) as total
  from sums(every, since, until) group by all),
p as (
  select kind, sum(total) / sum(n) as quality from b
  group by kind, plan having sum(n) >= min_judged),
best as (select kind, max(quality) as best from p group by kind)
select bucket, sum(n)::bigint as judged, sum(n * best - total) as regret,
       sum(sum(n * best - total)) over (order by bucket) as cumulative_regret
from b join best using (kind) group by bucket having sum(n) > 0 order by bucket;
