-- The part that the macros about other policies share: from `drawn` (the requests to learn from) and
-- `goals` (policy, place, goal: the share of each plan) to the estimates. `learner/offpolicy.py`
-- computes the same, and says why; a test compares both.
rewards as materialized (
  select place, place % 5 as fold, kind, plan, propensity, unnest([
      {'measure': 'quality', 'reward': quality},
      {'measure': 'cost_usd', 'reward': cost_usd},
      {'measure': 'latency_ms', 'reward': latency_ms},
      {'measure': 'utility',
       'reward': utility(quality, cost_usd, latency_ms, cost_weight, latency_weight)}
    ], recursive := true)
  from drawn),
ends as (
  select measure, case when measure = 'quality' then 0 else quantile_cont(reward, 0.05) end as least,
         case when measure = 'quality' then 1 else quantile_cont(reward, 0.95) end as most
  from rewards group by measure),
counted as (
  select measure, kind, plan, fold, count(*) as n, count(reward) as n_known,
         coalesce(sum(reward), 0) as total
  from rewards group by all),
plans as (select distinct unnest(map_keys(odds)) as plan from drawn),
cells as (
  select measure, kind, plan, fold, coalesce(n, 0) as n, coalesce(n_known, 0) as n_known,
         coalesce(total, 0) as total
  from (select distinct measure from rewards) cross join (select distinct kind from drawn)
  cross join plans cross join (select unnest(range(5)) as fold)
  left join counted using (measure, kind, plan, fold)),
others as (
  select measure, kind, plan, fold,
         sum(n_known) over of_cell - n_known as n_known, sum(total) over of_cell - total as total,
         sum(n) over of_cell as cell_n, sum(n_known) over of_cell as cell_known,
         sum(n) over of_plan as plan_n, sum(n_known) over of_plan as plan_known,
         sum(n) over of_all as all_n, sum(n_known) over of_all as all_known
  from cells
  window of_cell as (partition by measure, kind, plan), of_plan as (partition by measure, plan),
         of_all as (partition by measure)),
expected as materialized (
  select measure, kind, plan, fold,
         case when cell_n >= 20 then cell_known / cell_n
              else (plan_known + all_known / greatest(all_n, 1)) / (plan_n + 1) end as known,
         sum(total) over of_all / greatest(sum(n_known) over of_all, 1) as overall,
         (sum(total) over of_plan + overall) / (sum(n_known) over of_plan + 1) as of_the_plan,
         (total + 10 * of_the_plan) / (n_known + 10) as mean
  from others
  window of_plan as (partition by measure, fold, plan), of_all as (partition by measure, fold)),
-- What a policy would do with each request: plans that cannot answer it pass their shares on.
wanted as (
  select policy, place, unnest(map_entries(goal), recursive := true) from goals),
usable as (
  select policy, place, key as plan, value::double as share, odds,
         sum(value::double) over (partition by policy, place) as total
  from wanted join drawn using (place)
  where value > 0 and (odds[key] is not null or coalesce(ineligible[key], '') = '')),
chosen as materialized (
  select policy, place, plan, share / total as share, coalesce(odds[plan], 0) as chance from usable
  union all
  select policy, place, unnest(map_keys(odds)), 1 / cardinality(odds), unnest(map_values(odds))
  from (select distinct policy, place from goals) join drawn using (place)
  where (policy, place) not in (select (policy, place) from usable)),
terms as (
  select policy, r.measure as measure, r.place as place,
         any_value(r.reward) as reward,
         coalesce(sum(share / (propensity * known))
                  filter (c.plan = r.plan and reward is not null), 0) as w,
         coalesce(any_value(mean) filter (c.plan = r.plan), 0) as own,
         coalesce(sum(share * mean), 0) as under,
         coalesce(sum(share * share / (chance * known))
                  filter (chance * known > 0), 0) as squares,
         coalesce(sum(share) filter (coalesce(chance * known, 0) = 0), 0) as uncovered
  from chosen c join rewards r using (place)
  left join expected e on e.measure = r.measure and e.kind = r.kind and e.fold = r.fold
                      and e.plan = c.plan
  group by policy, r.measure, r.place),
moments as (
  select policy, measure, e.kind as estimator, count(*) as n, count(reward) as judged,
         sum(w) as w, sum(w * w) as ww, avg(squares) as squares, avg(uncovered) as uncovered,
         avg(e.base) as base, var_pop(e.base) * count(*) as bb,
         sum(e.base * w * e.left_over) as bwe, sum(e.base * w) as bw,
         sum(w * e.left_over) as we, sum(w * e.left_over * e.left_over) as wee,
         sum(w * w * e.left_over) as wwe, sum(w * w * e.left_over * e.left_over) as wwee
  from (select *, unnest([
          {'kind': 'ips', 'base': 0.0, 'left_over': coalesce(reward, 0)},
          {'kind': 'snips', 'base': 0.0, 'left_over': coalesce(reward, 0)},
          {'kind': 'dr', 'base': under, 'left_over': coalesce(reward - own, 0)}]) as e
        from terms)
  group by policy, measure, e.kind),
-- `added` is the weight of the row that is added at each end of the range of rewards.
sized as (
  select m.*, estimator = 'ips' as plain, least - base as low_end, most - base as high_end,
         case when ww > 0 then least(w * w / ww, n / nullif(squares, 0)) else 0 end as ess,
         case when plain then n else w end / nullif(ess, 0) as added
  from moments m join ends using (measure)),
corrected as (
  select *, case when plain then we / n
                 else (we + added * (low_end + high_end)) / (w + 2 * added) end as c,
         case when plain then 1 else n / (w + 2 * added) end as scale
  from sized),
spread as (
  select *,
         case when plain then wwee - we * we / n
              else bb + 2 * scale * (bwe - base * we - c * (bw - base * w))
                + scale * scale * (wwee - 2 * c * wwe + c * c * ww - pow(we - c * w, 2) / n)
              end / (n * n) as drawn,
         case when plain then 0 else (wee - 2 * c * we + c * c * w) / w / ess end as promised,
         pow(scale * added / n, 2) * (pow(low_end - c, 2) + pow(high_end - c, 2)) as beside
  from corrected),
intervals as (
  select policy, measure, estimator, n, judged, ess, uncovered,
         case when plain then c else base + we / nullif(w, 0) end as value, base + c as centre,
         student(ess) * sqrt(greatest(drawn, promised, 0) + beside) as half
  from spread),
told as (
  select *, case
      when uncovered > 0.005
        then printf('the log is silent about %.1f%% of its choices', 100 * uncovered)
      when coalesce(ess, 0) < 30
        then printf('the log is worth %.1f of its answers, and 30 are needed', coalesce(ess, 0.0))
    end as refused
  from intervals)
select policy, measure, any_value(n)::bigint as n, any_value(judged)::bigint as judged,
       any_value(value) filter (estimator = 'ips' and refused is null) as ips,
       any_value(centre - half) filter (estimator = 'ips' and refused is null) as ips_low,
       any_value(centre + half) filter (estimator = 'ips' and refused is null) as ips_high,
       any_value(value) filter (estimator = 'snips' and refused is null) as snips,
       any_value(centre - half) filter (estimator = 'snips' and refused is null) as snips_low,
       any_value(centre + half) filter (estimator = 'snips' and refused is null) as snips_high,
       any_value(value) filter (estimator = 'dr' and refused is null) as dr,
       any_value(centre - half) filter (estimator = 'dr' and refused is null) as dr_low,
       any_value(centre + half) filter (estimator = 'dr' and refused is null) as dr_high,
       coalesce(any_value(ess), 0) as ess, any_value(refused) as refused
from told group by policy, measure
