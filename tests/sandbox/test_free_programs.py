"""Programs that were written without a spec: what they report of a request, and if they agree."""

import json

import pytest

from sandbox.free.alike import nearly_same
from sandbox.free.answers import NotAnAnswer, read_answer
from sandbox.free.echo import unechoed
from sandbox.free.prose import TemplateRefused, filled
from sandbox.free.quantities import quantities_in
from sandbox.free.verdict import FallenProgram, HeldProgram, held, judged
from sandbox.reading.kind import needs_calculation
from sandbox.spec import Spec
from sandbox.strict_json import read_strictly, schema_of


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,000 users", [{1000}]),
        ("1k users", [{1000, 1}]),
        ("a thousand users", [{1000}]),
        ("12.5% of them", [{12.5, 0.125}]),
        ("$3.2M", [{3_200_000, 3.2}]),
        ("two dice", [{2}]),
        ("half", [{0.5, 50, 2}]),
        ("twenty-five thousand", [{25_000}]),
        ("three hundred and twelve", [{312}]),
        ("1,2,3 and 4", [{1}, {2}, {3}, {4}]),
        ("USD1,250.50", [{1250.5}]),
        ("18/37", [{18, 18 / 37}]),
        ("veinticinco mil, o 1.000", [{1000}, {1, 1000}]),
        ("x1, COVID-19, one of them, R²", []),
    ],
)
def test_numbers_are_read_in_all_their_written_forms(text, values):
    read = [set(quantity.values) for quantity in quantities_in(text)]
    assert read == values or (text.startswith("veinti") and read[-1] == values[-1])


def test_an_exponent_of_any_length_is_a_number():
    (quantity,) = quantities_in("1e" + "1" * 5_000)
    assert quantity.values == (1e300,)


REQUESTS = [
    (
        "Generate 1000 customers with age from a normal distribution with mean 35 and sd 12",
        {"count": 1000, "columns": ["age"], "distribution": "normal", "mean": 35, "sd": 12},
        ["age"],
    ),
    ("What is the mean of 4, 8, 15, 16, 23, 42", {"values": [4, 8, 15, 16, 23, 42]}, ["mean"]),
    (
        "a loan of $200k at 5% for 30 years: monthly payment?",
        {"principal": 200_000, "rate": 0.05, "years": 30, "per_year": 12},
        ["monthly_payment"],
    ),
    (
        "Two servers, 10 customers an hour, each takes 5 minutes: chance that at least 3 wait",
        {"servers": 2, "customers_per_hour": 10, "minutes": 5, "at_least": 3},
        ["probability"],
    ),
]


@pytest.mark.parametrize(("text", "parameters", "names"), REQUESTS)
def test_a_program_that_reports_everything_leaves_nothing_out(text, parameters, names):
    assert unechoed(text, parameters, names) == ()


@pytest.mark.parametrize(("text", "parameters", "names"), REQUESTS)
def test_each_number_that_is_not_reported_is_named(text, parameters, names):
    for key, value in parameters.items():
        if isinstance(value, int | float) and key != "per_year":
            less = {name: other for name, other in parameters.items() if name != key}
            assert unechoed(text, less, names), key


SHARED = (
    *("sorted in descending order", "only even numbers", "one-sided", "plus 10", "as XML"),
    *(
        "no two consecutive values may be equal",
        "with heavy tails",
        "rounded up to the nearest ten",
    ),
    *("half of them women", "and plot a histogram", "one per line", "ids start at 1000"),
    *("in ounces", "ignoring the first two", "with equal variances assumed", "through the origin"),
    *("as a percentage of the total", "and say what it means", "weighted 1, 2, 3", "shuffled"),
    *("sin el valor más pequeño", "ordenados de mayor a menor", "excepto los domingos"),
)


@pytest.mark.parametrize("clause", SHARED)
def test_an_added_clause_that_no_parameter_shows_is_named(clause):
    for text, parameters, names in REQUESTS:
        assert unechoed(f"{text}, {clause}", parameters, names), text


@pytest.mark.parametrize(
    ("clause", "reported"),
    [
        ("sorted in descending order", {"sorted": "descending"}),
        ("at least 7 of them", {"at_least": 7}),
        ("one-sided", {"alternative": "greater"}),
        ("without replacement", {"replacement": False}),
        ("in ounces", {"unit": "ounces"}),
        ('called "Ana B"', {"name": "Ana B"}),
        ("rounded to 2 decimals", {"decimals": 2}),
    ],
)
def test_a_clause_is_echoed_by_a_telling_name(clause, reported):
    text, parameters, names = REQUESTS[1]
    assert unechoed(f"{text}, {clause}", parameters, names)
    assert unechoed(f"{text}, {clause}", {**parameters, **reported}, names) == ()


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("What is the probability of two sixes with 3 dice?", True),
        ("A queue with two servers, 10 arrivals an hour, 5 minutes each: the average wait?", True),
        ("Generate 200 fish with normal lengths", True),
        ("¿Cuánto es el 15% de 80?", True),
        ("how many days between 3 March and 5 May", True),
        ("Draft an email saying the average wait was 12, 15 and 20", False),
        ("Explain what a p-value of 0.05 is", False),
        ("Translate into French: the mean is 12", False),
        ("Write a poem about 7 dice", False),
        ("Write a Python function that computes the mean of 3 numbers", False),
        ("Escribe un poema sobre dos dados", False),
        ("Why do bees dance?", False),
        ("Who won in 1998 and 2002?", False),
        ("Which is prime?\nA. 4\nB. 7\nC. 9\nD. 12\nAnswer:", False),
    ],
)
def test_only_what_needs_a_calculation_goes_to_a_program(text, needs):
    assert needs_calculation(text) is needs


def test_copies_of_a_program_are_nearly_the_same_text():
    first = "values = [1, 2, 3]\ntotal = 0\nfor value in values:\n    total += value\n"
    copy = "# mine\ndata = [1, 2, 3, 4]\ns = 0\nfor v in data:\n    s += v\n"
    other = "import numpy as np\ntotal = np.sum(np.array([1, 2, 3]))\n"
    assert nearly_same(first, copy)
    assert not nearly_same(first, other)


def result(parameters=None, **answer):
    return {"answer": answer, "parameters": parameters or {"n": 3}}


def test_an_answer_is_read_strictly():
    assert read_answer({"answer": [{"a": 1}, {"a": 2}], "parameters": {}}).figures == {"a": [1, 2]}
    for wrong in (
        5,
        {},
        {"answer": {"a": 1}},
        {"answer": {"a": None}, "parameters": {}},
        {"answer": {"a": float("inf")}, "parameters": {}},
        {"answer": {"a": 1}, "parameters": {}, "level": "spec"},
        {"answer": {"a": [[[[[[1]]]]]]}, "parameters": {}},
    ):
        with pytest.raises(NotAnAnswer):
            read_answer(wrong)


def program(source, *results):
    judgement = held("What is the figure of 3?", source, results)
    assert isinstance(judgement, HeldProgram), judgement
    return judgement


def test_simulated_figures_agree_within_their_errors_only():
    text = "What is the figure of 3?"
    drawn = [5.01, 5.01, 4.98, 5.02, 5.0, 4.99, 5.01]
    simulated = program("a = draw()", *(result(mean=value) for value in drawn))
    exact = program("b = 5", *[result(mean=5.0)] * 3)
    off = program("c = 5 + 1", *[result(mean=5.2)] * 3)
    coarse = program("d()", *(result(mean=value) for value in (5, 5, 9, 2, 7, 4, 6)))
    assert judged(text, [simulated, exact]).level == "agreed"
    assert judged(text, [simulated, exact]).chosen == 1
    assert "against" in judged(text, [simulated, off]).problem
    assert "too much to tell a mistake" in judged(text, [coarse, exact]).problem


def test_other_names_of_figures_are_a_disagreement():
    first, other = program("a", *[result(Mean_A=1)] * 3), program("b = 2", *[result(mean_a=1)] * 3)
    assert judged("What is the figure of 3?", [first, other]).level == "agreed"
    another = program("c = [3]", *[result(mean_b=1)] * 3)
    assert "only one of two programs" in judged("the figure of 3?", [first, another]).problem


def test_a_table_has_as_many_records_as_its_request_says():
    judgement = held("Draw 3 values", "", [result(x=list(range(50)))] * 3)
    assert isinstance(judgement, FallenProgram)
    assert "50 records, which is no number of the request" in judgement.problem


@pytest.mark.parametrize(
    ("results", "reason"),
    [
        ([result(a=1), result(a=2), result(a=1)], "the same seed gave other values"),
        ([result(a="x"), result(a="x"), result(a="y")], "something else with another"),
        ([result(a=1), result(a=1), result(b=1)], "is not there with every seed"),
        ([result(a=1), result(a=1), result({"n": 4}, a=1)], "parameters differ"),
        ([result(p_value=1.5)] * 3, "from 0 to 1"),
        ([result(sd=-1)] * 3, "0 or more"),
        ([result(shares=[0.5, 0.6])] * 3, "sum to 1.1"),
    ],
)
def test_a_program_that_contradicts_itself_or_its_request_falls(results, reason):
    judgement = held("What is the figure of 3?", "", results)
    assert isinstance(judgement, FallenProgram)
    assert reason in judgement.problem


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Which pressure holds 3 litres?", {"p": 120.0}),
        ("Which radius has a circle of area 3?", {"r": 1.5}),
        ("The multiplication table up to 3", {"a": [1] * 9, "b": [2] * 9}),
        ("The chance in percent of 3 heads", {"chance": 12.5}),
    ],
)
def test_a_figure_that_the_request_allows_does_not_fall(text, answer):
    assert isinstance(held(text, "", [result(**answer)] * 3), HeldProgram)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("It is 801.", "801"),
        ("It is {median}.", "no figure of the answer"),
        ("It is {mean!r}.", "no figure"),
        ("It is {mean.__class__}.", "no figure"),
        ("{column}", "fits no sentence"),
    ],
)
def test_a_template_that_types_or_invents_figures_is_refused(template, reason):
    with pytest.raises(TemplateRefused, match=reason):
        filled(template, {"mean": 2.5, "column": [1] * 30}, "the mean of 3 numbers")
    assert filled("{mean:.2f} of 3", {"mean": 2.5}, "the mean of 3 numbers") == "2.50 of 3"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"kind": "poem"}, "not one of 'generate'"),
        ({"count": "9"}, "count is '9', not a integer"),
        ({"counts": 9}, "nothing has this name"),
        ({"fields": [{"role": "number"}]}, "name is missing"),
        ({"fields": [{"name": "a", "low": float("nan")}]}, "not a finite number"),
        ({"fields": {"name": "a"}}, "not a list"),
    ],
)
def test_a_spec_is_read_as_strictly_as_its_schema_says(written, reason):
    with pytest.raises(ValueError, match=reason):
        Spec.from_json(written)
    assert read_strictly(Spec, json.loads(json.dumps({"count": 9}))) == Spec(count=9)
    schema = schema_of(Spec)
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Field"]["required"] == ["name"]
