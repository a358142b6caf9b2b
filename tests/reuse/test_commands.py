"""`waggle solutions ...`, as a person types it."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.reuse.solution_store import ReuseCheck, SolutionStore
from tests.reuse.soak import solution

SPEC = {"kind": "generate", "count": 5, "fields": [{"name": "age", "role": "number"}]}


@pytest.fixture
def waggle(tmp_path):
    """The command on a folder in which three things were solved, one from another."""
    store = SolutionStore(tmp_path / "solutions")
    program = replace(
        solution("five ages"),
        kind="program",
        program="result = {'age': [1, 2, 3, 4, 5]}\n",
        spec=SPEC,
        proof="verified: 2 checks",
        reviewed="passed: 2 of 2 variations held",
    )
    store.add([program, solution("Why do bees dance?")])
    store.add(
        [replace(program, exact=b"x", request="six ages", parent=1, change="1 number changed")]
    )
    store.add_checks([ReuseCheck("same:3", b"", False, 1.0, 1.0, 2)])
    store.close()

    def run(*args: str):
        found = CliRunner().invoke(app, ["solutions", *args, "--data", str(tmp_path)])
        return found.exit_code, " ".join(found.output.split())

    return run


def test_solutions_are_listed_and_searched(waggle):
    code, told = waggle("search", "all")
    assert code == 0
    assert "five ages" in told
    assert "Why do bees dance?" in told
    code, told = waggle("search", "bees", "--programs")
    assert "No solution matches" in told


def test_one_is_shown_with_its_program_and_where_it_came_from(waggle):
    code, told = waggle("show", "3")
    assert code == 0
    assert "adapted from 1: 1 number changed" in told
    assert "result = {'age': [1, 2, 3, 4, 5]}" in told
    assert "passed: 2 of 2 variations held" in told
    code, told = waggle("show", "77")
    assert (code, "there is no solution 77" in told) == (2, True)


def test_its_line_is_drawn_from_the_first(waggle):
    _, told = waggle("lineage", "3")
    assert told.index("five ages") < told.index("six ages")


def test_programs_are_exported_as_files_that_run(waggle, tmp_path):
    code, told = waggle("export", str(tmp_path / "out"))
    assert (code, "2 programs" in told) == (0, True)
    (first, second) = json.loads((tmp_path / "out" / "index.json").read_text())
    assert (first["id"], second["parent"]) == (1, 1)
    names: dict = {}
    exec((tmp_path / "out" / first["file"]).read_text(), names)
    assert names["result"] == {"age": [1, 2, 3, 4, 5]}


def test_index_and_store_are_proven_to_agree(waggle):
    code, told = waggle("verify")
    assert code == 0
    assert "3 proven" in told


def test_how_far_each_likeness_is_trusted_is_told(waggle):
    _, told = waggle("status")
    assert "same:3 1 0" in told
    assert "Budget: 1.0% of reused answers may be wrong" in told


def test_what_is_forgotten_is_gone_with_what_came_of_it(waggle):
    code, told = waggle("forget", "1")
    assert (code, "2 solutions are gone" in told) == (0, True)
    assert waggle("show", "3")[0] == 2
    assert waggle("forget")[0] == 2


def test_why_two_requests_are_two_is_said(tmp_path):
    told = CliRunner().invoke(app, ["solutions", "why", "5 miles in km?", "8 miles in km?"])
    assert "numbers differ: 5 is not 8" in told.output


def test_without_solutions_the_way_to_get_some_is_named(tmp_path):
    told = CliRunner().invoke(app, ["solutions", "search", "all", "--data", str(tmp_path)])
    assert told.exit_code == 1
    assert "reuse: {mode: similar}" in " ".join(told.output.split())
