"""`waggle solutions ...`, as an operator types it."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.reuse.evidence import ReuseCheck, UnjudgedCheck
from router.reuse.solution_store import SolutionStore
from tests.reuse.soak import solution

SPEC = {"kind": "generate", "count": 5, "fields": [{"name": "age", "role": "number"}]}


@pytest.fixture
def waggle(tmp_path):
    """Run `waggle solutions` on three stored solutions, one of them adapted from another."""
    store = SolutionStore(tmp_path / "solutions")
    program = replace(
        solution("five ages"),
        kind="program",
        program="result = {'age': [1, 2, 3, 4, 5]}\n",
        spec=SPEC,
        proof="spec",
        reviewed="passed: 2 of 2 variations held",
    )
    store.add([program, solution("Why do bees dance?")])
    store.add(
        [replace(program, exact=b"x", request="six ages", parent=1, change="1 number changed")]
    )
    right = ReuseCheck("words:3", b"", False, 1.0, 1.0, 2)
    store.add_evidence([right], [UnjudgedCheck("verifier:2")] * 3)
    store.close()

    def run(*args: str):
        result = CliRunner().invoke(app, ["solutions", *args, "--data", str(tmp_path)])
        return result.exit_code, " ".join(result.output.split())

    return run


def test_solutions_are_listed_and_searched(waggle):
    code, output = waggle("search", "all")
    assert code == 0
    assert "five ages" in output
    assert "Why do bees dance?" in output
    code, output = waggle("search", "bees", "--programs")
    assert "No solution matches" in output


def test_a_solution_is_shown_with_its_program_and_its_origin(waggle):
    code, output = waggle("show", "3")
    assert code == 0
    assert "adapted from 1: 1 number changed" in output
    assert "result = {'age': [1, 2, 3, 4, 5]}" in output
    assert "passed: 2 of 2 variations held" in output
    code, output = waggle("show", "77")
    assert (code, "there is no solution 77" in output) == (2, True)


def test_the_lineage_of_a_solution_begins_with_the_first(waggle):
    _, output = waggle("lineage", "3")
    assert output.index("five ages") < output.index("six ages")


def test_programs_are_exported_as_files_that_run(waggle, tmp_path):
    code, output = waggle("export", str(tmp_path / "out"))
    assert (code, "2 programs" in output) == (0, True)
    (first, second) = json.loads((tmp_path / "out" / "index.json").read_text())
    assert (first["id"], second["parent"]) == (1, 1)
    names: dict = {}
    exec((tmp_path / "out" / first["file"]).read_text(), names)
    assert names["result"] == {"age": [1, 2, 3, 4, 5]}


def test_index_and_store_are_proven_to_agree(waggle):
    code, output = waggle("verify")
    assert code == 0
    assert "3 proven" in output


def test_status_shows_how_far_each_likeness_is_trusted(waggle):
    _, output = waggle("status")
    assert "words:3 1 0 0" in output
    assert "Budget: 1.0% of reused answers may be wrong" in output


def test_status_shows_checks_that_nothing_could_judge_and_names_what_could(waggle):
    _, output = waggle("status")
    assert "verifier:2 0 0 3 " in output
    assert "name a backend in `reuse.verifier`" in output


def test_a_forgotten_solution_takes_its_adaptations_with_it(waggle):
    code, output = waggle("forget", "1")
    assert (code, "2 solutions are deleted" in output) == (0, True)
    assert waggle("show", "3")[0] == 2
    assert waggle("forget")[0] == 2


def test_the_reason_why_two_requests_differ_is_named(tmp_path):
    output = CliRunner().invoke(app, ["solutions", "why", "5 miles in km?", "8 miles in km?"])
    assert "numbers differ: 5 is not 8" in output.output


def test_without_solutions_the_refusal_says_how_to_get_some(tmp_path):
    output = CliRunner().invoke(app, ["solutions", "search", "all", "--data", str(tmp_path)])
    assert output.exit_code == 1
    assert "reuse: {mode: similar}" in " ".join(output.output.split())
