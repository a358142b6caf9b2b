"""Works figures about money out again: month by month, by fractions, or by bisection."""

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

Figures = Mapping[str, Any]


def _debts(principal: float, rate: float, payment: float, months: int) -> list[float]:
    """The debt after each month, from before the first payment on."""
    debts = [principal]
    for _ in range(months):
        debts.append(debts[-1] * (1 + rate) - payment)
    return debts


def _loan(
    principal: float,
    yearly_rate: float,
    months: float,
    wants: Sequence[str],
    after: float = 0,
    down: float = 0,
    down_share: float = 0,
) -> Figures:
    """The payment that leaves no debt after the last month: the debt is linear in the payment."""
    principal -= down + principal * down_share
    rate, count = yearly_rate / 12, round(months)
    at_none = _debts(principal, rate, 0.0, count)[-1]
    payment = at_none / (at_none - _debts(principal, rate, 1.0, count)[-1])
    debts = _debts(principal, rate, payment, count)
    paid = math.fsum(payment for _ in range(count))
    figures = {
        "payment": payment,
        "total_interest": math.fsum(debt * rate for debt in debts[:-1]),
        "total_paid": paid,
        "still_owe": debts[round(after)],
    }
    return {name: figures[name] for name in wants}


def _months_to_pay(principal: float, yearly_rate: float, payment: float) -> Figures:
    debt, months = principal, 0
    while debt > 1e-9 * principal and months < 12_000:
        debt = debt * (1 + yearly_rate / 12) - payment
        months += 1
    return {"months": months, "years": months / 12}


def _savings(
    deposit: float, yearly_rate: float, months: float, at_start: bool, opening: float = 0
) -> Figures:
    balance = opening
    for _ in range(round(months)):
        balance = (balance + deposit * at_start) * (1 + yearly_rate / 12) + deposit * (not at_start)
    return {"balance": balance}


def _grown(principal: float, yearly_rate: float, years: float, periods: int) -> float:
    """The amount by repeated multiplication; a part of a period by logarithms."""
    if periods == 0:
        return principal * math.fsum(
            (yearly_rate * years) ** n / math.factorial(n) for n in range(150)
        )
    amount, whole = principal, math.floor(periods * years + 1e-9)
    for _ in range(whole):
        amount += amount * yearly_rate / periods
    rest = periods * years - whole
    return amount * math.exp(rest * math.log1p(yearly_rate / periods))


def _compound(
    principal: float, yearly_rate: float, years: float, periods: int, wants: Sequence[str]
) -> Figures:
    amount = _grown(principal, yearly_rate, years, periods)
    figures = {"worth": amount, "interest_earned": amount - principal}
    return {name: figures[name] for name in wants}


def _simple(principal: float, yearly_rate: float, years: float, wants: Sequence[str]) -> Figures:
    interest = Fraction(principal) * Fraction(yearly_rate) * Fraction(years)
    figures = {"worth": float(Fraction(principal) + interest), "interest_earned": float(interest)}
    return {name: figures[name] for name in wants}


def _both_ways(name: str, rate: float) -> Figures:
    """A rate as a share and in percent."""
    return {name: rate, f"{name}_percent": 100 * rate}


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function changes its sign, by bisection."""
    below = function(low) < 0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if (function(middle) < 0) == below else (low, middle)
    return (low + high) / 2


def _growing_time(yearly_rate: float, factor: float, periods: int) -> Figures:
    def missing(years: float) -> float:
        if periods == 0:
            return yearly_rate * years - math.log(factor)
        return periods * years * math.log1p(yearly_rate / periods) - math.log(factor)

    return {"years": _root(missing, 0.0, 1e6)}


def _time_to_reach(first: float, last: float, yearly_rate: float, periods: int) -> Figures:
    return _growing_time(yearly_rate, last / first, periods)


def _effective(yearly_rate: float, periods: int) -> Figures:
    return _both_ways("effective_rate", _grown(1.0, yearly_rate, 1.0, periods) - 1)


def _present(rate: float, flows: Sequence[float]) -> float:
    """The value today, from the last flow backwards."""
    value = 0.0
    for flow in reversed(flows):
        value = value / (1 + rate) + flow
    return value


def _irr(flows: Sequence[float]) -> Figures:
    return _both_ways("irr", _root(lambda r: _present(r, flows), -0.99, 100.0))


def _bond(
    face: float, coupon_rate: float, years: float, yearly_yield: float, periods: int = 1
) -> Figures:
    flows = [0.0, *[face * coupon_rate / periods] * round(years * periods)]
    flows[-1] += face
    return {"price": _present(yearly_yield / periods, flows)}


def _growth(first: float, last: float, years: float) -> Figures:
    rate = _root(lambda r: years * math.log1p(r) - math.log(last / first), -0.999999, 1e6)
    return _both_ways("growth_rate", rate)


def _price_after(price: float, steps: Sequence[float]) -> Figures:
    left = Fraction(str(price))
    for step in steps:
        left += left * Fraction(str(step))
    return {"price": float(left)}


def _tip(bill: float, rate: float, people: float | None = None) -> Figures:
    amount = Fraction(str(bill)) * Fraction(str(rate))
    figures = {"tip": float(amount), "total": float(Fraction(str(bill)) + amount)}
    if people is not None:
        figures["per_person"] = float((Fraction(str(bill)) + amount) / Fraction(str(people)))
    return figures


def _markup(cost: float, price: float, wants: Sequence[str]) -> Figures:
    gain = Fraction(str(price)) - Fraction(str(cost))
    bases = {"markup": Fraction(str(cost)), "margin": Fraction(str(price))}
    return {f"{name}_percent": float(gain / bases[name] * 100) for name in wants}


def _combined(sizes: Sequence[float], means: Sequence[float]) -> Figures:
    total = sum(
        (Fraction(str(n)) * Fraction(str(m)) for n, m in zip(sizes, means, strict=True)),
        Fraction(0),
    )
    return {"mean": float(total / sum(Fraction(str(n)) for n in sizes))}


def _break_even(fixed: float, variable: float, price: float) -> Figures:
    exact = Fraction(str(fixed)) / (Fraction(str(price)) - Fraction(str(variable)))
    return {"units": math.ceil(exact), "exact_units": float(exact)}


def _ratio(part: float, whole: float) -> float:
    return float(Fraction(str(part)) / Fraction(str(whole)) * 100)


def _exact(*values: float) -> tuple[Fraction, ...]:
    return tuple(Fraction(str(value)) for value in values)


def _price_before(price: float, steps: Sequence[float]) -> Figures:
    kept = math.prod((1 + step for step in _exact(*steps)), start=Fraction(1))
    return {"price_before": float(Fraction(str(price)) / kept)}


def _tax_contained(total: float, rate: float) -> Figures:
    """The tax first: of 1 + rate parts, rate are tax."""
    whole, share = _exact(total, rate)
    tax = whole * share / (1 + share)
    return {"net": float(whole - tax), "tax": float(tax)}


def _with_tax(net: float, rate: float) -> Figures:
    price, share = _exact(net, rate)
    return {"total": float(price + price * share), "tax": float(price * share)}


def _price_for_margin(cost: float, rate: float, of: str) -> Figures:
    """The price whose gain is the wanted share of itself, or of the cost."""
    spent, share = _exact(cost, rate)
    gain = spent * share / (1 - share) if of == "price" else spent * share
    return {"price": float(spent + gain)}


def _yearly_savings(
    deposit: float, yearly_rate: float, years: float, opening: float = 0
) -> Figures:
    balance = opening
    for _ in range(round(years)):
        balance += balance * yearly_rate + deposit
    return {"balance": balance}


def _needed_deposit(goal: float, yearly_rate: float, months: float) -> Figures:
    """The goal over what one unit a month grows to, month by month."""
    return {"deposit": goal / _savings(1.0, yearly_rate, months, False)["balance"]}


def _loan_for_payment(payment: float, yearly_rate: float, months: float) -> Figures:
    """What all payments are worth today, from the last payment backwards."""
    return {"loan": _present(yearly_rate / 12, [0.0, *[payment] * round(months)])}


EXPECTED: Mapping[str, Callable[..., Figures]] = {
    "loan": _loan,
    "months_to_pay": _months_to_pay,
    "savings": _savings,
    "compound_interest": _compound,
    "simple_interest": _simple,
    "growing_time": _growing_time,
    "time_to_reach": _time_to_reach,
    "effective_rate": _effective,
    "irr": _irr,
    "npv": lambda rate, flows: {"npv": _present(rate, flows)},
    "bond_price": _bond,
    "growth_rate": _growth,
    "price_after": _price_after,
    "tip": _tip,
    "part_of": lambda rate, whole: {"part": float(Fraction(str(rate)) * Fraction(str(whole)))},
    "share_in_percent": lambda part, whole: {"percentage": _ratio(part, whole)},
    "percent_change": lambda first, last: {"percent_change": _ratio(last - first, first)},
    "markup_and_margin": _markup,
    "combined_mean": _combined,
    "break_even": _break_even,
    "price_before": _price_before,
    "changed_value": lambda value, steps: {"value": _price_after(value, steps)["price"]},
    "with_tax": _with_tax,
    "tax_contained": _tax_contained,
    "whole_of": lambda part, rate: {"whole": float(Fraction(str(part)) / Fraction(str(rate)))},
    "equal_shares": lambda total, people: {"each": _ratio(total, people) / 100},
    "price_for_margin": _price_for_margin,
    "grown_value": lambda value, yearly_rate, years: {
        "value": value * math.exp(years * math.log1p(yearly_rate))
    },
    "present_value": lambda amount, rate, years: {
        "present_value": amount * math.exp(-years * math.log1p(rate))
    },
    "annuity_value": lambda payment, rate, years: {
        "present_value": _present(rate, [0.0, *[payment] * round(years)])
    },
    "yearly_savings": _yearly_savings,
    "needed_deposit": _needed_deposit,
    "payback": lambda investment, flow: {"years": _ratio(investment, flow) / 100},
    "loan_for_payment": _loan_for_payment,
}


def _no_loan(
    principal: float,
    yearly_rate: float,
    months: float,
    wants: Sequence[str],
    after: float = 0,
    down: float = 0,
    down_share: float = 0,
) -> str:
    del wants
    if not 0 <= down_share < 1 or not 0 <= down < principal:
        return "the down payment leaves nothing to borrow"
    if principal <= 0:
        return f"a loan of {principal:g} is no loan: name an amount above 0"
    if not 1 <= months <= 1200 or months != round(months):
        return f"a term of {months:g} months cannot be paid: name whole months from 1 to 1,200"
    if not 0 <= after <= months or after != round(after):
        return f"there is no debt after {after:g} of {months:g} payments"
    return _no_rate(yearly_rate)


def _no_rate(yearly_rate: float) -> str:
    return (
        "" if 0 <= yearly_rate <= 10 else f"a yearly rate of {yearly_rate:.0%} is beyond all sense"
    )


def _never_paid(principal: float, yearly_rate: float, payment: float) -> str:
    if principal <= 0 or payment <= principal * yearly_rate / 12:
        return f"a payment of {payment:g} never pays off {principal:g} at {yearly_rate:.2%} a year"
    return _no_rate(yearly_rate)


def _no_tax(rate: float) -> str:
    return "" if 0 <= rate <= 2 else f"a tax of {rate:.0%} is beyond all sense"


def _no_single_rate(flows: Sequence[float]) -> str:
    signs = [flow > 0 for flow in flows if flow]
    changes = sum(a != b for a, b in pairwise(signs))
    if changes != 1 or flows[0] >= 0:
        return (
            "these flows have no single internal rate: the first must be paid, the others received"
        )
    return "" if sum(flows) > 0.02 * flows[0] else "what comes back is far less than what was paid"


def _too_long(months: float, yearly_rate: float, **others: Any) -> str:
    del others
    if not 1 <= months <= 2400 or months != round(months):
        return f"{months:g} months is no term for savings: name whole months from 1 to 2,400"
    return _no_rate(yearly_rate)


def _no_growth(first: float, last: float, years: float) -> str:
    holds = first > 0 and last > 0 and years > 0
    return (
        "" if holds else f"from {first:g} to {last:g} in {years:g} years there is no rate of growth"
    )


def _no_amount(principal: float, yearly_rate: float, years: float, **others: Any) -> str:
    del others
    if principal <= 0 or not 0 < years <= 500:
        return f"{principal:g} over {years:g} years is no investment"
    return _no_rate(yearly_rate)


IMPOSSIBLE: Mapping[str, Callable[..., str]] = {
    "loan": _no_loan,
    "months_to_pay": _never_paid,
    "savings": _too_long,
    "compound_interest": _no_amount,
    "simple_interest": _no_amount,
    "growing_time": lambda yearly_rate, **_: (
        "" if 0 < yearly_rate < 10 else "nothing grows at this rate"
    ),
    "time_to_reach": lambda yearly_rate, **_: (
        "" if 0 < yearly_rate < 10 else "nothing grows at this rate"
    ),
    "effective_rate": lambda yearly_rate, **_: _no_rate(yearly_rate),
    "irr": _no_single_rate,
    "npv": lambda rate, **_: "" if rate > -1 else f"a rate of {rate:.0%} is impossible",
    "bond_price": lambda years, yearly_yield, **_: (
        ""
        if years == round(years) > 0 and 0 < yearly_yield < 1
        else "a bond has whole years and a yield above 0"
    ),
    "growth_rate": _no_growth,
    "price_after": lambda price, steps: (
        "" if price >= 0 and all(step >= -1 for step in steps) else "no discount is above 100%"
    ),
    "tip": lambda bill, people=1, **_: (
        "" if bill > 0 and (people is None or people >= 1) else "nobody pays"
    ),
    "share_in_percent": lambda whole, **_: "" if whole else "nothing is a share of 0",
    "percent_change": lambda first, **_: "" if first else "from 0 there is no change in percent",
    "markup_and_margin": lambda cost, price, **_: (
        "" if cost > 0 and price > 0 else "a cost and a price are above 0"
    ),
    "combined_mean": lambda sizes, **_: (
        "" if all(n > 0 for n in sizes) else "a group has at least one member"
    ),
    "break_even": lambda variable, price, **_: (
        "" if price > variable else f"a price of {price:g} never covers a cost of {variable:g}"
    ),
    "price_before": lambda steps, **_: (
        "" if all(-1 < step < 10 for step in steps) else "no discount is 100% or more"
    ),
    "tax_contained": lambda rate, **_: _no_tax(rate),
    "with_tax": lambda rate, **_: _no_tax(rate),
    "whole_of": lambda rate, **_: "" if rate else "a part is never 0% of something",
    "equal_shares": lambda people, **_: (
        "" if people == int(people) >= 1 else f"{people:g} people cannot share"
    ),
    "price_for_margin": lambda cost, rate, of: (
        "" if cost > 0 and (of == "cost" or rate < 1) else "a margin is below 100% of the price"
    ),
    "grown_value": lambda yearly_rate, years, **_: (
        "" if -1 < yearly_rate <= 10 and 0 < years <= 1000 else "nothing grows in this way"
    ),
    "present_value": lambda rate, years, **_: (
        _no_rate(rate) if 0 < years <= 500 else f"{years:g} years is no term"
    ),
    "annuity_value": lambda rate, years, **_: (
        _no_rate(rate) if 1 <= years <= 500 and years == int(years) else "name whole years"
    ),
    "needed_deposit": _too_long,
    "yearly_savings": lambda yearly_rate, years, **_: (
        _no_rate(yearly_rate) if 1 <= years <= 200 and years == int(years) else "name whole years"
    ),
    "payback": lambda investment, flow: (
        "" if investment > 0 and flow > 0 else "an investment and its returns are above 0"
    ),
    "loan_for_payment": lambda payment, yearly_rate, months: _no_loan(
        payment, yearly_rate, months, ()
    ),
}
