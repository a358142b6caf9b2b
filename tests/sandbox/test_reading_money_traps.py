"""Readings that were wrong and certified once: a power beside a stroke, a payment as a loan."""

import pytest

from sandbox.request import read
from tests.sandbox.reading import computed


@pytest.mark.parametrize(
    ("text", "value"),
    [("2^10/4", 256.0), ("3/2^2", 0.75), ("(1/2)^2", 0.25), ("1/2 + 3/4", 1.25)],
)
def test_a_power_binds_tighter_than_the_stroke_beside_it(text: str, value: float):
    assert computed(text) == ({"value": pytest.approx(value)}, "spec")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Loan, 5 years, 7%, 400 a month", "`400` is read as a payment"),
        ("loan of 12,000 at 6% for 5 years deferred, monthly payment", "`deferred`"),
        ("loan of 12,000 at 6% for 5 years with a 200 fee, monthly payment", "`fee`"),
        ("loan of 20000 at 5% for 4 years with yearly payments, payment?", "`yearly payments`"),
        ("loan 20000 5% 4 years, annual payment", "`annual payment`"),
        ("loan 20000, 5%, 4 years, total paid after 24 payments", "by a certain payment"),
        ("loan of 20000 at 5% per month for 4 years, monthly payment", "of a month or of a year"),
        ("save 200 a month at 1% per month for 10 years, balance", "say the rate of a year"),
        ("how long to double money at 7% simple interest", ""),
        ("loan of 20000 at 5% for 4 years paid yearly, payment?", "`yearly`"),
        ("préstamo de 20000 al 5% TAE a 4 años, cuota mensual", "`TAE`"),
        ("préstamo de 20000 al 5% a 4 años, cuota anual", "`cuota anual`"),
        ("préstamo de 12000 al 6% a 5 años con carencia, cuota mensual", "`carencia`"),
    ],
)
def test_what_changes_a_loan_is_named(text: str, reason: str):
    interpretation = read(text)
    assert interpretation.spec is None
    assert reason in " ".join(interpretation.reasons)


@pytest.mark.parametrize(
    ("text", "payment"),
    [
        ("loan of 12,000 at 1.5% per month for 24 months, monthly payment", 599.0892236340165),
        ("préstamo de 20000 al 1% mensual a 48 meses, cuota", 526.6767086386197),
        ("préstamo de 20000 a 48 meses con interés mensual del 1%, cuota", 526.6767086386197),
        ("loan 20000, monthly interest rate of 0.5%, 48 months, payment", 469.70058095851374),
        ("loan of 20000 paid monthly at 3% for 4 years, payment", 442.68654),
        ("loan 20000, 4 years, 6% interest per year, monthly payment", 469.70058095851374),
    ],
)
def test_a_rate_of_a_month_is_no_rate_of_a_year(text: str, payment: float):
    assert computed(text) == ({"payment": pytest.approx(payment, rel=1e-6)}, "spec")


def test_times_that_may_be_hours_or_minutes_have_no_certified_mean():
    interpretation = read("average of 8:30 and 9:15 bedtime")
    assert interpretation.spec is None
    assert "8:30 may be hours or minutes" in " ".join(interpretation.reasons)
    assert computed("average lap of 1:30 and 2:15 (min:sec)")[0]["seconds"] == 112.5


def test_a_determinant_is_no_label_of_the_rows_of_its_matrix():
    for clause in ("sorted from high to low", "and tell me the average"):
        assert read(f"det of [[2,-1,0],[1,3,2],[4,0,5]], {clause}").spec is None
