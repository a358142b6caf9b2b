"""Works figures of loans, interest and investments out again, in another way than the programs."""

from collections.abc import Callable, Mapping
from typing import Any


def _loan_payment(principal: float, yearly_rate: float, months: float) -> Mapping[str, Any]:
    """The payment that leaves no debt after the last month: the debt is linear in the payment."""

    def debt_after(payment: float) -> float:
        debt = principal
        for _ in range(round(months)):
            debt = debt * (1 + yearly_rate / 12) - payment
        return debt

    at_none, at_one = debt_after(0.0), debt_after(1.0)
    return {"payment": at_none / (at_none - at_one)}


EXPECTED: Mapping[str, Callable[..., Mapping[str, Any]]] = {"loan_payment": _loan_payment}


def _impossible_loan(principal: float, yearly_rate: float, months: float) -> str:
    if principal <= 0:
        return f"a loan of {principal:g} is no loan: name an amount above 0"
    if not 1 <= months <= 1200 or months != round(months):
        return f"a term of {months:g} months cannot be paid: name whole months from 1 to 1,200"
    return f"a rate of {yearly_rate:.0%} is below 0" if yearly_rate < 0 else ""


IMPOSSIBLE: Mapping[str, Callable[..., str]] = {"loan_payment": _impossible_loan}
