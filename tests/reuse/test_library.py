"""The library of programs: versions and forks, who uses them, how callers rate them."""

import json
import sqlite3
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.reuse.lifecycle import Rating, Use
from router.reuse.programs.figures import LibraryReader
from router.reuse.programs.lines import LibraryLine
from router.reuse.solution_store import FILE, SolutionStore
from tests.reuse.soak import solution

MONDAY = 1_795_392_000.0  # 2026-11-23
HOUR = 3_600.0


def program(text: str, **more):
    return replace(solution(text), **{"kind": "program", "created": MONDAY, "program": text} | more)


@pytest.fixture
def store(tmp_path):
    """A line of programs: 1 became 2 and 3; 3 became 4; and 5 is a line of its own."""
    store = SolutionStore(tmp_path / "solutions")
    store.add([program("five ages", request_id="r1")])
    store.add([program("six ages", parent=1), program("five salaries", parent=1)])
    store.add([program("six salaries", parent=3)])
    store.add([program("a loan"), solution("Why do bees dance?")])
    yield store
    store.close()


@pytest.fixture
def rows(store, tmp_path):
    def rows(view: str):
        reader = LibraryReader(tmp_path / "solutions" / FILE)
        try:
            return reader.rows(view)
        finally:
            reader.close()

    return rows


def test_versions_count_within_a_line_and_a_second_child_is_a_fork(rows):
    lines = {row["id"]: row for row in rows("program_lines")}
    shape = {id_: (row["root"], row["version"], row["depth"]) for id_, row in lines.items()}
    assert shape == {1: (1, 1, 0), 2: (1, 2, 1), 3: (1, 3, 1), 4: (1, 4, 2), 5: (5, 1, 0)}
    assert [id_ for id_, row in lines.items() if row["fork"]] == [3]
    assert lines[1]["children"] == 2


def test_a_program_that_is_kept_for_other_words_is_no_new_version(store, rows):
    store.add([program("hi, a loan", parent=5, program="a loan")])
    lines = {row["id"]: row for row in rows("program_lines")}
    assert [(lines[n]["version"], lines[n]["depth"], lines[n]["fork"]) for n in (5, 7)] == [
        (1, 0, 0),
        (1, 0, 0),
    ]


def test_a_key_adopts_a_program_once_however_often_it_uses_it(store, rows):
    keys = ("ana", "ben", "ana", "cem")
    store.add_uses([Use(f"u{n}", 3, MONDAY + n * HOUR, key) for n, key in enumerate(keys)])
    store.add_uses([Use("u9", 6, MONDAY, "ana")])  # words are no program
    (first, *_) = rows("programs")
    assert (first["id"], first["uses"], first["keys"]) == (3, 4, 3)
    assert [row["nth"] for row in rows("program_adoption")] == [1, 2, 3]
    assert "ana" not in str(rows("program_adoption"))
    by_keys, by_heirs = rows("program_breakthroughs")
    assert (by_keys["id"], by_keys["hours_to_third_key"]) == (3, 3.0)
    assert (by_heirs["id"], by_heirs["heirs"]) == (1, 3)


def test_stars_are_the_callers_last_ratings_and_no_judges(store, rows):
    store.add_uses([Use("u1", 5, MONDAY), Use("u2", 5, MONDAY)])
    ratings = [
        Rating("u1", 0.4, 1.0, "app: score", MONDAY),
        Rating("u1", 0.9, 1.0, "app: score", MONDAY + 1),
        Rating("u2", 0.7, 1.0, "app: score", MONDAY),
        Rating("u2", 0.5, 0.5, "judge: helpful", MONDAY),
    ]
    store.judge(ratings, expires=4e9)
    stars = {row["id"]: (row["stars"], row["rated"]) for row in rows("programs")}
    assert stars[5] == (4.0, 2)


def test_a_program_that_did_not_hold_for_another_request_loses_success(store, rows):
    store.add_uses([Use(f"u{n}", 1, MONDAY) for n in range(3)])
    store.add_lines([LibraryLine(1, MONDAY + 1, "failed", detail="not_verified")])
    success = {row["id"]: row["success"] for row in rows("programs")}
    assert (success[1], success[2]) == (0.75, None)
    (week,) = rows("program_weeks")
    assert (week["week"], week["uses"], week["success"]) == ("2026-11-23", 3, 0.75)


def test_a_superseded_program_keeps_its_origin_and_names_its_better(store, rows):
    store.supersede(4, 2, MONDAY)
    assert [row["state"] for row in rows("programs") if row["id"] == 4] == ["deprecated"]
    assert [row["parent"] for row in rows("program_lines") if row["id"] == 4] == [3]
    with sqlite3.connect(store.path) as con:
        lines = con.execute("select solution, by from library where what = 'superseded'").fetchall()
    assert lines == [(4, "2")]


def test_what_is_forgotten_leaves_no_line(store):
    store.add_uses([Use("u1", 4, MONDAY, "ana")])
    store.add_lines([LibraryLine(1, MONDAY, "reviewed", "quality", "revise", "it types 42")])
    store.forget(ids=[1])
    with sqlite3.connect(store.path) as con:
        assert con.execute("select count(*) from library").fetchone() == (0,)


def test_the_report_names_the_rows_behind_each_table(store, tmp_path):
    def report(*args: str):
        command = ["solutions", "report", *args, "--data", str(tmp_path)]
        result = CliRunner().invoke(app, command)
        return result.exit_code, result.output

    store.add_uses([Use(f"u{n}", 3, MONDAY, f"key {n}") for n in range(4)])
    store.add_uses([Use(f"a{n}", 6, MONDAY) for n in range(2)])  # an answer, which is no program
    code, output = report()
    words = " ".join(output.split())
    assert code == 0
    assert "answers 1 remembered, which answered 2 requests" in words
    assert "5: 5 in use, 0 superseded" in words
    assert "2 lines, 1 forks; at most 4 versions, 2 deep" in words
    assert "4 by 4 keys; 100% held" in words
    assert "--rows program_breakthroughs" in words
    figures = json.loads(report("--json")[1])
    assert figures["popular"][0]["id"] == 3
    assert figures["functions"] == []
    rows = json.loads(report("--json", "--rows", "program_adoption")[1])
    assert len(rows) == 4
    code, output = report("--rows", "nonsense")
    assert (code, "program_weeks" in output) == (2, True)


def test_the_report_shows_whole_names_on_a_narrow_screen(store, tmp_path):
    source, name = tmp_path / "match.py", "requests-about-what-was-ordered"
    source.write_text("def match(request):\n    return 'order' in request['words']\n")
    new = ("routes", "new", name, "--kind", "matcher", "--source", str(source))
    for command in (new, ("solutions", "report")):
        result = CliRunner().invoke(app, [*command, "--data", str(tmp_path)], env={"COLUMNS": "80"})
        assert result.exit_code == 0, result.output
    assert f" {name}@1 " in result.output
