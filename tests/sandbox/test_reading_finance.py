"""Questions about money: read wholly or refused by name, and worked out by two hands."""

import math
from typing import Any

import numpy as np
import pytest

from sandbox.contradictions import contradiction
from sandbox.judging.finance import EXPECTED
from sandbox.programs.finance import PROGRAMS
from sandbox.request import read
from sandbox.verify import verify
from tests.sandbox.reading import computed


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        (
            "$18,500 car loan, 6.9% APR, 5 years. Monthly payment and total interest?",
            {"payment": 365.44996883982645, "total_interest": 3426.9981303895875},
        ),
        (
            "van loan 18k at 6% apr over 5 yrs monthly, what do i still owe after 24 payments",
            {"still_owe": 11438.798994437926},
        ),
        (
            "Ahorro 200 dólares al final de cada mes en una cuenta que paga 5% anual capitalizado "
            "mensualmente. ¿Cuánto tendré en diez años?",
            {"balance": 31056.455889},
        ),
        (
            "IRR of -1200, 300, 420, 480, 350 (annual flows)",
            {"irr": 0.107237441835, "irr_percent": 10.7237441835},
        ),
        (
            "Jacket costs $80. 25% off, then a further 10% off the reduced price, then 8% sales "
            "tax. What do I pay at the till?",
            {"price": 58.32},
        ),
        ("what's 15% tip on $84.50", {"tip": 12.675, "total": 97.175}),
        ("percent change from 80 to 92", {"percent_change": 15.0}),
        (
            "Class A has 24 pupils averaging 71 and class B has 18 pupils averaging 78.5. Average "
            "of the two classes put together?",
            {"mean": 74.2142857142857},
        ),
    ],
)
def test_a_question_about_money_is_read_and_checked(text: str, figures: dict[str, float]):
    result, level = computed(text)
    assert level == "spec"
    assert result == pytest.approx(figures)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("monthly payment on a 20,000 loan over 4 years?", "interest rate is missing"),
        ("monthly payment on a 20,000 loan at 5% over 4 years, plus 10", "plus"),
        ("percent change from 80 to 92, in words", "words"),
        ("a shirt costs 40 with 30% off, final price in yen", "yen"),
    ],
)
def test_what_is_not_understood_is_named(text: str, word: str):
    interpretation = read(text)
    assert interpretation.spec is None
    assert word in " ".join(interpretation.reasons)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("IRR of -1200, 300, -420, 480", "no single internal rate"),
        ("I have a loan of 5,000 at 18%, paying 50 a month, how long to pay it off", "never pays"),
    ],
)
def test_what_cannot_be_is_named(text: str, reason: str):
    spec = read(text).spec
    assert spec is not None
    assert reason in contradiction(spec)


_CASES: dict[str, list[dict[str, Any]]] = {
    "loan": [
        {"principal": 1e5, "yearly_rate": r, "months": 120, "wants": w, "after": 30, "down": 4e4}
        for r in (0.0, 0.05, 0.24)
        for w in [("payment", "total_interest", "total_paid", "still_owe")]
    ],
    "months_to_pay": [{"principal": 5000, "yearly_rate": 0.18, "payment": 200}],
    "savings": [
        {"deposit": 50, "yearly_rate": r, "months": 60, "at_start": s, "opening": 1000}
        for r in (0.0, 0.04)
        for s in (True, False)
    ],
    "compound_interest": [
        {"principal": 1e4, "yearly_rate": 0.07, "years": y, "periods": p, "wants": ("worth",)}
        for y in (1, 2.5, 30)
        for p in (0, 1, 2, 4, 12, 365)
    ],
    "simple_interest": [
        {"principal": 900, "yearly_rate": 0.03, "years": 7, "wants": ("interest_earned",)}
    ],
    "growing_time": [{"yearly_rate": 0.06, "factor": 2.0, "periods": p} for p in (0, 1, 12)],
    "time_to_reach": [{"first": 10, "last": 70, "yearly_rate": 0.06, "periods": 4}],
    "effective_rate": [{"yearly_rate": 0.18, "periods": p} for p in (0, 1, 12)],
    "irr": [{"flows": (-100, 30, 50, 60)}],
    "npv": [{"rate": 0.08, "flows": (-100, 30, 50, 60)}],
    "bond_price": [
        {"face": 1000, "coupon_rate": 0.05, "years": 7, "yearly_yield": 0.06, "periods": p}
        for p in (1, 2)
    ],
    "growth_rate": [{"first": 120, "last": 180, "years": 3}],
    "price_after": [{"price": 84.9, "steps": (-0.2, 0.21)}],
    "tip": [{"bill": 84.5, "rate": 0.15, "people": 3}],
    "part_of": [{"rate": 0.15, "whole": 240}],
    "share_in_percent": [{"part": 30, "whole": 120}],
    "percent_change": [{"first": 80, "last": 92}],
    "markup_and_margin": [{"cost": 7.4, "price": 12.95, "wants": ("markup", "margin")}],
    "combined_mean": [{"sizes": (24, 18), "means": (71, 78.5)}],
    "break_even": [{"fixed": 5000, "variable": 3.2, "price": 8.1}],
    "price_before": [{"price": 68.0, "steps": (-0.15, 0.21)}],
    "changed_value": [{"value": 340.0, "steps": (0.12,)}],
    "with_tax": [{"net": 250.0, "rate": 0.21}],
    "tax_contained": [{"total": 121.0, "rate": 0.21}],
    "whole_of": [{"part": 18.0, "rate": 0.15}],
    "equal_shares": [{"total": 245.0, "people": 7}],
    "price_for_margin": [{"cost": 12.5, "rate": 0.4, "of": of} for of in ("price", "cost")],
    "grown_value": [{"value": 24e3, "yearly_rate": r, "years": 4} for r in (-0.15, 0.02)],
    "present_value": [{"amount": 1e4, "rate": r, "years": 5} for r in (0.0, 0.07)],
    "annuity_value": [{"payment": 1e3, "rate": r, "years": 10} for r in (0.0, 0.05)],
    "needed_deposit": [{"goal": 5e4, "yearly_rate": r, "months": 120} for r in (0.0, 0.05)],
    "yearly_savings": [
        {"deposit": 1e3, "yearly_rate": r, "years": 20, "opening": 50.0} for r in (0.0, 0.05)
    ],
    "payback": [{"investment": 12e3, "flow": 3e3}],
    "loan_for_payment": [{"payment": 400.0, "yearly_rate": r, "months": 60} for r in (0.0, 0.06)],
}


@pytest.mark.parametrize("method", PROGRAMS)
def test_program_and_judge_agree_and_a_wrong_figure_is_refused(method: str):
    names: dict[str, Any] = {"math": math, "np": np}
    exec(PROGRAMS[method], names)
    for parameters in _CASES[method]:
        figures = names[method](**parameters)
        assert figures == pytest.approx(dict(EXPECTED[method](**parameters)), rel=1e-7)


def test_a_wrong_payment_is_refused():
    spec = read("monthly payment on a $250,000 loan at 6.5% for 30 years").spec
    assert spec is not None
    assert verify(spec, {"payment": 1580.1700587324133}).level == "spec"
    assert verify(spec, {"payment": 1581.0}).level == "unverified"
    assert verify(spec, {"payment": 1580.1700587324133, "more": 1.0}).level == "unverified"
