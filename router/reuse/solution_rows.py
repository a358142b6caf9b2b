"""The tables of solutions, and the conversion between a `Solution` and its row."""

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from router.reuse.solution import Solution

SCHEMA = """
create table if not exists solutions (
  id integer primary key autoincrement, scope text not null, space blob not null,
  exact blob not null, kind text not null, request text not null, answer text not null,
  program text not null, spec text not null, seed integer not null, vector blob not null,
  encoder text not null, state text not null, proof text not null, parent integer not null,
  change text not null, plan text not null,
  form text not null default '', backend text not null, model text not null,
  policy_version text not null, cost_usd real not null, seconds real not null,
  created real not null, expires real not null, request_id text not null,
  uses integer not null, successes real not null, failures real not null,
  last_used real not null, reviewed text not null);
create index if not exists by_exact on solutions (exact);
create index if not exists by_space on solutions (space, id) where state = 'proven';
create index if not exists by_rated on solutions (id) where state = 'rated';
create index if not exists by_request on solutions (request_id);
create index if not exists by_parent on solutions (parent) where parent > 0;
create index if not exists by_plan on solutions (plan) where state <> 'quarantined';
create index if not exists by_expiry on solutions (expires);
create table if not exists journal (
  seq integer primary key autoincrement, solution integer not null, space blob not null,
  what text not null);
create table if not exists served (
  request_id text primary key, solution integer not null, at real not null) without rowid;
create index if not exists by_served on served (solution);
"""
# A step for files that were written before plans had prompts and parameters.
ADD_FORM = "alter table solutions add column form text not null default ''"
_COLUMNS = [f.name for f in fields(Solution) if f.name != "id"]
INSERT = f"insert into solutions ({', '.join(_COLUMNS)}) values ({', '.join('?' * len(_COLUMNS))})"
SELECT = f"select id, {', '.join(_COLUMNS)} from solutions"
_SPEC = 1 + _COLUMNS.index("spec")
_COST = 1 + _COLUMNS.index("cost_usd")
_UNKNOWN = -1.0  # an unknown cost in a row, whose column holds no null


def row_of(solution: Solution) -> list[Any]:
    """The values of a solution for the statement `INSERT`."""
    values = [
        json.dumps(solution.spec) if name == "spec" else getattr(solution, name)
        for name in _COLUMNS
    ]
    if solution.cost_usd is None:
        values[_COST - 1] = _UNKNOWN
    return values


def solution_of(row: Sequence[Any]) -> Solution:
    """The solution in a row that the statement `SELECT` returned."""
    values = list(row)
    values[_SPEC] = json.loads(values[_SPEC])
    values[_COST] = None if values[_COST] == _UNKNOWN else values[_COST]
    return Solution(id=values[0], **dict(zip(_COLUMNS, values[1:], strict=True)))
