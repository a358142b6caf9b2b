"""Judging outside the sandbox: what it recomputes, what it refuses, and how it says so."""

from collections.abc import Sequence

import pytest

from sandbox.judging.calculations import check_calculations
from sandbox.judging.check import StatisticalCheck, Verification
from sandbox.judging.comparison import Estimate, Tolerance, first_differences
from sandbox.spec import Analysis, Spec

LOAN = Analysis("payment", parameters={"principal": 1000.0, "months": 2})


def payment(principal: float, months: int) -> dict[str, object]:
    return {"payment": principal / months, "total": principal, "last": [1.0, 2.0]}


JUDGES = {"payment": payment, "pi": lambda: {"pi": Estimate(3.1416, 0.01)}}


def words(checks: Sequence[StatisticalCheck]) -> str:
    return "; ".join(f"{check.name}: {check.detail}" for check in checks if not check.holds)


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ({"payment": 500.0, "total": 1000.0, "last": [1.0, 2.0]}, ""),
        ({"payment": 500.0001, "total": 1000.0, "last": [1.0, 2.0]}, ""),
        ({"payment": 500.01, "total": 1000.0, "last": [1.0, 2.0]}, "payment.payment: 500.01"),
        ({"payment": 500.0, "last": [1.0, 2.0]}, "payment.total is missing"),
        (
            {"payment": 500.0, "total": 1000.0, "last": [1.0, 2.0], "fee": 0.0},
            "payment.fee was not asked for",
        ),
        ({"payment": True, "total": 1000.0, "last": [1.0, 2.0]}, "payment.payment: True"),
        ({"payment": "500", "total": 1000.0, "last": [1.0, 2.0]}, "payment.payment: '500'"),
        ({"payment": 500.0, "total": 1000.0, "last": [1.0]}, "payment.last"),
        ({"payment": 500.0, "total": 1000.0, "last": [2.0, 1.0]}, "payment.last[0]: 2"),
        ({"payment": float("nan"), "total": 1000.0, "last": [1.0, 2.0]}, "payment.payment: nan"),
        ([500.0, 1000.0], "not figures by name"),
        ({"payment": [0.0] * 200_000}, "too many figures"),
    ],
)
def test_every_figure_of_a_calculation_is_compared_and_none_is_added(result: object, says: str):
    checks = check_calculations(Spec(kind="calculate", analyses=(LOAN,)), result, JUDGES)
    assert says in words(checks) if says else Verification(tuple(checks)).level == "spec"


@pytest.mark.parametrize(
    ("analyses", "result", "says"),
    [
        ((Analysis("rent"),), {"rent": 1.0}, "no judge works this out again"),
        ((Analysis("payment"),), {"payment": 1.0}, "missing a required argument"),
        ((Analysis("pi", parameters={"n": 3}),), {"pi": 3.1}, "unexpected keyword argument"),
        ((Analysis("pi"),), {"pi": 3.18}, ""),
        ((Analysis("pi"),), {"pi": 3.19}, "exactly 3.1416 with a standard error of 0.01"),
        ((Analysis("pi"), LOAN), {"pi": {"pi": 3.14}}, "payment"),
        ((Analysis("pi"), Analysis("pi")), {"pi": {"pi": 3.14}}, "recomputed"),
    ],
)
def test_a_calculation_that_no_judge_knows_fails(
    analyses: tuple[Analysis, ...], result: object, says: str
):
    checks = check_calculations(Spec(kind="calculate", analyses=analyses), result, JUDGES)
    assert says in words(checks)
    assert bool(says) is bool(words(checks))


@pytest.mark.parametrize(
    ("figure", "agrees"), [(3.14, True), (3.15, False), (3.141, False), (3.1416, False), (3, False)]
)
def test_a_stated_rounding_is_required(figure: float, agrees: bool):
    assert (not first_differences(figure, 3.14159, Tolerance(decimals=2))) is agrees


def test_a_verification_has_the_level_spec_only_if_everything_was_checked():
    good, bad = StatisticalCheck("count", True, ""), StatisticalCheck("count", False, "3 of 4")
    assert Verification((good,)).level == "spec"
    assert Verification((good,), ("sorted",)).level == "unverified"
    assert Verification((good, bad)).level == "unverified"
    assert Verification(()).level == "unverified"
    assert Verification((good,), ("sorted",)).as_json() == {
        "level": "unverified",
        "checks": [{"name": "count", "holds": True, "detail": ""}],
        "unchecked": ["sorted"],
    }
