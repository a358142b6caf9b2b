-- The figures of `waggle solutions report`, over the tables `solutions`, `served` and `library`.
-- `waggle solutions report --rows VIEW` prints the rows of a view.

-- A program with the first of its line, and its version: how many different programs of the line are
-- as old as it. A fork is a further program made from the same parent. Words that were adapted are no
-- lines of programs; a program that is kept again for other words is no new version.
create temp view program_lines as
with recursive line (id, root, depth, version_of) as (
  select id, id, 0, 1 from solutions s
  where kind = 'program'
    and not exists (select 1 from solutions p where p.id = s.parent and p.kind = 'program')
  union all
  select s.id, line.root, line.depth + (s.program <> p.program), s.program <> p.program
  from solutions s join line on s.parent = line.id join solutions p on p.id = line.id
  where s.kind = 'program')
select line.id, root, sum(version_of) over (partition by root order by line.id) as version, depth,
       case when line.id <> root then parent end as parent, change,
       version_of and line.id <> root and line.id > min(line.id) filter (where version_of)
         over (partition by root, parent) as fork,
       (select count(*) from solutions c where c.parent = line.id and c.kind = 'program')
         as children
from line join solutions s on s.id = line.id;

-- Each key that used a program; `nth`: it was the program's nth key. Keys are hashed.
create temp view program_adoption as
select solution as id, by as key, datetime(at, 'unixepoch') as at,
       row_number() over (partition by solution order by seq) as nth
from library where what = 'adopted' order by seq;

create temp view program_stars as
select solution as id, by as request_id, datetime(at, 'unixepoch') as at,
       round(5 * cast(verdict as real), 2) as stars
from library where what = 'starred' order by seq;

create temp view program_reviews as
select nullif(solution, 0) as id, datetime(at, 'unixepoch') as at, by as reviewer, verdict,
       detail as reason
from library where what = 'reviewed' order by seq;

create temp view program_failures as
select solution as id, datetime(at, 'unixepoch') as at, detail as reason
from library where what = 'failed' order by seq;

-- Programs as authors wrote them, and whether they succeeded: `unknown` if nothing could say. `shown`:
-- whether the author saw the standards in force, which was drawn with this propensity.
create temp view program_drafts as
select datetime(at, 'unixepoch') as at, json_extract(detail, '$.request_id') as request_id,
       by as author, json_extract(detail, '$.turn') as turn, verdict,
       json_extract(detail, '$.level') as level, json_extract(detail, '$.traits') as traits,
       json_extract(detail, '$.standards') as standards, json_extract(detail, '$.shown') as shown,
       json_extract(detail, '$.propensity') as propensity
from library where what = 'drafted' order by seq;

-- Each text of the standards; one without a text came into force when the one before was withdrawn
-- because the requests that saw it did worse, or had no more evidence.
create temp view program_standards as
select datetime(at, 'unixepoch') as at, verdict as version, detail as text,
       nullif(by, '') as withdrew
from library where what = 'standards' order by seq;

-- `success`: of the times it was run for another request, the share in which its answer held.
create temp view programs as
with counts as (
  select solution as id, sum(what = 'adopted') as keys, sum(what = 'failed') as failed,
         sum(what = 'starred') as rated,
         5 * avg(case when what = 'starred' then cast(verdict as real) end) as stars
  from library group by solution)
select id, root, version, depth, fork, children, state, request, model as author, proof, reviewed,
       datetime(created, 'unixepoch') as made, uses, coalesce(keys, 0) as keys,
       coalesce(failed, 0) as failed,
       round(uses * 1.0 / nullif(uses + coalesce(failed, 0), 0), 4) as success,
       coalesce(rated, 0) as rated, round(stars, 2) as stars
from program_lines join solutions using (id) left join counts using (id)
order by keys desc, uses desc, id;

-- By week, which begins on a Monday: what was made, how it fared, and how callers rated it.
create temp view program_weeks as
with happened (at, made, accepted, reviewed, held, failed, stars) as (
  select created, 1, null, null, null, null, null from solutions where kind = 'program'
  union all
  select at, null, verdict = 'accept', 1, null, null, null from library where what = 'reviewed'
  union all
  select v.at, null, null, null, 1, null, null
  from served v join solutions s on s.id = v.solution
  where s.kind = 'program' and s.request_id <> v.request_id
  union all
  select at, null, null, null, null, 1, null from library where what = 'failed'
  union all
  select at, null, null, null, null, null, 5 * cast(verdict as real)
  from library where what = 'starred')
select date(at, 'unixepoch', 'weekday 0', '-6 days') as week, coalesce(sum(made), 0) as made,
       coalesce(sum(reviewed), 0) as reviews,
       round(sum(accepted) * 1.0 / sum(reviewed), 4) as accepted,
       coalesce(sum(held), 0) as uses,
       round(coalesce(sum(held), 0) * 1.0
             / nullif(coalesce(sum(held), 0) + coalesce(sum(failed), 0), 0), 4) as success,
       count(stars) as rated, round(avg(stars), 2) as stars
from happened group by week order by week;

-- Programs that spread: three keys use them, or three programs descend from them.
create temp view program_breakthroughs as
with recursive below (id, under) as (
  select parent, id from program_lines where parent is not null
  union select below.id, l.id from below join program_lines l on l.parent = below.under),
heirs as (select id, count(*) as heirs from below group by id),
spread as (
  select solution as id, min(at) as first,
         max(case when nth <= 3 then at end) as third, max(at) as last
  from (select solution, at, row_number() over (partition by solution order by seq) as nth
        from library where what = 'adopted')
  group by solution)
select p.id, p.root, p.version, p.request, p.state, p.keys, coalesce(heirs, 0) as heirs, p.uses,
       round(p.uses * 1.0 / nullif(sum(p.uses) over (partition by p.root), 0), 4)
         as share_of_line,
       case when p.keys >= 3 then round((third - s.created) / 3600, 1) end as hours_to_third_key,
       round((last - s.created) / 86400, 1) as days_to_last_key
from programs p join solutions s on s.id = p.id
left join heirs on heirs.id = p.id left join spread on spread.id = p.id
where p.keys >= 3 or heirs >= 3
order by p.keys desc, heirs desc, p.id;
