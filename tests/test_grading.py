"""The grader of blind cases: an answer is right only if it holds everything that was expected."""

import json

import pytest

from experiments.statistics.grading import faults, grade

AGES = {"count": 4, "columns": {"age": {"mean": [30, 40], "min": 18, "max": 90, "integer": True}}}
ROWS = [{"Age": 18}, {"Age": 30}, {"Age": 40}, {"Age": 50}]


@pytest.mark.parametrize(
    ("expect", "answer", "wanted"),
    [
        ({"figures": {"mean": 2.0}}, '{"m": 2.001}', "right"),
        ({"figures": {"mean": 2.0}}, '{"m": 2.1}', "wrong"),
        ({"figures": {"mean": 2.0}, "absolute": 0.2}, '{"m": 2.1}', "right"),
        ({"figures": {"mean": 2.0}, "tolerance": 0.1}, '"It is 2.1 days."', "right"),
        ({"figures": {"a": 1, "b": 5}}, '{"x": 1}', "wrong"),
        ({"figures": {"total": 1200}}, "The total is 1,200 euros", "right"),
        ({"figures": {"holds": True}}, '{"x": true}', "right"),
        ({"figures": {"holds": True}}, '{"x": false}', "wrong"),
        ({"figures": {"p": 1}}, '{"x": true}', "wrong"),
        ({"any_of": [{"figures": {"s": 1.0}}, {"figures": {"s": 1.2}}]}, '{"sd": 1.2}', "right"),
        ({"any_of": [{"figures": {"s": 1.0}}, {"figures": {"s": 1.2}}]}, '{"sd": 1.3}', "wrong"),
        ({"text": ["Thursday", "jueves"]}, '{"weekday": "thursday"}', "right"),
        ({"text": ["no"]}, '{"answer": "normal"}', "wrong"),
        ({"text": ["no"]}, '{"answer": false}', "right"),
        ({"text": ["1466", "24:26"]}, '{"seconds": 1466.0}', "right"),
        ({"data": AGES}, json.dumps(ROWS), "right"),
        ({"data": AGES}, "age\n18\n30\n40\n50\n", "right"),
        ({"data": AGES}, json.dumps({"records": ROWS}), "right"),
        ({"data": AGES}, json.dumps(ROWS[:3]), "wrong"),
        ({"data": AGES}, json.dumps([*ROWS[:3], {"Age": 50.5}]), "wrong"),
        ({"data": AGES}, json.dumps([*ROWS[:3], {"Age": "old"}]), "wrong"),
        ({"data": AGES | {"columns": {"x": {}, "y": {}}}}, json.dumps(ROWS), "wrong"),
        ({"data": {"columns": {"*": {"sorted": "descending"}}}}, "[3, 2, 1]", "right"),
        ({"data": {"columns": {"*": {"sorted": "descending"}}}}, "[3, 2, 4]", "wrong"),
        ({"data": {"columns": {"a": {"shares": {"x": [0.4, 0.6]}}}}}, '{"a": ["x", "y"]}', "right"),
        ({"data": {"columns": {"a": {"values": ["x"]}}}}, '{"a": ["x", "y"]}', "wrong"),
        ({"refuse": "it cannot be"}, '{"x": 1}', "wrong"),
        ({"refuse": "it cannot be"}, None, "right"),
        ({"not_computation": "a poem"}, None, "right"),
        ({"figures": {"mean": 2.0}}, None, "refused"),
    ],
)
def test_an_answer_is_graded_by_all_that_was_expected(expect, answer, wanted):
    assert grade(expect, answer) == wanted


def test_a_correlation_is_measured_between_the_named_columns():
    expect = {"data": {"correlations": [["a", "b", 0.9, 1.0]]}}
    assert faults(expect, json.dumps({"a": [1, 2, 3], "b": [2, 4, 6.1]})) == []
    (fault,) = faults(expect, json.dumps({"a": [1, 2, 3], "b": [6, 4, 2]}))
    assert "correlate by -1.000" in fault
