"""A check scores an answer by what it says; each check can say no."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.evaluation.checks import CHECKS, Figure, agree, numbers_in
from router.evaluation.questions import fingerprint, questions_in
from router.outcomes.files import UnreadableTable

SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}


@pytest.mark.parametrize(
    ("check", "expected", "text", "score"),
    [
        ("exact", "Paris", " paris. ", 1),
        ("exact", "Paris", "Paris, France", 0),
        ("exact", 72, "72", 1),
        ("contains", "Paris", "It is PARIS, of course", 1),
        ("contains", "no", "I do not know", 0),
        ("contains", "C++ (11)", "Use C++ (11) here", 1),
        ("number", 72, "6 * 12 = 72", 1),
        ("number", 72.0, "The answer is **72**.", 1),
        ("number", "#### 1,200", "So she has $1,200.00 left.", 1),
        ("number", 72, "72 is half of 144", 0),
        ("number", 3.14, "pi is 3.14159", 1),
        ("number", 3.14, "pi is 3.2", 0),
        ("number", -4, "x = -4", 1),
        ("number", 4, "x = -4", 0),
        ("number", 15, "from 10-15", 1),
        ("number", 5, "none", 0),
        ("number", "no number", "5", None),
        ("json", None, '{"a": 1}', 1),
        ("json", None, "a", 0),
        ("schema", SCHEMA, '{"age": 3}', 1),
        ("schema", SCHEMA, '{"age": "three"}', 0),
        ("schema", {"type": "string", "age": "int"}, '{"type": "a", "age": 3}', 1),
        ("schema", '{"age": "int 18..90"}', '{"age": 3}', 0),
        ("regex", "^[0-9]+$", "12", 1),
        ("regex", "^[0-9]+$", "12a", 0),
        ("regex", "(a+)+$", "a" * 5000 + "b", None),
        ("computed", '{"mean": 5.6667, "count": 3}', "The mean of the 3 is 5.6667", 1),
        ("computed", '{"mean": 5.6667, "count": 3}', "The mean is 5.7, of 3 values", 0.5),
        ("computed", "yes", "Yes, it is", 1),
    ],
)
def test_an_answer_is_scored_by_what_it_says(check, expected, text, score):
    judgement = CHECKS[check].score(text, expected, {})
    assert (None if judgement is None else judgement.score) == score


def test_the_shape_in_the_prompt_is_the_schema_if_no_other_is_expected():
    fields = {"messages": [{"role": "user", "content": 'One: {"age": "int 18..90"}'}]}
    score = CHECKS["schema"].score
    assert score('{"age": 30}', None, fields).score == 1
    assert score('{"age": 3}', None, fields).score == 0
    assert score('{"age": 3}', None, {"messages": []}) is None


@given(st.floats(-1e9, 1e9).map(lambda value: round(value, 3)))
def test_a_number_agrees_with_itself_however_it_is_written(value):
    for text in (repr(value), f"{value:,.3f}", f"so {value:.3f}."):
        (figure,) = numbers_in(text)
        assert agree(figure, Figure(value, 3))


@given(st.text(max_size=300))
def test_any_text_has_some_numbers_or_none(text):
    assert all(figure.decimals >= 0 for figure in numbers_in(text))


ROW = {"prompt": "6 * 12?", "expected": "72"}


def questions(*rows, check="", judged=False):
    return questions_in(rows, "q.jsonl", check=check, judged=judged)


@pytest.mark.parametrize(
    ("rows", "options", "says"),
    [
        ([{"prompt": "x"}], {}, "row 1 has no check: give --judge"),
        ([{"prompt": "x"}], {"check": "exact"}, "needs the expected answer"),
        ([{"prompt": "x", "check": "spelling"}], {}, "no check 'spelling': exact, contains"),
        ([ROW | {"prompt": " "}], {"check": "exact"}, "needs a `prompt`"),
        ([ROW | {"messages": [{"role": "user"}]}], {"check": "exact"}, "a role and a content"),
        ([ROW | {"messages": "["}], {"check": "exact"}, "messages is not JSON"),
        ([ROW | {"id": 1}, ROW | {"id": "1"}], {"check": "exact"}, "row 2: the id '1' stands"),
    ],
)
def test_a_row_that_cannot_be_asked_or_scored_is_refused_with_its_number(rows, options, says):
    with pytest.raises(UnreadableTable) as refused:
        questions(*rows, **options)
    assert says in str(refused.value)


def test_a_row_may_have_a_check_of_its_own_and_a_judge_takes_the_rest():
    rows = [ROW, {"prompt": "Write a poem"}, ROW | {"prompt": "y", "check": "contains"}]
    checks = [q.check and q.check.name for q in questions(*rows, check="number", judged=True)]
    assert checks == ["number", None, "contains"]


def test_other_questions_have_another_fingerprint():
    first = questions(ROW, check="number")
    assert fingerprint(first) == fingerprint(questions(ROW, check="exact"))
    assert fingerprint(first) != fingerprint(questions(ROW | {"prompt": "7?"}, check="number"))
