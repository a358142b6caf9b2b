"""An edited program says what it computes: its keys, variables and comments keep in step."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.request.statistical import interpret
from router.reuse.editing import edit_program
from sandbox.spec import Analysis, Spec
from sandbox.synthesis import write_program
from tests.reuse.service import bare, content, rig, settled

P90 = "What is the 90th percentile of 1, 2, 3, 4, 9?"
P10 = "What is the 10th percentile of 1, 2, 3, 4, 9?"
AGES = "Generate 1000 users with normal age distribution"
PAY = "Generate 2000 customers with normal salary distribution"


_OF_A_MODEL = "# a model wrote this\n"


def spec_of(text: str) -> Spec:
    spec = interpret(text).spec
    assert spec is not None
    return spec


def edited(program: str, stored: str, wanted: str) -> str | None:
    change = edit_program(program, spec_of(stored), spec_of(wanted))
    return None if change is None else change.source


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        (P90, P10),
        (P10, "What is the 25th percentile of 7, 8, 9, 11?"),
        ("What is the 25th percentile of 7, 8, 9, 11?", P90),
        (AGES, PAY),
        (PAY, AGES),
        (AGES, "Generate 500 employees with normal age distribution"),
        ("Generate 120 users with price and cost correlated 0.6",
         "Generate 40 users with cost and price correlated 0.3"),
        ("Draw 90 values from a normal distribution with mean 65 and standard deviation 4",
         "Draw 50 values from a normal distribution with mean 20 and standard deviation 7"),
    ],
)  # fmt: skip
def test_an_edited_program_of_the_rule_is_what_the_rule_writes(stored, wanted):
    program, expected = (write_program(spec_of(text), seed=0).source for text in (stored, wanted))
    assert edited(program, stored, wanted) == expected
    # No rule wrote this one: its words are edited.
    assert edited(program + _OF_A_MODEL, stored, wanted) == expected + _OF_A_MODEL


@pytest.mark.parametrize(
    ("line", "in_step"),
    [
        ("result['quantile_0.9'] = np.quantile(x, 0.9)",
         "result['quantile_0.1'] = np.quantile(x, 0.1)"),
        ("result['q_0.90'] = np.quantile(x, 0.90)", "result['q_0.10'] = np.quantile(x, 0.1)"),
        ("p90 = np.percentile(x, 90); result = {'p90': p90}",
         "p10 = np.percentile(x, 10); result = {'p10': p10}"),
        ("x_90 = np.quantile(x, 0.9)  # the 90th percentile (90%)",
         "x_10 = np.quantile(x, 0.1)  # the 10th percentile (10%)"),
        ('"""The 90th percentile, on 2024-01-90."""\nresult = np.quantile(x, 0.9)',
         '"""The 10th percentile, on 2024-01-90."""\nresult = np.quantile(x, 0.1)'),
        ("result = {f'P{90}': np.quantile(x, .9)}", "result = {f'P{10}': np.quantile(x, 0.1)}"),
        ("result = np.quantile(x, 0.9).round(9)", "result = np.quantile(x, 0.1).round(9)"),
        ("result = round(np.quantile(x, 0.9), 90)", "result = round(np.quantile(x, 0.1), 90)"),
        ("y = numbers('x1')[0]; log90 = np.log10(np.quantile(y, 0.9))",
         "y = numbers('x1')[0]; log90 = np.log10(np.quantile(y, 0.1))"),
    ],
)  # fmt: skip
def test_the_names_of_another_percentile_change_with_it(line, in_step):
    assert edited(line + "\n", P90, P10) == in_step + "\n"


@pytest.mark.parametrize(
    ("line", "in_step"),
    [
        ("age = draw(40, 12, 18, 90, 1000)  # Age of 1,000 users",
         "salary = draw(60000, 15000, 20000, 150000, 2000)  # Salary of 2,000 users"),
        ('mean_age = draw(40, 12, 18, 90, 1_000)\nresult = {"age": mean_age}',
         'mean_salary = draw(60000, 15000, 20000, 150000, 2000)\nresult = {"salary": mean_salary}'),
        ('"""Ages of people on average, age, AGE."""\nage = draw(40, 12, 18, 90, 1000)',
         '"""Salaries of people on average, salary, SALARY."""\n'
         "salary = draw(60000, 15000, 20000, 150000, 2000)"),
        ('result = dict(zip("age,other".split(","), draw(40, 12, 18, 90, 1000)))',
         'result = dict(zip("salary,other".split(","), draw(60000, 15000, 20000, 150000, 2000)))'),
    ],
)  # fmt: skip
def test_the_names_of_another_column_change_with_it(line, in_step):
    assert edited(line + "\n", AGES, PAY) == in_step + "\n"


@pytest.mark.parametrize(
    ("program", "stored", "wanted"),
    [
        # nothing in the code computes what changes
        ('"""The 90th percentile, 0.9."""\nresult = np.max(x)\n', P90, P10),
        ("# age\nresult = draw(40, 12, 18, 90, 1000)\n", AGES, PAY),
        # the new name is taken
        ("salary = 1\nage = draw(40, 12, 18, 90, 1000)\n", AGES, PAY),
        ("p10 = 1\np90 = np.quantile(x, 0.9)\n", P90, P10),
        # no program at all
        ("age = draw(40, 12, 18, 90, 1000\n", AGES, PAY),
    ],
)
def test_a_program_that_cannot_be_kept_in_step_is_not_edited(program, stored, wanted):
    assert edited(program, stored, wanted) is None


def test_a_number_that_may_be_a_percentage_or_not_is_not_edited():
    def spec(q: float, value: float) -> Spec:
        analyses = (
            Analysis("quantile", ("x1",), parameters={"q": q}),
            Analysis("z_score", ("x1",), parameters={"value": value}),
        )
        return Spec("analyse", analyses=analyses)

    program = "result = [np.quantile(x, 0.9), z_score(x, 90)]\n"
    assert edit_program(program, spec(0.9, 90.0), spec(0.1, 80.0)) is None
    assert edit_program(program, spec(0.9, 90.0), spec(0.1, 10.0)) is not None


@given(st.integers(1, 99), st.integers(1, 99))
def test_every_percentile_is_called_by_its_name(old, new):
    stored, wanted = (
        Spec("analyse", analyses=(Analysis("quantile", ("x1",), parameters={"q": n / 100}),))
        for n in (old, new)
    )
    change = edit_program(write_program(stored, seed=0).source + _OF_A_MODEL, stored, wanted)
    assert change is not None
    assert change.source == write_program(wanted, seed=0).source + _OF_A_MODEL


async def test_another_percentile_is_edited_named_and_verified_again_through_a_service(data):
    async with rig(bare(data)) as waggle:
        await waggle.chat(P90)
        await settled(waggle)
        reply = await waggle.chat(P10, headers={"x-waggle-explain": "true"})
        assert reply.headers["x-waggle-reuse"] == "reuse"
        assert reply.headers["x-waggle-verified"] == "spec"
        computed = reply.json["waggle"]["computed"]
        assert computed["verification"]["checks"]
        assert "quantile_0.9" not in computed["program"]
        assert json.loads(content(reply)) == {"quantile_0.1": 1.4}
